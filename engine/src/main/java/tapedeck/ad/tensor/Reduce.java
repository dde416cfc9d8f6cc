package tapedeck.ad.tensor;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.SourceLine;

/**
 * Reduction over some axes, which the result no longer has. Where several elements attain a maximum
 * or minimum, each gets an equal share of the derivative. The derivative of a product is built from
 * a tree of partial products, so it is right to every order where factors are zero.
 *
 * @param reducer how elements are combined; sums and products take float or int32
 * @param axes distinct axes in ascending order
 */
public record Reduce(Reducer reducer, List<Integer> axes) implements Op {
  @Override
  public String label() {
    return "reduce_" + reducer.name().toLowerCase(java.util.Locale.ROOT) + axes;
  }

  @Override
  public Aval result(List<Aval> in) {
    Aval a = in.get(0);
    requireType(a);
    List<Integer> kept = new ArrayList<>();
    for (int i = 0; i < a.rank(); i++) {
      if (!axes.contains(i)) {
        kept.add(a.shape().dim(i));
      }
    }
    axes.forEach(x -> a.shape().axis(label(), x));
    return a.withShape(Shape.of(kept.stream().mapToInt(Integer::intValue).toArray()));
  }

  void requireType(Aval a) {
    if (a.dtype() == DType.BOOL && (reducer == Reducer.SUM || reducer == Reducer.PROD)) {
      throw SourceLine.at(
          new DTypeException(
              "[" + label() + "] takes float or int32 operands, not " + a + "; use cast"));
    }
  }

  /** The reduced tensor with its lost axes back, stretched to the operand's shape. */
  private Tensor spread(Tensor r, Shape to) {
    List<Integer> kept = new ArrayList<>();
    for (int i = 0; i < to.rank(); i++) {
      if (!axes.contains(i)) {
        kept.add(i);
      }
    }
    return Tensor.apply(new Movement.Broadcast(to, kept), r);
  }

  private Tensor sum(Tensor x) {
    return Tensor.apply(new Reduce(Reducer.SUM, axes), x);
  }

  /** Share of every element in an extremum: 1/ties where it is attained, else 0. */
  private Tensor share(Tensor x, Tensor y) {
    Tensor hit = x.eq(spread(y, x.shape())).cast(x.dtype());
    return hit.div(spread(sum(hit), x.shape()));
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return switch (reducer) {
      case SUM -> sum(t.get(0));
      case MAX, MIN -> sum(t.get(0).mul(share(x.get(0), y)));
      case PROD -> productTangent(rows(x.get(0)), rows(t.get(0))).reshape(y.shape());
    };
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    Tensor a = x.get(0);
    return List.of(
        switch (reducer) {
          case SUM -> spread(ct, a.shape());
          case MAX, MIN -> spread(ct, a.shape()).mul(share(a, y));
          case PROD -> unrows(productCotangent(rows(a), ct), a.shape());
        });
  }

  /** The operand as (kept..., n) with all reduced axes joined into the last. */
  private Tensor rows(Tensor x) {
    int[] shape =
        result(List.of(x.aval()))
            .shape()
            .with(x.rank() - axes.size(), reducedSize(x.shape()))
            .dims();
    return x.transpose(order(x.rank())).reshape(shape);
  }

  private Tensor unrows(Tensor r, Shape to) {
    int[] perm = order(to.rank());
    int[] moved = new int[perm.length];
    int[] inverse = new int[perm.length];
    for (int i = 0; i < perm.length; i++) {
      moved[i] = to.dim(perm[i]);
      inverse[perm[i]] = i;
    }
    return r.reshape(moved).transpose(inverse);
  }

  private int reducedSize(Shape s) {
    int n = 1;
    for (int a : axes) {
      n *= s.dim(a);
    }
    return n;
  }

  /** Kept axes first, then the reduced ones. */
  private int[] order(int rank) {
    int[] perm = new int[rank];
    int at = 0;
    for (int i = 0; i < rank; i++) {
      if (!axes.contains(i)) {
        perm[at++] = i;
      }
    }
    for (int a : axes) {
      perm[at++] = a;
    }
    return perm;
  }

  private static Tensor half(Tensor x, int start) {
    int last = x.rank() - 1;
    return x.slice(last, start, x.dim(last), 2);
  }

  /** Appends a one (or a zero tangent) to a last axis of odd extent. */
  private static Tensor even(Tensor x, double value) {
    int last = x.rank() - 1;
    if (x.dim(last) % 2 == 0) {
      return x;
    }
    int[] lo = new int[x.rank()];
    int[] hi = new int[x.rank()];
    hi[last] = 1;
    return x.pad(lo, hi, value);
  }

  private static Tensor productTangent(Tensor p, Tensor t) {
    int last = p.rank() - 1;
    if (p.dim(last) == 0) {
      return t.sum(last);
    }
    while (p.dim(last) > 1) {
      p = even(p, 1);
      t = even(t, 0);
      Tensor a = half(p, 0);
      Tensor b = half(p, 1);
      t = half(t, 0).mul(b).add(a.mul(half(t, 1)));
      p = a.mul(b);
    }
    return t;
  }

  private static Tensor productCotangent(Tensor x, Tensor ct) {
    int last = x.rank() - 1;
    if (x.dim(last) == 0) {
      return x;
    }
    List<Tensor> levels = new ArrayList<>();
    List<Integer> extents = new ArrayList<>();
    Tensor p = x;
    while (p.dim(last) > 1) {
      extents.add(p.dim(last));
      p = even(p, 1);
      levels.add(p);
      p = half(p, 0).mul(half(p, 1));
    }
    Tensor g = ct.expandDims(last);
    for (int i = levels.size() - 1; i >= 0; i--) {
      Tensor a = half(levels.get(i), 0);
      Tensor b = half(levels.get(i), 1);
      Tensor pair = Tensor.stack(last + 1, g.mul(b), g.mul(a));
      g = pair.reshape(levels.get(i).shape()).slice(last, 0, extents.get(i));
    }
    return g;
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    return Tensor.apply(new Reduce(reducer, axes.stream().map(a -> a + 1).toList()), x.get(0));
  }

  @Override
  public Lowering lower() {
    return new Lowering.Reduction(reducer, axes);
  }
}
