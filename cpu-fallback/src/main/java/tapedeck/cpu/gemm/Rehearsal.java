package tapedeck.cpu.gemm;

import java.lang.foreign.Arena;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import tapedeck.ad.type.Settings;

/**
 * Vector code that is run on a little memory until the JIT has compiled it: before, its vectors are
 * objects, and a product would take a thousand times as long. That happens on a thread of its own
 * while scalar code, which gives the same bits, does the work; or at once where tiers are off.
 *
 * @param <T> what both are
 */
final class Rehearsal<T> {
  /** Runs one of them on memory of 64 vectors, for the i-th time. */
  @FunctionalInterface
  interface Once<T> {
    void run(T code, long memory, int i);
  }

  /** Runs of each kind between two looks at the clock. */
  private static final int RUNS = 64;

  /** Rounds after which the JIT has compiled whatever it will. */
  private static final int ROUNDS = 300;

  /** Rounds on end in which vectors must have been faster. */
  private static final int FASTER = 3;

  private static final ThreadPoolExecutor LATER =
      new ThreadPoolExecutor(
          1,
          1,
          1,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(),
          r -> Thread.ofPlatform().daemon().name("tapedeck-cpu-rehearsal").unstarted(r));

  static {
    LATER.allowCoreThreadTimeOut(true);
  }

  private final T scalar;
  private final Supplier<T> make;
  private final Once<T> once;
  private final AtomicBoolean begun = new AtomicBoolean();
  private volatile T vectors;

  Rehearsal(T scalar, Supplier<T> make, Once<T> once) {
    this.scalar = scalar;
    this.make = make;
    this.once = once;
  }

  /** The faster one at this time. */
  T best() {
    T known = vectors;
    return known != null ? known : atFirst();
  }

  private T atFirst() {
    if (!Settings.TIERS.is("off")) {
      if (begun.compareAndSet(false, true)) {
        LATER.execute(this::rehearse);
      }
      return scalar;
    }
    synchronized (this) {
      if (vectors == null) {
        rehearse();
      }
      return vectors;
    }
  }

  private void rehearse() {
    T made = make.get();
    try (Arena arena = Arena.ofConfined()) {
      long memory = arena.allocate(64L * Lanes.F32.vectorByteSize(), 64).address();
      int faster = 0;
      for (int round = 0; round < ROUNDS && faster < FASTER; round++) {
        long own = time(scalar, memory, round);
        faster = time(made, memory, round) < own ? faster + 1 : 0;
      }
    }
    vectors = made;
  }

  private long time(T code, long memory, int round) {
    long start = System.nanoTime();
    for (int i = 0; i < RUNS; i++) {
      once.run(code, memory, round * RUNS + i);
    }
    return System.nanoTime() - start;
  }
}
