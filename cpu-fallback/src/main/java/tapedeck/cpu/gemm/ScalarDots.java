package tapedeck.cpu.gemm;

import java.util.Arrays;
import tapedeck.cpu.math.Memory;

/** {@link Dots} without vectors: a partial sum for each lane, added up by halves. */
final class ScalarDots {
  private ScalarDots() {}

  /** As {@link Dots#run}, of float32. */
  static void run32(
      long x0,
      long x1,
      long x2,
      long x3,
      long y0,
      long y1,
      long y2,
      long y3,
      long bytes,
      long out) {
    float[][] x = rows32(bytes, x0, x1, x2, x3);
    float[][] y = rows32(bytes, y0, y1, y2, y3);
    float[] sums = new float[Lanes.F32.length()];
    float[] dots = new float[16];
    for (int i = 0; i < 16; i++) {
      float[] a = x[i / 4];
      float[] b = y[i % 4];
      Arrays.fill(sums, 0);
      for (int p = 0; p < a.length; p += sums.length) {
        for (int l = 0; l < sums.length; l++) {
          sums[l] = Math.fma(a[p + l], b[p + l], sums[l]);
        }
      }
      for (int n = sums.length / 2; n > 0; n /= 2) {
        for (int l = 0; l < n; l++) {
          sums[l] += sums[l + n];
        }
      }
      dots[i] = sums[0];
    }
    Memory.copy(dots, 0, out, 16);
  }

  private static float[][] rows32(long bytes, long... addresses) {
    float[][] rows = new float[addresses.length][(int) (bytes / 4)];
    for (int r = 0; r < rows.length; r++) {
      Memory.copy(addresses[r], rows[r], 0, rows[r].length);
    }
    return rows;
  }

  /** As {@link Dots#run}, of float64. */
  static void run64(
      long x0,
      long x1,
      long x2,
      long x3,
      long y0,
      long y1,
      long y2,
      long y3,
      long bytes,
      long out) {
    double[][] x = rows64(bytes, x0, x1, x2, x3);
    double[][] y = rows64(bytes, y0, y1, y2, y3);
    double[] sums = new double[Lanes.F64.length()];
    double[] dots = new double[16];
    for (int i = 0; i < 16; i++) {
      double[] a = x[i / 4];
      double[] b = y[i % 4];
      Arrays.fill(sums, 0);
      for (int p = 0; p < a.length; p += sums.length) {
        for (int l = 0; l < sums.length; l++) {
          sums[l] = Math.fma(a[p + l], b[p + l], sums[l]);
        }
      }
      for (int n = sums.length / 2; n > 0; n /= 2) {
        for (int l = 0; l < n; l++) {
          sums[l] += sums[l + n];
        }
      }
      dots[i] = sums[0];
    }
    Memory.copy(dots, 0, out, 16);
  }

  private static double[][] rows64(long bytes, long... addresses) {
    double[][] rows = new double[addresses.length][(int) (bytes / 8)];
    for (int r = 0; r < rows.length; r++) {
      Memory.copy(addresses[r], rows[r], 0, rows[r].length);
    }
    return rows;
  }
}
