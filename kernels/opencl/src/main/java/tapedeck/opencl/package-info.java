/**
 * OpenCL backend. Input: a {@link tapedeck.ad.schedule.Schedule}; output: filled buffers on an
 * OpenCL 1.2 device of any vendor. {@link tapedeck.opencl.OpenClProvider} finds devices, {@code
 * OpenClDevice} owns context, queue and memory, {@code Programs} builds and caches programs, {@code
 * OpenClExecutable} replays a schedule. Kernels are written by {@code tapedeck.opencl.render}, with
 * parameters that {@code tapedeck.opencl.tuning} finds for the device.
 *
 * <p>Settings of this backend, as system properties:
 *
 * <ul>
 *   <li>{@code tapedeck.opencl.profile} = {@code cpu} or {@code gpu}: writes kernels for that kind
 *       of device whatever the device is, for tests
 *   <li>{@code tapedeck.opencl.memory} = bytes: a device opened with it has at most this much
 *       memory, for tests
 *   <li>{@code tapedeck.opencl.profiling} = {@code on}: a device opened with it times every kernel,
 *       see {@link tapedeck.opencl.Profiled}
 *   <li>{@code tapedeck.opencl.binaries} = {@code on} or {@code off}: whether program binaries are
 *       kept in the folder {@code tapedeck.cache.dir}; by default on every platform but PoCL, which
 *       has a cache of its own
 *   <li>{@code tapedeck.opencl.command-buffer} = {@code on}: runs with the same buffers as the run
 *       before are one call, where the device can do that; read when a device is opened, like the
 *       next two
 *   <li>{@code tapedeck.opencl.queues} = {@code 2}: what is independent may run side by side
 *   <li>{@code tapedeck.opencl.staging} = {@code on} or {@code off}: whether transfers go through
 *       page-locked memory; by default where the device does not share the host's memory
 * </ul>
 */
package tapedeck.opencl;
