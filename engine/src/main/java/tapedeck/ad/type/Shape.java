package tapedeck.ad.type;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Immutable extents of a tensor, outermost axis first. A scalar has rank 0. Layout is row-major.
 */
public final class Shape {
  /** Rank 0, one element. */
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
   * {@return a shape of the given extents}
   *
   * @param dims extents, outermost first; none for a scalar; the array is copied
   * @throws ShapeException if an extent is negative or there are more than 2^63-1 elements
   */
  public static Shape of(int... dims) {
    for (int d : dims) {
      if (d < 0) {
        throw SourceLine.at(
            new ShapeException("[shape] extents must not be negative: " + Arrays.toString(dims)));
      }
    }
    try {
      return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    } catch (ArithmeticException e) {
      throw SourceLine.at(
          new ShapeException("[shape] too many elements: " + Arrays.toString(dims)));
    }
  }

  /** {@return the number of axes, 0 for a scalar} */
  public int rank() {
    return dims.length;
  }

  /**
   * {@return the extent of an axis}
   *
   * @param axis in [-rank, rank); negative axes count from the end
   * @throws ArrayIndexOutOfBoundsException if there is no such axis
   */
  public int dim(int axis) {
    return dims[axis < 0 ? axis + dims.length : axis];
  }

  /** {@return a fresh copy of the extents} */
  public int[] dims() {
    return dims.clone();
  }

  /** {@return the number of elements: 1 for a scalar, 0 if an extent is 0} */
  public long size() {
    return size;
  }

  /** {@return the row-major strides in elements, 1 for the last axis} */
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
   * {@return the axis in [0, rank) for an axis that may count from the end}
   *
   * @param op operation that the message names
   * @param axis in [-rank, rank)
   * @throws ShapeException if there is no such axis
   */
  public int axis(String op, int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) {
      throw new ShapeException("[" + op + "] axis " + axis + " is out of range for shape " + this);
    }
    return a;
  }

  /**
   * {@return this shape without one axis}
   *
   * @param axis in [0, rank)
   */
  public Shape without(int axis) {
    int[] d = new int[dims.length - 1];
    for (int i = 0, j = 0; i < dims.length; i++) {
      if (i != axis) {
        d[j++] = dims[i];
      }
    }
    return of(d);
  }

  /**
   * {@return this shape with one more axis}
   *
   * @param axis position of the new axis in the result, in [0, rank]
   * @param extent its extent
   * @throws ShapeException if the extent is negative or there are more than 2^63-1 elements
   */
  public Shape with(int axis, int extent) {
    int[] d = new int[dims.length + 1];
    for (int i = 0, j = 0; i < d.length; i++) {
      d[i] = i == axis ? extent : dims[j++];
    }
    return of(d);
  }

  /**
   * {@return the shape to which both broadcast by NumPy's rules, or null where they do not} Axes
   * are matched from the last; an extent of 1 stretches, and a missing axis counts as 1.
   *
   * @param a one shape
   * @param b the other; the order does not matter
   */
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
