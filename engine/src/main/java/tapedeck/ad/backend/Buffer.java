package tapedeck.ad.backend;

/** Device memory. Contents are undefined after allocation. Not closed by the garbage collector. */
public interface Buffer extends AutoCloseable {
  /** {@return the size that was asked for, in bytes} */
  long bytes();

  /** Returns the memory to the device. Closing twice does nothing. */
  @Override
  void close();
}
