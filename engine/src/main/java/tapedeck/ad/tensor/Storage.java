package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;

/** Memory behind a concrete tensor. Closing twice does nothing. */
public interface Storage extends AutoCloseable {

  /** {@return the name of the device that holds the memory} */
  String device();

  /**
   * Waits for the value and copies it, little endian and row-major.
   *
   * @param dst as many bytes as the tensor's elements have
   */
  void read(MemorySegment dst);

  /** {@return whether the memory was given back or taken over by another tensor} */
  boolean isClosed();

  @Override
  void close();
}
