/**
 * The fast CPU backend. Input: schedules of kernel-IR kernels; output: JVM bytecode, made with the
 * Class-File API, that runs them on native memory with the Vector API (where the module is present)
 * and threads. A kernel passes through {@link tapedeck.cpu.fast.Lowering} (typed scalar graph),
 * {@link tapedeck.cpu.fast.Plan} (loop order, vector loop) and {@link tapedeck.cpu.fast.CodeGen}
 * (bytecode); matrix products may go to {@link tapedeck.cpu.fast.GemmPlan}.
 */
package tapedeck.cpu.fast;
