/**
 * Tuning of the kernel templates. Input: what a device is, and databases in JSON; output: the
 * numbers with which each template is written. {@link tapedeck.opencl.tuning.Template} lists the
 * templates with their parameters and rules, {@link tapedeck.opencl.tuning.TuningDatabase} finds
 * the parameters for a device, {@link tapedeck.opencl.tuning.Tuning} holds them.
 */
package tapedeck.opencl.tuning;
