package tapedeck.cpu.jit;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;

/**
 * A kernel that begins in scalar code. The JIT takes some hundred milliseconds to compile vector
 * code, which until then is slower than scalar code by a factor of ten or more. So vector code is
 * made only for a kernel that has computed for a while, and one thread at a time tries it on single
 * units until it is the faster one. Both give the same bits.
 */
final class TieredLoops implements CpuKernel {
  /** Nanoseconds in scalar code from which vector code is worth its compilation. */
  private static final long ENOUGH = 20_000_000;

  /** Most units tried: by then the JIT has compiled what it will. */
  private static final int TRIALS = 5000;

  /** Trials on end that must have been faster than scalar code. */
  private static final int FASTER = 3;

  /** A run of a single unit tries vector code once in so many. */
  private static final int TURN = 4;

  private final Kernel kernel;

  /** Units while there is only scalar code. */
  private final WorkUnits first;

  private final long work;
  private final KernelGen.Generated scalar;
  private final AtomicLong nanos = new AtomicLong();
  private final AtomicBoolean trying = new AtomicBoolean();

  /** Vector code, once it is worth while. */
  private volatile Loops vectors;

  private volatile boolean isReady;

  /** Least nanoseconds per element of scalar code. */
  private volatile double best = Double.MAX_VALUE;

  // Of the thread that tries vector code.
  private int trials;
  private int faster;
  private int runs;

  TieredLoops(Kernel kernel, long work) {
    this.kernel = kernel;
    this.work = work;
    long reduced = 1;
    for (Phase p : kernel.phases()) {
      reduced = Math.max(reduced, Contraction.extent(p.loops()));
    }
    this.first = WorkUnits.flat(kernel.points(), Math.max(1, KernelGen.CHUNK / reduced));
    this.scalar = KernelGen.generate(kernel, KernelGen.twin(kernel).orElseThrow());
  }

  /** Whether there is scalar code with the bits of vectors. */
  static boolean suits(Kernel kernel) {
    return KernelGen.twin(kernel).isPresent();
  }

  @Override
  public Kernel kernel() {
    return kernel;
  }

  /** Whether vector code does everything from now on. */
  boolean isReady() {
    return isReady;
  }

  @Override
  public void run(WorkerPool pool, long[] addresses, boolean @Nullable [] results) {
    if (isReady) {
      vectors.run(pool, addresses, results);
      return;
    }
    if (vectors == null && nanos.get() >= ENOUGH) {
      vectors = new Loops(kernel, KernelGen.generate(kernel, KernelGen.Code.VECTORS), work);
    }
    WorkUnits by = vectors == null ? first : vectors.generated().work();
    long units = by.count();
    boolean mayTry = vectors != null && (units > 1 || runs++ % TURN == 0);
    long perUnit = Math.max(1, work / units);
    long grain = Math.max(1, Loops.ENOUGH / perUnit);
    pool.run(
        units,
        grain,
        (from, to) -> {
          if (mayTry && isReady) {
            // Became so during this run.
            inVectors(addresses, from, to);
          } else if (mayTry && trying.compareAndSet(false, true)) {
            // Other threads go on in scalar code and do not have to wait long for one unit.
            try {
              tryUnit(addresses, from);
            } finally {
              trying.set(false);
            }
            inScalars(by, addresses, from + 1, to);
          } else {
            inScalars(by, addresses, from, to);
          }
        });
  }

  private void inScalars(WorkUnits by, long[] addresses, long from, long to) {
    long start = System.nanoTime();
    long scratch = Scratch.get(scalar.scratchBytes());
    long points = 0;
    for (long unit = from; unit < to; unit++) {
      by.forEach(unit, (p, end) -> scalar.code().run(addresses, p, end, scratch, null));
      points += by.points(unit);
    }
    long took = System.nanoTime() - start;
    if (points > 0) {
      nanos.addAndGet(took);
      best = Math.min(best, (double) took / points);
    }
  }

  private void inVectors(long[] addresses, long from, long to) {
    KernelGen.Generated g = vectors.generated();
    g.code().run(addresses, from, to, Scratch.get(g.scratchBytes()), null);
  }

  private void tryUnit(long[] addresses, long unit) {
    KernelGen.Generated g = vectors.generated();
    long start = System.nanoTime();
    inVectors(addresses, unit, unit + 1);
    long took = System.nanoTime() - start;
    faster = (double) took / g.work().points(unit) < best ? faster + 1 : 0;
    isReady = ++trials >= TRIALS || faster >= FASTER;
  }
}
