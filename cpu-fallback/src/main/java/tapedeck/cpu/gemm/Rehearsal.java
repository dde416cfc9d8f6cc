package tapedeck.cpu.gemm;

import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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

  /** Runs between two looks at the clock. */
  private static final int RUNS = 64;

  /** Rounds after which the JIT has compiled whatever it will. */
  private static final int ROUNDS = 300;

  /**
   * New code that is tried where the JIT seems stuck. While HotSpot's second compiler is busy, its
   * first one compiles without a profile; if that succeeds, and then fails for want of virtual
   * registers when a profile is to be taken, the method never gets to the second compiler. Later,
   * when that is idle, the first one fails at once, and the interpreter takes the profile.
   */
  private static final int ATTEMPTS = 3;

  /** Rounds on end that must have been fast. */
  private static final int FAST_ROUNDS = 3;

  /**
   * Nanoseconds of a run that tell: some fifty vector instructions take a tenth of that, and with
   * vectors that are objects ten times as much.
   */
  private static final long FAST = 1000;

  /**
   * Milliseconds before rehearsals begin: they make the JIT compile half of the Vector API, and
   * scalar code is to be first in its queue.
   */
  private static final long DELAY = 250;

  /** Rehearsals that have begun on threads of their own and not ended. */
  private static final AtomicInteger PENDING = new AtomicInteger();

  /** Held by the one that is at it. */
  private static final Lock STAGE = new ReentrantLock();

  private final T scalar;
  private final Supplier<T> make;
  private final Once<T> once;
  private final AtomicBoolean begun = new AtomicBoolean();
  private volatile @Nullable T vectors;

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

  /** The vector code if it is rehearsed, else null. */
  @Nullable T ready() {
    return vectors;
  }

  T scalar() {
    return scalar;
  }

  /** New vector code. */
  T made() {
    return make.get();
  }

  private T atFirst() {
    if (!Settings.TIERS.is("off")) {
      if (begun.compareAndSet(false, true)) {
        PENDING.incrementAndGet();
        Thread.ofPlatform().daemon().name("tapedeck-cpu-rehearsal").start(this::later);
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

  /** Whether nothing goes by scalar code now that will go by vectors later. */
  static boolean noneArePending() {
    return PENDING.get() == 0;
  }

  private void later() {
    try {
      Thread.sleep(DELAY);
      STAGE.lock();
      try {
        rehearse();
      } finally {
        STAGE.unlock();
      }
    } catch (InterruptedException e) {
      // Nobody has this thread; whoever interrupts it wants no vectors.
    } finally {
      PENDING.decrementAndGet();
    }
  }

  private void rehearse() {
    T made = make.get();
    try (Arena arena = Arena.ofConfined()) {
      long memory = arena.allocate(64L * Lanes.F32.vectorByteSize(), 64).address();
      for (int more = ATTEMPTS; !getsFast(made, memory) && --more > 0; ) {
        made = make.get();
      }
    }
    vectors = made;
  }

  /** Runs code until the JIT has compiled it, or seems not to. */
  private boolean getsFast(T made, long memory) {
    int fast = 0;
    for (int round = 0; round < ROUNDS && fast < FAST_ROUNDS; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < RUNS; i++) {
        once.run(made, memory, i);
      }
      fast = System.nanoTime() - start < RUNS * FAST ? fast + 1 : 0;
    }
    return fast == FAST_ROUNDS;
  }
}
