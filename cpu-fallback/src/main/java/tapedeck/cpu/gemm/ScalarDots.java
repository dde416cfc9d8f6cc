package tapedeck.cpu.gemm;

import java.util.Arrays;
import tapedeck.cpu.math.Memory;

/** {@link Dots} without vectors: a partial sum for each lane, added up by halves. */
final class ScalarDots {
  private ScalarDots() {}

  /** As {@link Dots#run}, of float32. */
  static void run32(
      long x0, long x1, long x2, long x3, long y0, long y1, long y2, long y3, long bytes, long out) {
    long[] xs = {x0, x1, x2, x3};
    long[] ys = {y0, y1, y2, y3};
    float[] sums = new float[Lanes.F32.length()];
    for (int r = 0; r < 4; r++) {
      for (int c = 0; c < 4; c++) {
        Arrays.fill(sums, 0);
        for (long at = 0; at < bytes; at += 4L * sums.length) {
          for (int i = 0; i < sums.length; i++) {
            long p = at + 4L * i;
            sums[i] = Math.fma(Memory.getFloat(xs[r] + p), Memory.getFloat(ys[c] + p), sums[i]);
          }
        }
        for (int n = sums.length / 2; n > 0; n /= 2) {
          for (int i = 0; i < n; i++) {
            sums[i] += sums[i + n];
          }
        }
        Memory.putFloat(out + 4L * (4 * r + c), sums[0]);
      }
    }
  }

  /** As {@link Dots#run}, of float64. */
  static void run64(
      long x0, long x1, long x2, long x3, long y0, long y1, long y2, long y3, long bytes, long out) {
    long[] xs = {x0, x1, x2, x3};
    long[] ys = {y0, y1, y2, y3};
    double[] sums = new double[Lanes.F64.length()];
    for (int r = 0; r < 4; r++) {
      for (int c = 0; c < 4; c++) {
        Arrays.fill(sums, 0);
        for (long at = 0; at < bytes; at += 8L * sums.length) {
          for (int i = 0; i < sums.length; i++) {
            long p = at + 8L * i;
            sums[i] = Math.fma(Memory.getDouble(xs[r] + p), Memory.getDouble(ys[c] + p), sums[i]);
          }
        }
        for (int n = sums.length / 2; n > 0; n /= 2) {
          for (int i = 0; i < n; i++) {
            sums[i] += sums[i + n];
          }
        }
        Memory.putDouble(out + 8L * (4 * r + c), sums[0]);
      }
    }
  }
}
