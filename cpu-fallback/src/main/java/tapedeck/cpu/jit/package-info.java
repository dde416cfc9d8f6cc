/**
 * The CPU backend. Input: a schedule; output: filled buffers. Every distinct kernel becomes one
 * hidden class of JVM bytecode, made with the Class-File API, whose inner loops use the Vector API
 * where it is present; matrix products go to {@code tapedeck.cpu.gemm}.
 */
package tapedeck.cpu.jit;
