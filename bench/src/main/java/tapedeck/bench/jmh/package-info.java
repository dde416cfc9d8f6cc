/**
 * Micro-benchmarks, run with {@code ./tapedeck jmh}. The device is a parameter: {@code -p
 * device=cpu,opencl:0}. Every benchmark waits for the device before it ends, so that its time is
 * that of the work and not only of its submission, unless it says otherwise.
 */
package tapedeck.bench.jmh;
