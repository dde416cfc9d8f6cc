package tapedeck.cpu.gemm;

/** A factor of a matrix product. */
public sealed interface Operand {
  /**
   * A matrix in native memory: element (r, c) is at {@code address} plus {@code r * rowStride + c *
   * colStride} elements. Strides may be 0 or negative.
   */
  record Strided(long address, long rowStride, long colStride) implements Operand {}

  /** A matrix whose elements are computed when they are packed. */
  record Computed(Filler filler) implements Operand {}

  /** Computes blocks of a matrix; called from several threads at once. */
  @FunctionalInterface
  interface Filler {
    /**
     * Writes the elements of rows r0 to r0 + rows and columns c0 to c0 + cols to native memory at
     * dst, by rows, ld elements apart.
     */
    void fill(long dst, int ld, int r0, int rows, int c0, int cols);
  }
}
