/**
 * Checks every operation on a device. Input: the table {@link tapedeck.cpu.selfcheck.OpSamples} and
 * a {@link tapedeck.ad.backend.Device}; output: a {@link tapedeck.cpu.selfcheck.CheckResult} per
 * operation, element type and check. What is expected comes from the float64 reference evaluator
 * and from finite differences.
 */
package tapedeck.cpu.selfcheck;
