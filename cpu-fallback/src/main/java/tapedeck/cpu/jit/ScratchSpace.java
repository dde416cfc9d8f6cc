package tapedeck.cpu.jit;

/** Lays out the scratch memory of a kernel: areas by their offset from its start. */
final class ScratchSpace {
  private static final long LINE = 64;

  private long next;
  private long peak;

  long allocate(long bytes) {
    long at = next;
    next += (bytes + LINE - 1) / LINE * LINE;
    peak = Math.max(peak, next);
    return at;
  }

  /** What {@link #release} takes to give back all that is allocated from now on. */
  long mark() {
    return next;
  }

  void release(long mark) {
    next = mark;
  }

  /** Most bytes in use at a time. */
  long bytes() {
    return peak;
  }
}
