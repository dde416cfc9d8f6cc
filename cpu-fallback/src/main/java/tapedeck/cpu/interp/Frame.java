package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;

/**
 * State of one launch: memory of the parameters, position, accumulators and values already computed
 * here.
 */
final class Frame {
  final MemorySegment[] memory;

  /** Watches a parameter that is written, or that shares memory with such a one; else null. */
  final Monitor[] monitors;

  /** Byte offset of a parameter in what its monitor watches. */
  final long[] monitorOffset;

  final long[] loops;
  final double[] accs;
  final double[] memo;
  final long[] memoStep;

  /** Counts iterations of phases, from 1: names one for the monitors and for shared values. */
  long step;

  /** First step of this grid point, and of its current phase. */
  long pointStart;

  long phaseStart;

  Frame(
      MemorySegment[] memory,
      Monitor[] monitors,
      long[] monitorOffset,
      int loops,
      int accs,
      int shared) {
    this.memory = memory;
    this.monitors = monitors;
    this.monitorOffset = monitorOffset;
    this.loops = new long[loops];
    this.accs = new double[accs];
    this.memo = new double[shared];
    this.memoStep = new long[shared];
  }
}
