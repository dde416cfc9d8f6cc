package tapedeck.cpu.fast;

/** Runs a kernel's generated code over its grid. */
final class LoopRunner implements LaunchRunner, WorkerPool.Job {
  private final CompiledKernel kernel;
  private final long[] addresses;
  private long chunk;

  LoopRunner(CompiledKernel kernel) {
    this.kernel = kernel;
    this.addresses = new long[kernel.plan.kernel.params().size()];
  }

  @Override
  public long[] addresses() {
    return addresses;
  }

  @Override
  public long workBytes() {
    return 0;
  }

  @Override
  public void run(WorkerPool pool, long scratch, long work) {
    chunk = kernel.chunk(pool.size());
    pool.run(this, (kernel.points + chunk - 1) / chunk, scratch);
  }

  @Override
  public void run(long task, long scratch) {
    long begin = task * chunk;
    kernel.code.run(addresses, scratch, begin, Math.min(kernel.points, begin + chunk));
  }
}
