package tapedeck.bench.model;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads of other libraries that look for work for a while after their last. OpenBLAS's do so for
 * up to 2^28 ticks of the processor's clock, 105 ms at 2.6 GHz, and with two processors Linux
 * leaves both threads of whoever computes next on the other one, which halves its speed.
 */
public final class Spinning {
  private static final long MILLIS = 150;

  private Spinning() {}

  /** Waits until they sleep, so that what is measured next has all processors. */
  public static void waitOut() {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MILLIS);
    for (long left; (left = end - System.nanoTime()) > 0; ) {
      LockSupport.parkNanos(left);
    }
  }
}
