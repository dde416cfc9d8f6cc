package tapedeck.cpu.fast;

import tapedeck.ad.kir.Kernel;

/** One launch of an executable, with the addresses of its parameters. */
interface LaunchRunner {
  static LaunchRunner of(Kernel kernel) {
    Vectors vectors = Vectors.ofMachine();
    return GemmPlan.accepts(kernel, vectors)
        ? new GemmRunner(new GemmPlan(kernel, vectors))
        : new LoopRunner(CompiledKernel.of(kernel, vectors, false));
  }

  /** Address of each parameter, filled in before a run. */
  long[] addresses();

  /** Bytes of memory in which a run works. */
  long workBytes();

  void run(WorkerPool pool, long scratch, long work);
}
