package tapedeck.ad.type;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Immutable extents of a tensor, outermost axis first. A scalar has rank 0. Layout is row-major.
 */
public final class Shape {
  public static final Shape SCALAR = new Shape(new int[0]);

  private final int[] dims;
  private final long size;

  private Shape(int[] dims) {
    this.dims = dims;
    long n = 1;
    for (int d : dims) {
      n = Math.multiplyExact(n, (long) d);
    }
    this.size = n;
  }

  /**
   * A shape of the given extents.
   *
   * @throws ShapeException if an extent is negative or there are more than 2^63-1 elements
   */
  public static Shape of(int... dims) {
    for (int d : dims) {
      if (d < 0) {
        throw new ShapeException("[shape] extents must not be negative: " + Arrays.toString(dims));
      }
    }
    try {
      return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    } catch (ArithmeticException e) {
      throw new ShapeException("[shape] too many elements: " + Arrays.toString(dims));
    }
  }

  public int rank() {
    return dims.length;
  }

  /** Extent of an axis; negative axes count from the end. */
  public int dim(int axis) {
    return dims[axis < 0 ? axis + dims.length : axis];
  }

  /** A fresh copy of the extents. */
  public int[] dims() {
    return dims.clone();
  }

  /** Number of elements. */
  public long size() {
    return size;
  }

  /** Row-major strides in elements. */
  public long[] strides() {
    long[] s = new long[dims.length];
    long n = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      s[i] = n;
      n *= dims[i];
    }
    return s;
  }

  /**
   * Axis in [0, rank) for an axis that may count from the end.
   *
   * @throws ShapeException if there is no such axis; {@code op} is named in the message
   */
  public int axis(String op, int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) {
      throw new ShapeException("[" + op + "] axis " + axis + " is out of range for shape " + this);
    }
    return a;
  }

  /** This shape without one axis. */
  public Shape without(int axis) {
    int[] d = new int[dims.length - 1];
    for (int i = 0, j = 0; i < dims.length; i++) {
      if (i != axis) {
        d[j++] = dims[i];
      }
    }
    return of(d);
  }

  /** This shape with an axis of the given extent inserted before position {@code axis}. */
  public Shape with(int axis, int extent) {
    int[] d = new int[dims.length + 1];
    for (int i = 0, j = 0; i < d.length; i++) {
      d[i] = i == axis ? extent : dims[j++];
    }
    return of(d);
  }

  /** NumPy broadcasting of two shapes, or null where they do not broadcast. */
  public static @Nullable Shape broadcast(Shape a, Shape b) {
    int r = Math.max(a.rank(), b.rank());
    int[] d = new int[r];
    for (int i = 0; i < r; i++) {
      int x = i < r - a.rank() ? 1 : a.dims[i - (r - a.rank())];
      int y = i < r - b.rank() ? 1 : b.dims[i - (r - b.rank())];
      if (x != y && x != 1 && y != 1) {
        return null;
      }
      d[i] = x == 1 ? y : x;
    }
    return of(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** As in {@code (2,3)}; a scalar prints {@code ()}. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder("(");
    for (int i = 0; i < dims.length; i++) {
      s.append(i == 0 ? "" : ",").append(dims[i]);
    }
    return s.append(')').toString();
  }
}
