package tapedeck.cpu.jit;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.Settings;

/** A kernel ready to run: generated loops, or a matrix product with generated parts. */
interface CpuKernel {
  Kernel kernel();

  /**
   * Runs the kernel on buffers at these addresses, one per parameter.
   *
   * @param results by parameter whether nothing that runs soon reads what is written there; null if
   *     that holds for all
   */
  void run(WorkerPool pool, long[] addresses, boolean @Nullable [] results);

  /** Runs the kernel by itself. */
  default void run(WorkerPool pool, long[] addresses) {
    run(pool, addresses, null);
  }

  static CpuKernel compile(Kernel kernel, String label, boolean vectors) {
    try {
      if (vectors && Product.suits(kernel)) {
        NarrowProduct narrow = NarrowProduct.of(kernel);
        return narrow != null ? narrow : Product.compile(kernel);
      }
      return vectors && TieredLoops.suits(kernel) && !Settings.TIERS.is("off")
          ? new TieredLoops(kernel, work(kernel))
          : new Loops(
              kernel,
              KernelGen.generate(kernel, vectors ? KernelGen.Code.VECTORS : KernelGen.Code.SCALARS),
              work(kernel));
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new DeviceException("[cpu] kernel " + label + " did not compile: " + e.getMessage(), e);
    }
  }

  /** Rough number of cheap instructions of a kernel. */
  static long work(Kernel kernel) {
    double cost = 0;
    for (Phase p : kernel.phases()) {
      Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      long each = 0;
      for (Expr e : KeptValues.values(p)) {
        each += cost(e, seen);
      }
      cost += (double) each * Contraction.extent(p.loops());
    }
    return (long) Math.min(1e18, cost * kernel.points());
  }

  private static long cost(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return 0;
    }
    long sum = e instanceof Expr.Apply a ? a.op().cost() : 1;
    for (Expr c : e.children()) {
      sum += cost(c, seen);
    }
    return sum;
  }

  /**
   * Generated loops over independent work units.
   *
   * @param streams how results are written around the caches, or null
   */
  record Loops(
      Kernel kernel, KernelGen.Generated generated, long work, @Nullable StreamedWrites streams)
      implements CpuKernel {
    /** Instructions that are worth waking another thread for. */
    static final long ENOUGH = 60_000;

    Loops(Kernel kernel, KernelGen.Generated generated, long work) {
      this(kernel, generated, work, StreamedWrites.of(kernel, generated.work()));
    }

    @Override
    public void run(WorkerPool pool, long[] addresses, boolean @Nullable [] results) {
      long units = generated.units();
      long perUnit = Math.max(1, work / Math.max(1, units));
      long byCost = Math.max(1, ENOUGH / perUnit);
      long grain = Math.max(byCost, units / (pool.threads() * 8L));
      StreamedWrites streamed = streams == null ? null : streams.in(addresses, results);
      pool.run(
          units,
          grain,
          (from, to) -> {
            if (streamed != null) {
              long scratch = Scratch.get(streamed.scratchBytes(generated.scratchBytes()));
              streamed.run(generated, addresses, from, to, scratch);
            } else {
              long scratch = Scratch.get(generated.scratchBytes());
              generated.code().run(addresses, from, to, scratch, null);
            }
          });
    }
  }
}
