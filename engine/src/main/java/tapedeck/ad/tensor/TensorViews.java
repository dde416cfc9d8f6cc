package tapedeck.ad.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;

/**
 * The methods of {@link Tensor} that only move elements. Inside a kernel all of them are changes of
 * index and copy nothing. Axes and errors are as described there.
 */
public abstract sealed class TensorViews permits TensorMath {
  TensorViews() {}

  abstract Tensor self();

  /** {@return the extents, outermost axis first} */
  public abstract Shape shape();

  /** {@return the element type} */
  public abstract DType dtype();

  /** {@return the number of axes, 0 for a scalar} */
  public abstract int rank();

  /** {@return the number of elements: 1 for a scalar, 0 if an extent is 0} */
  public abstract long size();

  /**
   * {@return the same elements, in row-major order, in another shape}
   *
   * @param dims extents with the product {@link #size}; one may be -1 and is then computed
   */
  public Tensor reshape(int... dims) {
    int[] d = dims.clone();
    int unknown = -1;
    long known = 1;
    for (int i = 0; i < d.length; i++) {
      if (d[i] == -1 && unknown < 0) {
        unknown = i;
      } else {
        known *= d[i];
      }
    }
    if (unknown >= 0) {
      if (known == 0 || size() % known != 0) {
        throw SourceLine.at(
            new ShapeException("[reshape] " + shape() + " does not fit " + Arrays.toString(dims)));
      }
      d[unknown] = (int) (size() / known);
    }
    try {
      return reshape(Shape.of(d));
    } catch (ShapeException e) {
      throw SourceLine.at(e);
    }
  }

  /**
   * {@return the same elements, in row-major order, in another shape}
   *
   * @param to a shape of the same size
   */
  public Tensor reshape(Shape to) {
    return to.equals(shape()) ? self() : Tensor.apply(new Movement.Reshape(to), self());
  }

  /** {@return all elements as a vector, in row-major order} */
  public Tensor flatten() {
    return reshape(-1);
  }

  /**
   * {@return this with its axes in another order}
   *
   * @param perm result axis i is axis perm[i], every axis once; without arguments the axes are
   *     reversed
   */
  public Tensor transpose(int... perm) {
    Integer[] p = new Integer[rank()];
    if (perm.length != 0 && perm.length != rank()) {
      throw SourceLine.at(
          new ShapeException(
              "[transpose] " + Arrays.toString(perm) + " does not permute the axes of " + shape()));
    }
    for (int i = 0; i < p.length; i++) {
      p[i] = perm.length == 0 ? p.length - 1 - i : Tensor.axisOf("transpose", self(), perm[i]);
    }
    return isIdentity(p) ? self() : Tensor.apply(new Movement.Transpose(List.of(p)), self());
  }

  private static boolean isIdentity(Integer[] p) {
    return IntStream.range(0, p.length).allMatch(i -> p[i] == i);
  }

  /** {@return the transposed matrix, (n, m) of (m, n)} Only for rank 2. */
  public Tensor t() {
    if (rank() != 2) {
      throw SourceLine.at(
          new ShapeException("[t] needs a matrix, not " + shape() + "; use swapAxes"));
    }
    return transpose(1, 0);
  }

  /**
   * {@return this with two axes exchanged}
   *
   * @param a one axis
   * @param b the other; if it is the same, nothing changes
   */
  public Tensor swapAxes(int a, int b) {
    int[] p = IntStream.range(0, rank()).toArray();
    int i = Tensor.axisOf("swapAxes", self(), a);
    int j = Tensor.axisOf("swapAxes", self(), b);
    p[i] = j;
    p[j] = i;
    return transpose(p);
  }

  /**
   * {@return this with one axis at another position; the others keep their order}
   *
   * @param from the axis
   * @param to its position in the result
   */
  public Tensor moveAxis(int from, int to) {
    int f = Tensor.axisOf("moveAxis", self(), from);
    int t = Tensor.axisOf("moveAxis", self(), to);
    List<Integer> p = new ArrayList<>();
    for (int i = 0; i < rank(); i++) {
      if (i != f) {
        p.add(i);
      }
    }
    p.add(t, f);
    return transpose(p.stream().mapToInt(Integer::intValue).toArray());
  }

  /**
   * {@return this stretched to a shape, by NumPy's rules}
   *
   * @param dims extents; axes are matched from the last, and only extents of 1 stretch
   */
  public Tensor broadcastTo(int... dims) {
    return broadcastTo(Shape.of(dims));
  }

  /**
   * {@return this stretched to a shape, by NumPy's rules}
   *
   * @param to axes are matched from the last, and only extents of 1 stretch
   */
  public Tensor broadcastTo(Shape to) {
    if (to.equals(shape())) {
      return self();
    }
    Shape joint = Shape.broadcast(shape(), to);
    if (joint == null || !joint.equals(to)) {
      throw SourceLine.at(
          new ShapeException("[broadcastTo] " + shape() + " does not broadcast to " + to));
    }
    int added = to.rank() - rank();
    // A constant stays one: evaluating it while a transform is traced would make it an input of the
    // tape.
    if (self().pending() instanceof Full f) {
      return Tensor.full(f.dtype(), to, f.value());
    }
    if (self().pending() instanceof Iota i && to.dim(added + i.axis()) == i.shape().dim(i.axis())) {
      return Tensor.iota(i.dtype(), to, added + i.axis());
    }
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < rank(); i++) {
      axes.add(added + i);
    }
    return Tensor.apply(new Movement.Broadcast(to, axes), self());
  }

  /**
   * {@return this with one more axis, of extent 1}
   *
   * @param axis position of the new axis in the result, in [-rank-1, rank]
   */
  public Tensor expandDims(int axis) {
    int a = axis < 0 ? axis + rank() + 1 : axis;
    if (a < 0 || a > rank()) {
      throw SourceLine.at(
          new ShapeException("[expandDims] axis " + axis + " is out of range for " + shape()));
    }
    return reshape(shape().with(a, 1));
  }

  /**
   * {@return this without an axis}
   *
   * @param axis an axis of extent 1
   */
  public Tensor squeeze(int axis) {
    int a = Tensor.axisOf("squeeze", self(), axis);
    if (shape().dim(a) != 1) {
      throw SourceLine.at(
          new ShapeException("[squeeze] axis " + axis + " of " + shape() + " is not 1"));
    }
    return reshape(shape().without(a));
  }

  /**
   * {@return elements start, start+1, ... stop-1 along an axis} Positions are clipped as Python's
   * are, so the result may be shorter, or empty.
   *
   * @param axis the axis to cut
   * @param start first position; negative ones count from the end
   * @param stop position after the last; negative ones count from the end
   */
  public Tensor slice(int axis, int start, int stop) {
    return slice(axis, start, stop, 1);
  }

  /**
   * {@return elements start, start+step, ... before stop along an axis, as Python's {@code
   * start:stop:step} with both positions clipped}
   *
   * @param axis the axis to cut
   * @param start first position; negative ones count from the end
   * @param stop position that ends the slice; negative ones count from the end, and {@code
   *     Integer.MIN_VALUE} with a negative step means "to the first element"
   * @param step distance, not 0; a negative step walks backwards
   */
  public Tensor slice(int axis, int start, int stop, int step) {
    int a = Tensor.axisOf("slice", self(), axis);
    int n = shape().dim(a);
    if (step == 0) {
      throw SourceLine.at(new ShapeException("[slice] the step must not be 0"));
    }
    if (step < 0) {
      int from = Math.clamp(start < 0 ? start + n : start, -1, n - 1);
      int until =
          Math.clamp(stop == Integer.MIN_VALUE ? -1 : stop < 0 ? stop + n : stop, -1, n - 1);
      return flip(a).slice(a, n - 1 - from, Math.max(n - 1 - from, n - 1 - until), -step);
    }
    int lo = Math.clamp(start < 0 ? (long) start + n : start, 0, n);
    int hi = Math.clamp(stop < 0 ? (long) stop + n : stop, lo, n);
    int[] s = new int[rank()];
    int[] e = shape().dims();
    int[] st = IntStream.range(0, rank()).map(i -> 1).toArray();
    s[a] = lo;
    e[a] = hi;
    st[a] = step;
    return slice(s, e, st);
  }

  /**
   * {@return a strided slice of every axis} Nothing is clipped or counted from the end here.
   *
   * @param start first position on each axis, {@code 0 <= start <= stop}
   * @param stop position after the last on each axis, at most the extent
   * @param step distance on each axis, at least 1
   */
  public Tensor slice(int[] start, int[] stop, int[] step) {
    boolean all = start.length == rank();
    for (int i = 0; all && i < rank(); i++) {
      all = start[i] == 0 && stop[i] == shape().dim(i) && step[i] == 1;
    }
    return all
        ? self()
        : Tensor.apply(new Movement.Slice(boxed(start), boxed(stop), boxed(step)), self());
  }

  /**
   * {@return one slice along the first axis, without that axis}
   *
   * @param i position in [-n, n) for an extent n; negative ones count from the end
   */
  public Tensor get(int i) {
    int n = rank() == 0 ? 0 : shape().dim(0);
    int at = i < 0 ? i + n : i;
    if (at < 0 || at >= n) {
      throw SourceLine.at(new ShapeException("[get] " + i + " is out of range for " + shape()));
    }
    return slice(0, at, at + 1).squeeze(0);
  }

  /**
   * {@return this with elements of one value added around every axis}
   *
   * @param lo how many before each axis, 0 or more
   * @param hi how many after each axis, 0 or more
   * @param value the new elements, rounded to this type; see {@link DType#round}
   */
  public Tensor pad(int[] lo, int[] hi, double value) {
    List<Integer> gap = IntStream.range(0, lo.length).map(i -> 0).boxed().toList();
    return Tensor.apply(new Movement.Pad(boxed(lo), boxed(hi), gap, dtype().round(value)), self());
  }

  /**
   * {@return this with axes reversed}
   *
   * @param axes which axes; none for all
   */
  public Tensor flip(int... axes) {
    return rank() == 0 ? self() : Tensor.apply(new Movement.Flip(axesOf("flip", axes)), self());
  }

  /** Distinct axes in ascending order; all axes if none are given. */
  List<Integer> axesOf(String op, int... axes) {
    if (axes.length == 0) {
      return IntStream.range(0, rank()).boxed().toList();
    }
    List<Integer> out =
        Arrays.stream(axes)
            .map(a -> Tensor.axisOf(op, self(), a))
            .distinct()
            .sorted()
            .boxed()
            .toList();
    if (out.size() != axes.length) {
      throw SourceLine.at(
          new ShapeException(
              "[" + op + "] an axis occurs twice in " + Arrays.toString(axes) + " of " + shape()));
    }
    return out;
  }

  private static List<Integer> boxed(int[] v) {
    return Arrays.stream(v).boxed().toList();
  }
}
