/**
 * What is measured beside the main job. Input: sizes; output: operands (the same for every device
 * and peer), functions on a device, and what each must at least cost: bytes and operations of its
 * kernels against the measured limits of the device.
 */
package tapedeck.bench.work;
