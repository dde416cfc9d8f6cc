/**
 * Reference evaluator: the float64 oracle. Input: a {@link tapedeck.ad.tape.Tape} and host arrays;
 * output: host arrays, computed equation by equation with plain loops. Shares no code with kernels,
 * scheduler or transforms.
 */
package tapedeck.cpu.reference;
