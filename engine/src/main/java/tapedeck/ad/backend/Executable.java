package tapedeck.ad.backend;

import java.util.List;

/**
 * A compiled schedule. May be run from several threads; runs do not overlap where they share the
 * arena.
 */
public interface Executable extends AutoCloseable {

  /**
   * Submits all launches once. Does not wait for the device and allocates nothing on it.
   *
   * @param inputs buffers in the order of the schedule's inputs, at least of their slots' sizes
   * @param outputs buffers in the order of the schedule's outputs; that of an output that shares an
   *     input's slot is that input's buffer
   */
  void run(List<Buffer> inputs, List<Buffer> outputs);

  /** Releases the arena and the compiled kernels that nothing else uses. */
  @Override
  void close();
}
