package tapedeck.cpu.jit;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;

/**
 * An elementwise kernel, or one along rows, that begins in scalar code. The JIT takes some hundred
 * milliseconds to compile vector code, which until then is slower than scalar code by a factor of
 * ten or more. So vector code is made only for a kernel that has computed for a while, and one
 * thread at a time tries it on single units until it is the faster one. Both give the same bits.
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
  private final long extent;

  /** Points of a work unit while there is only scalar code. */
  private final long first;

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
    this.extent = kernel.points();
    this.work = work;
    boolean isFlat = isFlat(kernel);
    this.first = isFlat ? KernelGen.CHUNK : 1;
    this.scalar =
        KernelGen.generate(kernel, isFlat ? KernelGen.Code.SCALARS : KernelGen.Code.LANES);
  }

  /** Whether scalar code can do any part of the kernel with the bits of vectors. */
  static boolean suits(Kernel kernel) {
    return isFlat(kernel) || KernelGen.isInRows(kernel);
  }

  /** Whether all is one loop over elements. */
  private static boolean isFlat(Kernel kernel) {
    return kernel.contraction().isEmpty()
        && kernel.grid().size() == 1
        && kernel.phases().size() == 1
        && kernel.phases().get(0) instanceof Phase.Emit e
        && e.loops().isEmpty();
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
  public void run(WorkerPool pool, long[] addresses) {
    if (isReady) {
      vectors.run(pool, addresses);
      return;
    }
    if (vectors == null && nanos.get() >= ENOUGH) {
      vectors = new Loops(kernel, KernelGen.generate(kernel, KernelGen.Code.VECTORS), work);
    }
    long unit = vectors == null ? first : vectors.generated().unitExtent();
    long units = (extent + unit - 1) / unit;
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
            inScalars(addresses, (from + 1) * unit, to * unit);
          } else {
            inScalars(addresses, from * unit, to * unit);
          }
        });
  }

  private void inScalars(long[] addresses, long from, long to) {
    long end = Math.min(to, extent);
    if (from >= end) {
      return;
    }
    long start = System.nanoTime();
    scalar.code().run(addresses, from, end, Scratch.get(scalar.scratchBytes()), null);
    long took = System.nanoTime() - start;
    nanos.addAndGet(took);
    best = Math.min(best, (double) took / (end - from));
  }

  private void inVectors(long[] addresses, long from, long to) {
    KernelGen.Generated g = vectors.generated();
    g.code().run(addresses, from, to, Scratch.get(g.scratchBytes()), null);
  }

  private void tryUnit(long[] addresses, long unit) {
    KernelGen.Generated g = vectors.generated();
    long start = System.nanoTime();
    inVectors(addresses, unit, unit + 1);
    long count = Math.min((unit + 1) * g.unitExtent(), extent) - unit * g.unitExtent();
    faster = (double) (System.nanoTime() - start) / count < best ? faster + 1 : 0;
    isReady = ++trials >= TRIALS || faster >= FASTER;
  }
}
