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

  public abstract Shape shape();

  public abstract DType dtype();

  public abstract int rank();

  public abstract long size();

  /** The same elements in another shape; one extent may be -1 and is then computed. */
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

  public Tensor reshape(Shape to) {
    return to.equals(shape()) ? self() : Tensor.apply(new Movement.Reshape(to), self());
  }

  /** All elements as a vector. */
  public Tensor flatten() {
    return reshape(-1);
  }

  /** Result axis i is axis perm[i]; without arguments the axes are reversed. */
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

  /** Transposed matrix. */
  public Tensor t() {
    if (rank() != 2) {
      throw SourceLine.at(
          new ShapeException("[t] needs a matrix, not " + shape() + "; use swapAxes"));
    }
    return transpose(1, 0);
  }

  public Tensor swapAxes(int a, int b) {
    int[] p = IntStream.range(0, rank()).toArray();
    int i = Tensor.axisOf("swapAxes", self(), a);
    int j = Tensor.axisOf("swapAxes", self(), b);
    p[i] = j;
    p[j] = i;
    return transpose(p);
  }

  /** Moves one axis to another position; the others keep their order. */
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

  public Tensor broadcastTo(int... dims) {
    return broadcastTo(Shape.of(dims));
  }

  /** Stretched to a shape, by NumPy's rules. */
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

  /** Adds an axis of extent 1 before position {@code axis}. */
  public Tensor expandDims(int axis) {
    int a = axis < 0 ? axis + rank() + 1 : axis;
    if (a < 0 || a > rank()) {
      throw SourceLine.at(
          new ShapeException("[expandDims] axis " + axis + " is out of range for " + shape()));
    }
    return reshape(shape().with(a, 1));
  }

  /** Drops an axis of extent 1. */
  public Tensor squeeze(int axis) {
    int a = Tensor.axisOf("squeeze", self(), axis);
    if (shape().dim(a) != 1) {
      throw SourceLine.at(
          new ShapeException("[squeeze] axis " + axis + " of " + shape() + " is not 1"));
    }
    return reshape(shape().without(a));
  }

  /** Elements start, start+1, ... stop-1 along an axis; negative positions count from the end. */
  public Tensor slice(int axis, int start, int stop) {
    return slice(axis, start, stop, 1);
  }

  /**
   * Elements start, start+step, ... before stop along an axis, as Python's {@code start:stop:step}
   * with both positions clipped. A negative step walks backwards; then {@code Integer.MIN_VALUE} as
   * stop means "to the first element".
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

  /** Strided slice of every axis: {@code 0 <= start <= stop <= extent}, {@code step >= 1}. */
  public Tensor slice(int[] start, int[] stop, int[] step) {
    boolean all = start.length == rank();
    for (int i = 0; all && i < rank(); i++) {
      all = start[i] == 0 && stop[i] == shape().dim(i) && step[i] == 1;
    }
    return all
        ? self()
        : Tensor.apply(new Movement.Slice(boxed(start), boxed(stop), boxed(step)), self());
  }

  /** Row {@code i} of the first axis, without that axis; negative counts from the end. */
  public Tensor get(int i) {
    int n = rank() == 0 ? 0 : shape().dim(0);
    int at = i < 0 ? i + n : i;
    if (at < 0 || at >= n) {
      throw SourceLine.at(new ShapeException("[get] " + i + " is out of range for " + shape()));
    }
    return slice(0, at, at + 1).squeeze(0);
  }

  /** Adds {@code lo[i]} and {@code hi[i]} elements of one value before and after every axis. */
  public Tensor pad(int[] lo, int[] hi, double value) {
    List<Integer> gap = IntStream.range(0, lo.length).map(i -> 0).boxed().toList();
    return Tensor.apply(new Movement.Pad(boxed(lo), boxed(hi), gap, dtype().round(value)), self());
  }

  /** Reverses the given axes, or all of them. */
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
