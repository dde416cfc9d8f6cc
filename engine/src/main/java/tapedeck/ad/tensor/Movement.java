package tapedeck.ad.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;

/**
 * Primitives that only move elements. All are linear, and all lower to a change of index: the
 * scheduler never copies for them alone.
 */
public sealed interface Movement extends Op {

  /** The same movement applied to another tensor of the operand's shape. */
  private static Tensor again(Movement m, Tensor x) {
    return Tensor.apply(m, x);
  }

  @Override
  default Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return again(this, t.get(0));
  }

  /** Prepends an axis that maps to itself. */
  private static List<Integer> shifted(List<Integer> axes) {
    List<Integer> out = new ArrayList<>();
    out.add(0);
    axes.forEach(a -> out.add(a + 1));
    return out;
  }

  private static List<Integer> prepend(int first, List<Integer> rest) {
    List<Integer> out = new ArrayList<>();
    out.add(first);
    out.addAll(rest);
    return out;
  }

  private static void rank(String op, Aval a, List<?>... lists) {
    for (List<?> l : lists) {
      if (l.size() != a.rank()) {
        throw new ShapeException(
            "[" + op + "] needs one entry per axis of " + a + ", not " + l.size());
      }
    }
  }

  /**
   * Row-major relabelling to another shape of the same size.
   *
   * @param shape shape of the result
   */
  record Reshape(Shape shape) implements Movement {
    @Override
    public String label() {
      return "reshape";
    }

    @Override
    public Aval result(List<Aval> in) {
      if (in.get(0).shape().size() != shape.size()) {
        throw new ShapeException(
            "[reshape] sizes must match: "
                + in.get(0).shape()
                + " -> "
                + shape
                + ", "
                + in.get(0).shape().size()
                + " != "
                + shape.size());
      }
      return in.get(0).withShape(shape);
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      return List.of(ct.reshape(x.get(0).shape()));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return x.get(0).reshape(shape.with(0, size));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            long[] strides = shape.strides();
            Index linear = Index.ZERO;
            for (int i = 0; i < index.size(); i++) {
              linear = linear.plus(index.get(i).times(strides[i]));
            }
            Shape from = in.aval(0).shape();
            long[] steps = from.strides();
            List<Index> source = new ArrayList<>();
            for (int i = 0; i < from.rank(); i++) {
              source.add(
                  from.dim(i) == 1
                      ? Index.ZERO
                      : i == 0 || isLeading(from, i)
                          ? linear.div(steps[i])
                          : linear.div(steps[i]).mod(from.dim(i)));
            }
            return in.at(0, source);
          },
          0);
    }

    /** Whether all axes before this one have extent 1. */
    private static boolean isLeading(Shape s, int axis) {
      for (int i = 0; i < axis; i++) {
        if (s.dim(i) != 1) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * Result axis i is operand axis perm[i].
   *
   * @param perm a permutation of 0 to rank-1
   */
  record Transpose(List<Integer> perm) implements Movement {
    @Override
    public String label() {
      return "transpose" + perm;
    }

    @Override
    public Aval result(List<Aval> in) {
      rank("transpose", in.get(0), perm);
      int[] d = new int[perm.size()];
      boolean[] seen = new boolean[d.length];
      for (int i = 0; i < d.length; i++) {
        int a = in.get(0).shape().axis("transpose", perm.get(i));
        if (seen[a]) {
          throw new ShapeException("[transpose] axis " + a + " occurs twice in " + perm);
        }
        seen[a] = true;
        d[i] = in.get(0).shape().dim(a);
      }
      return in.get(0).withShape(Shape.of(d));
    }

    private List<Integer> inverse() {
      Integer[] inv = new Integer[perm.size()];
      for (int i = 0; i < inv.length; i++) {
        inv[perm.get(i)] = i;
      }
      return List.of(inv);
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      return List.of(Tensor.apply(new Transpose(inverse()), ct));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return Tensor.apply(new Transpose(shifted(perm)), x.get(0));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            Index[] source = new Index[perm.size()];
            for (int i = 0; i < source.length; i++) {
              source[perm.get(i)] = index.get(i);
            }
            return in.at(0, List.of(source));
          },
          0);
    }
  }

  /**
   * Operand axis i becomes result axis axes[i]; an extent of 1 stretches; other result axes are
   * new.
   *
   * @param shape shape of the result
   * @param axes one distinct axis of the result per axis of the operand
   */
  record Broadcast(Shape shape, List<Integer> axes) implements Movement {
    @Override
    public String label() {
      return "broadcast";
    }

    @Override
    public Aval result(List<Aval> in) {
      rank("broadcast", in.get(0), axes);
      for (int i = 0; i < axes.size(); i++) {
        int from = in.get(0).shape().dim(i);
        if (from != 1 && from != shape.dim(axes.get(i))) {
          throw new ShapeException(
              "[broadcast] " + in.get(0).shape() + " does not broadcast to " + shape);
        }
      }
      return in.get(0).withShape(shape);
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      Shape from = x.get(0).shape();
      List<Integer> summed = new ArrayList<>();
      for (int i = 0; i < shape.rank(); i++) {
        int at = axes.indexOf(i);
        if (at < 0 || from.dim(at) != shape.dim(i)) {
          summed.add(i);
        }
      }
      Tensor g =
          summed.isEmpty() ? ct : Tensor.apply(new Reduce(tapedeck.ad.kir.Reducer.SUM, summed), ct);
      return List.of(g.reshape(from));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return Tensor.apply(new Broadcast(shape.with(0, size), shifted(axes)), x.get(0));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            List<Index> source = new ArrayList<>();
            for (int i = 0; i < axes.size(); i++) {
              source.add(in.aval(0).shape().dim(i) == 1 ? Index.ZERO : index.get(axes.get(i)));
            }
            return in.at(0, source);
          },
          0);
    }
  }

  /**
   * Elements start, start+step, ... below stop of every axis.
   *
   * @param start first position on each axis, {@code 0 <= start <= stop}
   * @param stop end on each axis, at most its extent
   * @param step distance on each axis, at least 1
   */
  record Slice(List<Integer> start, List<Integer> stop, List<Integer> step) implements Movement {
    @Override
    public String label() {
      return "slice";
    }

    @Override
    public Aval result(List<Aval> in) {
      rank("slice", in.get(0), start, stop, step);
      int[] d = new int[start.size()];
      for (int i = 0; i < d.length; i++) {
        int n = in.get(0).shape().dim(i);
        if (start.get(i) < 0 || stop.get(i) > n || start.get(i) > stop.get(i) || step.get(i) < 1) {
          throw new ShapeException(
              "[slice] "
                  + start.get(i)
                  + ":"
                  + stop.get(i)
                  + ":"
                  + step.get(i)
                  + " is out of range for axis "
                  + i
                  + " of "
                  + in.get(0).shape());
        }
        d[i] = (stop.get(i) - start.get(i) + step.get(i) - 1) / step.get(i);
      }
      return in.get(0).withShape(Shape.of(d));
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      List<Integer> lo = start;
      List<Integer> hi = new ArrayList<>();
      List<Integer> gap = new ArrayList<>();
      for (int i = 0; i < start.size(); i++) {
        int n = ct.shape().dim(i);
        int used = n == 0 ? 0 : (n - 1) * step.get(i) + 1;
        hi.add(x.get(0).shape().dim(i) - start.get(i) - used);
        gap.add(step.get(i) - 1);
      }
      return List.of(Tensor.apply(new Pad(lo, hi, gap, 0), ct));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return Tensor.apply(
          new Slice(prepend(0, start), prepend(size, stop), prepend(1, step)), x.get(0));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            List<Index> source = new ArrayList<>();
            for (int i = 0; i < index.size(); i++) {
              source.add(index.get(i).times(step.get(i)).plus(start.get(i)));
            }
            return in.at(0, source);
          },
          0);
    }
  }

  /**
   * Adds {@code lo} and {@code hi} constants around every axis and {@code gap} between neighbours.
   *
   * @param lo constants before each axis, 0 or more
   * @param hi constants after each axis, 0 or more
   * @param gap constants between neighbours on each axis, 0 or more
   * @param value the constant, which the operand's type represents
   */
  record Pad(List<Integer> lo, List<Integer> hi, List<Integer> gap, double value)
      implements Movement {
    @Override
    public String label() {
      return "pad";
    }

    @Override
    public Aval result(List<Aval> in) {
      rank("pad", in.get(0), lo, hi, gap);
      int[] d = new int[lo.size()];
      for (int i = 0; i < d.length; i++) {
        int n = in.get(0).shape().dim(i);
        if (lo.get(i) < 0 || hi.get(i) < 0 || gap.get(i) < 0) {
          throw new ShapeException(
              "[pad] widths must not be negative: " + lo + " " + hi + " " + gap);
        }
        d[i] = lo.get(i) + hi.get(i) + n + Math.max(0, n - 1) * gap.get(i);
      }
      return in.get(0).withShape(Shape.of(d));
    }

    @Override
    public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
      return Tensor.apply(new Pad(lo, hi, gap, 0), t.get(0));
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      List<Integer> stop = new ArrayList<>();
      List<Integer> step = new ArrayList<>();
      for (int i = 0; i < lo.size(); i++) {
        int n = x.get(0).shape().dim(i);
        stop.add(lo.get(i) + (n == 0 ? 0 : (n - 1) * (gap.get(i) + 1) + 1));
        step.add(gap.get(i) + 1);
      }
      return List.of(Tensor.apply(new Slice(lo, stop, step), ct));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return Tensor.apply(
          new Pad(prepend(0, lo), prepend(0, hi), prepend(0, gap), value), x.get(0));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            List<Index> source = new ArrayList<>();
            List<Expr.Bound> bounds = new ArrayList<>();
            for (int i = 0; i < index.size(); i++) {
              Index at = index.get(i).plus(-lo.get(i));
              int n = in.aval(0).shape().dim(i);
              int step = gap.get(i) + 1;
              long span = n == 0 ? 0 : (long) (n - 1) * step + 1;
              if (at.min() < 0 || at.max() >= span) {
                bounds.add(new Expr.Bound(at, 0, span));
              }
              if (step > 1) {
                bounds.add(new Expr.Bound(at.mod(step), 0, 1));
              }
              source.add(at.div(step));
            }
            Expr inner = in.at(0, source);
            return bounds.isEmpty()
                ? inner
                : new Expr.Guarded(bounds, inner, Expr.constant(result.dtype(), value));
          },
          1);
    }
  }

  /**
   * Joins operands of one type, which agree on all other axes.
   *
   * @param axis in [0, rank)
   */
  record Concatenate(int axis) implements Movement {
    @Override
    public String label() {
      return "concat<" + axis + ">";
    }

    @Override
    public Aval result(List<Aval> in) {
      int[] d = in.get(0).shape().dims();
      d[axis] = 0;
      for (Aval a : in) {
        if (a.dtype() != in.get(0).dtype()) {
          throw new DTypeException("[concat] operands must have one type: " + in + "; use cast");
        }
        if (a.rank() != d.length
            || !a.shape().without(axis).equals(in.get(0).shape().without(axis))) {
          throw new ShapeException("[concat] operands must agree but on axis " + axis + ": " + in);
        }
        d[axis] += a.shape().dim(axis);
      }
      return in.get(0).withShape(Shape.of(d));
    }

    @Override
    public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
      Tensor[] ts = new Tensor[x.size()];
      for (int i = 0; i < ts.length; i++) {
        ts[i] = t.get(i) == null ? x.get(i).zerosLike() : t.get(i);
      }
      return Tensor.apply(this, ts);
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      Tensor[] out = new Tensor[x.size()];
      int at = 0;
      for (int i = 0; i < out.length; i++) {
        int n = x.get(i).dim(axis);
        out[i] = wanted[i] ? ct.slice(axis, at, at + n) : null;
        at += n;
      }
      return Arrays.asList(out);
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      Tensor[] in = new Tensor[x.size()];
      for (int i = 0; i < in.length; i++) {
        in[i] = batched[i] ? x.get(i) : x.get(i).broadcastTo(x.get(i).shape().with(0, size));
      }
      return Tensor.apply(new Concatenate(axis + 1), in);
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            Expr out = Expr.constant(result.dtype(), 0);
            int end = result.shape().dim(axis);
            for (int i = in.count() - 1; i >= 0; i--) {
              int n = in.aval(i).shape().dim(axis);
              int begin = end - n;
              if (n > 0) {
                List<Index> source = new ArrayList<>(index);
                source.set(axis, index.get(axis).plus(-begin));
                Expr part = in.at(i, source);
                boolean whole = n == result.shape().dim(axis);
                out =
                    whole
                        ? part
                        : new Expr.Guarded(
                            List.of(new Expr.Bound(index.get(axis), begin, end)), part, out);
              }
              end = begin;
            }
            return out;
          },
          1);
    }
  }

  /**
   * Reverses some axes.
   *
   * @param axes distinct axes in [0, rank)
   */
  record Flip(List<Integer> axes) implements Movement {
    @Override
    public String label() {
      return "flip" + axes;
    }

    @Override
    public Aval result(List<Aval> in) {
      axes.forEach(a -> in.get(0).shape().axis("flip", a));
      return in.get(0);
    }

    @Override
    public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
      return Collections.singletonList(Tensor.apply(this, ct));
    }

    @Override
    public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
      return Tensor.apply(new Flip(axes.stream().map(a -> a + 1).toList()), x.get(0));
    }

    @Override
    public Lowering lower() {
      return new Lowering.Map(
          (in, result, index) -> {
            List<Index> source = new ArrayList<>(index);
            for (int a : axes) {
              source.set(a, index.get(a).times(-1).plus(result.shape().dim(a) - 1));
            }
            return in.at(0, source);
          },
          0);
    }
  }
}
