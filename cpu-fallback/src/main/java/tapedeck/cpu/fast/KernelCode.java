package tapedeck.cpu.fast;

/** A compiled kernel. */
interface KernelCode {
  /**
   * Runs a range of grid points, numbered in row-major order of the plan's grid loops.
   *
   * @param addresses address of each kernel parameter
   * @param scratch {@link Plan#scratchBytes} bytes of the calling thread's own memory
   */
  void run(long[] addresses, long scratch, long begin, long end);
}
