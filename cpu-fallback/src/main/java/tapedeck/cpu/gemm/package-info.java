/** Matrix products of strided or computed operands, blocked for caches and registers. */
package tapedeck.cpu.gemm;
