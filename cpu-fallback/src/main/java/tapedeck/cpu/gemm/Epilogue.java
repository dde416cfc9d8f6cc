package tapedeck.cpu.gemm;

import tapedeck.cpu.math.Memory;

/** Takes the finished blocks of a matrix product; called from several threads at once. */
@FunctionalInterface
public interface Epilogue {
  /**
   * Takes one block: rows m0 to m0 + rows and columns n0 to n0 + cols of the product, in native
   * memory at acc, by rows, ld elements apart. Each element of the product comes in exactly one
   * block; the memory is free again when the call returns.
   */
  void tile(long acc, int ld, int m0, int rows, int n0, int cols);

  /**
   * Stores the product by rows, rowStride elements apart. The target must not overlap the operands:
   * sums are built up in it.
   *
   * @param f64 whether elements are float64
   */
  record Store(long address, long rowStride, boolean f64) implements Epilogue {
    @Override
    public void tile(long acc, int ld, int m0, int rows, int n0, int cols) {
      long size = f64 ? 8 : 4;
      for (int r = 0; r < rows; r++) {
        long to = address + ((m0 + r) * rowStride + n0) * size;
        Memory.copy(acc + (long) r * ld * size, to, cols * size);
      }
    }
  }
}
