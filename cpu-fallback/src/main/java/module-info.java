/**
 * Backends on the CPU: the float64 reference evaluator, the kernel-IR interpreter and the fast
 * backend.
 */
module tapedeck.cpu {
  requires transitive tapedeck.engine;
  requires static jdk.incubator.vector;
  requires static org.jspecify;

  exports tapedeck.cpu.interp;
  exports tapedeck.cpu.reference;
  exports tapedeck.cpu.selfcheck;

  provides tapedeck.ad.backend.BackendProvider with
      tapedeck.cpu.jit.CpuProvider,
      tapedeck.cpu.interp.InterpProvider;
}
