/**
 * TornadoVM backend. Input: a {@link tapedeck.ad.schedule.Schedule}; output: filled buffers on a
 * device of one of TornadoVM's drivers. {@link tapedeck.tornado.TornadoProvider} finds devices,
 * {@code TapedeckDevice} owns memory and queues, {@code Kernels} loads and keeps kernel classes,
 * {@code TornadoExecutable} replays a schedule as one task graph. Kernels are written by {@code
 * tapedeck.tornado.render}.
 *
 * <p>Only TornadoVM's API is compiled against; its runtime and drivers come with the SDK, whose
 * flags the launcher takes from {@code TORNADOVM_HOME}.
 */
package tapedeck.tornado;
