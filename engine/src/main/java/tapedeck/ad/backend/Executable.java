package tapedeck.ad.backend;

import java.util.List;

/**
 * A compiled schedule. May be run from several threads; runs do not overlap where they share the
 * arena.
 */
public interface Executable extends AutoCloseable {

  /**
   * Submits all launches once. Buffers have the order of the schedule's inputs and outputs, and at
   * least the slots' sizes; the buffer of an output that shares an input's slot is that input's
   * buffer. Does not wait for the device and allocates nothing on it.
   */
  void run(List<Buffer> inputs, List<Buffer> outputs);

  /** Releases the arena and the compiled kernels that nothing else uses. */
  @Override
  void close();
}
