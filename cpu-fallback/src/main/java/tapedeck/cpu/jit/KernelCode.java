package tapedeck.cpu.jit;

/** Generated code of one kernel, or of one part of a matrix product. */
public interface KernelCode {

  /**
   * Does work units {@code from} (inclusive) to {@code to} (exclusive).
   *
   * @param buffers address of every kernel parameter
   * @param scratch address of memory of this thread's own
   * @param tile position and place of a tile, for parts of a matrix product (see {@link TileCode});
   *     else unused
   */
  void run(long[] buffers, long from, long to, long scratch, long[] tile);
}
