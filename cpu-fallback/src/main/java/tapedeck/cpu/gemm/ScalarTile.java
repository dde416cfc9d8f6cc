package tapedeck.cpu.gemm;

import tapedeck.cpu.math.Memory;

/**
 * A tile without vectors, for the time until the JIT has compiled the one with vectors. Sums have
 * the same bits, since each element adds up its own products in the same order. Native memory is
 * copied first: the JIT's first compiler makes much of reading single elements of it.
 */
record ScalarTile(Form form) implements Tile {
  @Override
  public void run(
      Object a, int from, int lda, int depth, long b, long pitch, long c, long ld, boolean add) {
    if (form.f64()) {
      run64((double[]) a, from, lda, depth, b, pitch, c, ld, add);
    } else {
      run32((float[]) a, from, lda, depth, b, pitch, c, ld, add);
    }
  }

  private void run32(
      float[] a, int from, int lda, int depth, long b, long pitch, long c, long ld, boolean add) {
    int width = form.vectors() * Lanes.F32.length();
    int step = form.step();
    int next = form.byRows() ? lda : 1;
    float[] row = new float[width];
    float[] sums = new float[form.height() * width];
    for (int d = 0; d < depth; d++) {
      Memory.copy(b + d * pitch, row, 0, width);
      for (int r = 0; r < form.height(); r++) {
        float x = a[from + d * step + r * next];
        int to = r * width;
        for (int j = 0; j < width; j++) {
          sums[to + j] = Math.fma(x, row[j], sums[to + j]);
        }
      }
    }
    for (int r = 0; r < form.height(); r++) {
      if (add) {
        Memory.copy(c + r * ld, row, 0, width);
        for (int j = 0; j < width; j++) {
          sums[r * width + j] += row[j];
        }
      }
      Memory.copy(sums, r * width, c + r * ld, width);
    }
  }

  private void run64(
      double[] a, int from, int lda, int depth, long b, long pitch, long c, long ld, boolean add) {
    int width = form.vectors() * Lanes.F64.length();
    int step = form.step();
    int next = form.byRows() ? lda : 1;
    double[] row = new double[width];
    double[] sums = new double[form.height() * width];
    for (int d = 0; d < depth; d++) {
      Memory.copy(b + d * pitch, row, 0, width);
      for (int r = 0; r < form.height(); r++) {
        double x = a[from + d * step + r * next];
        int to = r * width;
        for (int j = 0; j < width; j++) {
          sums[to + j] = Math.fma(x, row[j], sums[to + j]);
        }
      }
    }
    for (int r = 0; r < form.height(); r++) {
      if (add) {
        Memory.copy(c + r * ld, row, 0, width);
        for (int j = 0; j < width; j++) {
          sums[r * width + j] += row[j];
        }
      }
      Memory.copy(sums, r * width, c + r * ld, width);
    }
  }
}
