/**
 * Runs tapes on devices. Input: tapes and concrete tensors; output: concrete tensors. Schedules are
 * compiled once per tape, device and settings; device memory is owned by tensors, pooled when they
 * are closed, and given back under pressure.
 */
package tapedeck.ad.run;
