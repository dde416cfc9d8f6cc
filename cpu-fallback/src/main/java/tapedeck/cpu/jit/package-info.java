/**
 * The CPU backend. Input: a schedule; output: filled buffers. Every distinct kernel becomes one
 * hidden class of JVM bytecode, made with the Class-File API, whose inner loops use the Vector API
 * where it is present; matrix products go to {@code tapedeck.cpu.gemm}.
 *
 * <p>{@link tapedeck.cpu.jit.KernelGen} writes the methods of a kernel. {@link
 * tapedeck.cpu.jit.BlockPlan} decides how expressions are evaluated for a block of values of one
 * loop, {@link tapedeck.cpu.jit.BlockGen} writes that, and {@link tapedeck.cpu.jit.LoopGen} its
 * vector loops.
 */
package tapedeck.cpu.jit;
