package tapedeck.cpu.gemm;

import tapedeck.cpu.math.Memory;

/**
 * A tile without vectors, for the time until the JIT has compiled the one with vectors. Sums have
 * the same bits, since each element adds up its own products in the same order.
 */
record ScalarTile(Form form) implements Tile {
  @Override
  public void run(
      Object a, int from, int lda, int depth, long b, long pitch, long c, long ld, boolean add) {
    int width = form.vectors() * (form.f64() ? Lanes.F64 : Lanes.F32).length();
    int step = form.byRows() ? 1 : form.height();
    int stride = form.byRows() ? lda : 1;
    for (int r = 0; r < form.height(); r++) {
      int row = from + r * stride;
      if (form.f64()) {
        row64((double[]) a, row, step, depth, b, pitch, width, c + r * ld, add);
      } else {
        row32((float[]) a, row, step, depth, b, pitch, width, c + r * ld, add);
      }
    }
  }

  private static void row32(
      float[] a, int row, int step, int depth, long b, long pitch, int width, long c, boolean add) {
    float[] sums = new float[width];
    for (int d = 0; d < depth; d++) {
      float x = a[row + d * step];
      long at = b + d * pitch;
      for (int j = 0; j < sums.length; j++) {
        sums[j] = Math.fma(x, Memory.getFloat(at + 4L * j), sums[j]);
      }
    }
    for (int j = 0; j < width; j++) {
      long at = c + 4L * j;
      Memory.putFloat(at, add ? Memory.getFloat(at) + sums[j] : sums[j]);
    }
  }

  private static void row64(
      double[] a, int row, int step, int depth, long b, long pitch, int width, long c, boolean add) {
    double[] sums = new double[width];
    for (int d = 0; d < depth; d++) {
      double x = a[row + d * step];
      long at = b + d * pitch;
      for (int j = 0; j < sums.length; j++) {
        sums[j] = Math.fma(x, Memory.getDouble(at + 8L * j), sums[j]);
      }
    }
    for (int j = 0; j < width; j++) {
      long at = c + 8L * j;
      Memory.putDouble(at, add ? Memory.getDouble(at) + sums[j] : sums[j]);
    }
  }
}
