package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/**
 * Products of float32 rows with rows. Sums never use the lane-wise reduction of the Vector API,
 * whose order is open.
 */
final class Few32 {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final long BYTES = S.vectorByteSize();

  private Few32() {}

  /**
   * Sets rows of out (ld bytes apart) to products of rows at x, up to four, with count rows at y:
   * sums along both. Rows lie xPitch and yPitch bytes apart.
   */
  static void dots(
      long x,
      long xPitch,
      int rows,
      long y,
      long yPitch,
      int count,
      int depth,
      long out,
      long ld,
      float[] lanes) {
    int whole = depth - depth % LANES;
    for (int j = 0; j < count; j += 4) {
      int cols = Math.min(4, count - j);
      four(
          whole,
          x,
          x + Math.min(1, rows - 1) * xPitch,
          x + Math.min(2, rows - 1) * xPitch,
          x + (rows - 1) * xPitch,
          y + j * yPitch,
          y + (j + Math.min(1, cols - 1)) * yPitch,
          y + (j + Math.min(2, cols - 1)) * yPitch,
          y + (j + cols - 1) * yPitch,
          lanes);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          // row and column 3 stand for the last ones there are
          int at = ((r == rows - 1 ? 3 : r) * 4 + (c == cols - 1 ? 3 : c)) * LANES;
          float sum = sum(lanes, at);
          for (int p = whole; p < depth; p++) {
            float v = Memory.getFloat(x + r * xPitch + 4L * p);
            sum = Math.fma(v, Memory.getFloat(y + (j + c) * yPitch + 4L * p), sum);
          }
          Memory.putFloat(out + r * ld + 4L * (j + c), sum);
        }
      }
    }
  }

  /** The sum of one vector in an array, by halves. */
  private static float sum(float[] lanes, int at) {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int i = at; i < at + half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[at];
  }

  private static void four(
      int depth,
      long x0,
      long x1,
      long x2,
      long x3,
      long y0,
      long y1,
      long y2,
      long y3,
      float[] lanes) {
    FloatVector zero = FloatVector.zero(S);
    FloatVector c0_0 = zero;
    FloatVector c0_1 = zero;
    FloatVector c0_2 = zero;
    FloatVector c0_3 = zero;
    FloatVector c1_0 = zero;
    FloatVector c1_1 = zero;
    FloatVector c1_2 = zero;
    FloatVector c1_3 = zero;
    FloatVector c2_0 = zero;
    FloatVector c2_1 = zero;
    FloatVector c2_2 = zero;
    FloatVector c2_3 = zero;
    FloatVector c3_0 = zero;
    FloatVector c3_1 = zero;
    FloatVector c3_2 = zero;
    FloatVector c3_3 = zero;
    for (long p = 0; p < 4L * depth; p += BYTES) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, Memory.ALL, y0 + p, nativeOrder());
      FloatVector b1 = FloatVector.fromMemorySegment(S, Memory.ALL, y1 + p, nativeOrder());
      FloatVector b2 = FloatVector.fromMemorySegment(S, Memory.ALL, y2 + p, nativeOrder());
      FloatVector b3 = FloatVector.fromMemorySegment(S, Memory.ALL, y3 + p, nativeOrder());
      FloatVector v;
      v = FloatVector.fromMemorySegment(S, Memory.ALL, x0 + p, nativeOrder());
      c0_0 = v.fma(b0, c0_0);
      c0_1 = v.fma(b1, c0_1);
      c0_2 = v.fma(b2, c0_2);
      c0_3 = v.fma(b3, c0_3);
      v = FloatVector.fromMemorySegment(S, Memory.ALL, x1 + p, nativeOrder());
      c1_0 = v.fma(b0, c1_0);
      c1_1 = v.fma(b1, c1_1);
      c1_2 = v.fma(b2, c1_2);
      c1_3 = v.fma(b3, c1_3);
      v = FloatVector.fromMemorySegment(S, Memory.ALL, x2 + p, nativeOrder());
      c2_0 = v.fma(b0, c2_0);
      c2_1 = v.fma(b1, c2_1);
      c2_2 = v.fma(b2, c2_2);
      c2_3 = v.fma(b3, c2_3);
      v = FloatVector.fromMemorySegment(S, Memory.ALL, x3 + p, nativeOrder());
      c3_0 = v.fma(b0, c3_0);
      c3_1 = v.fma(b1, c3_1);
      c3_2 = v.fma(b2, c3_2);
      c3_3 = v.fma(b3, c3_3);
    }
    c0_0.intoArray(lanes, 0);
    c0_1.intoArray(lanes, LANES);
    c0_2.intoArray(lanes, 2 * LANES);
    c0_3.intoArray(lanes, 3 * LANES);
    c1_0.intoArray(lanes, 4 * LANES);
    c1_1.intoArray(lanes, 5 * LANES);
    c1_2.intoArray(lanes, 6 * LANES);
    c1_3.intoArray(lanes, 7 * LANES);
    c2_0.intoArray(lanes, 8 * LANES);
    c2_1.intoArray(lanes, 9 * LANES);
    c2_2.intoArray(lanes, 10 * LANES);
    c2_3.intoArray(lanes, 11 * LANES);
    c3_0.intoArray(lanes, 12 * LANES);
    c3_1.intoArray(lanes, 13 * LANES);
    c3_2.intoArray(lanes, 14 * LANES);
    c3_3.intoArray(lanes, 15 * LANES);
  }
}
