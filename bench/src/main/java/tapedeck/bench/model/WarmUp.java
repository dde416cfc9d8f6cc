package tapedeck.bench.model;

import tapedeck.cpu.gemm.Gemm;

/** Repetitions before the first sample, in which the JVM compiles what is hot. */
public final class WarmUp {
  private static final int MOST_REPETITIONS = 10_000;

  /** As little below the best time does not count as faster. */
  private static final double FALL = 0.97;

  /** Times the patience after which it is enough. */
  private static final int ENOUGH = 6;

  private WarmUp() {}

  /** Runs something. */
  @FunctionalInterface
  public interface Timed<E extends Exception> {
    /** Runs it n times, and returns the seconds of one. */
    double run(int n) throws E;
  }

  /**
   * Repeats until the time has not fallen for a while and products go at full speed: the JVM
   * compiles what is hot bit by bit.
   *
   * @param patience seconds without a fall
   * @param batch seconds that are timed together, about
   * @return the least seconds
   */
  public static <E extends Exception> double least(double patience, double batch, Timed<E> timed)
      throws E {
    long nanos = (long) (patience * 1e9);
    long start = System.nanoTime();
    long fell = start;
    double best = timed.run(1);
    while (!Gemm.isSettled()
        || (System.nanoTime() - fell < nanos && System.nanoTime() - start < ENOUGH * nanos)) {
      double s = timed.run(Math.clamp((long) (batch / best), 1, MOST_REPETITIONS));
      if (s < FALL * best) {
        fell = System.nanoTime();
      }
      best = Math.min(best, s);
    }
    return best;
  }
}
