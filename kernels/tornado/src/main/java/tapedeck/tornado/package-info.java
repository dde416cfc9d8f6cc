/**
 * TornadoVM backend. Input: a {@link tapedeck.ad.schedule.Schedule}; output: filled buffers on a
 * device of one of TornadoVM's drivers. {@link tapedeck.tornado.TornadoProvider} finds devices,
 * {@code TapedeckDevice} owns memory and queues, {@code Kernels} loads and keeps kernel classes,
 * {@code TornadoExecutable} replays a schedule as one task graph. Kernels are written by {@code
 * tapedeck.tornado.render}.
 *
 * <p>Only TornadoVM's API is compiled against; its runtime and drivers come with the SDK, whose
 * flags the launcher takes from {@code TORNADOVM_HOME}.
 *
 * <p>Settings of this backend, as system properties:
 *
 * <ul>
 *   <li>{@code tapedeck.tornado.profile} = {@code cpu} or {@code gpu}: writes kernels for that kind
 *       of device whatever the device is, for tests
 *   <li>{@code tapedeck.tornado.frames} = {@code rewritten}: leaves launch frames to TornadoVM,
 *       which writes them, and waits, before every launch
 *   <li>{@code tapedeck.tornado.extensions} = {@code off}: leaves the OpenCL driver's classes as
 *       they are, without instructions and shared queues that it lacks
 * </ul>
 */
package tapedeck.tornado;
