package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;

/** Memory behind a concrete tensor. Closing twice does nothing. */
public interface Storage extends AutoCloseable {

  /** Name of the device that holds the memory. */
  String device();

  /** Waits for the value and copies it, little endian and row-major. */
  void read(MemorySegment dst);

  boolean isClosed();

  @Override
  void close();
}
