package tapedeck.ad.run;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import tapedeck.ad.type.DType;

/**
 * Compares the bytes of two tensors. Floats may differ by a share of the largest finite magnitude
 * that is expected (1e-4 for float32, 1e-10 for float64), or by twice that share of their own: sums
 * in another order differ by no more. Everything else must be equal; NaN equals NaN.
 */
final class Difference {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Difference() {}

  static double value(DType type, MemorySegment s, long i) {
    return switch (type) {
      case FLOAT32 -> s.get(FLOAT, 4 * i);
      case FLOAT64 -> s.get(DOUBLE, 8 * i);
      case INT32 -> s.get(INT, 4 * i);
      case BOOL -> s.get(ValueLayout.JAVA_BYTE, i);
    };
  }

  private static double share(DType type) {
    return switch (type) {
      case FLOAT32 -> 1e-4;
      case FLOAT64 -> 1e-10;
      case INT32, BOOL -> 0;
    };
  }

  /** Position of the first element that differs, or -1. */
  static long first(DType type, MemorySegment actual, MemorySegment expected) {
    long n = expected.byteSize() / type.bytes();
    double largest = 0;
    for (long i = 0; i < n; i++) {
      double e = Math.abs(value(type, expected, i));
      largest = Double.isFinite(e) ? Math.max(largest, e) : largest;
    }
    double share = share(type);
    for (long i = 0; i < n; i++) {
      double e = value(type, expected, i);
      double a = value(type, actual, i);
      boolean equal = e == a || (Double.isNaN(e) && Double.isNaN(a));
      if (!equal && !(Math.abs(e - a) <= share * largest)) {
        return i;
      }
    }
    return -1;
  }

  /** Position of the first NaN, or -1. */
  static long firstNan(DType type, MemorySegment s) {
    if (type.isFloat()) {
      for (long i = 0; i < s.byteSize() / type.bytes(); i++) {
        if (Double.isNaN(value(type, s, i))) {
          return i;
        }
      }
    }
    return -1;
  }
}
