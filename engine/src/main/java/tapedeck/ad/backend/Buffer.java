package tapedeck.ad.backend;

/** Device memory. Contents are undefined after allocation. Not closed by the garbage collector. */
public interface Buffer extends AutoCloseable {
  long bytes();

  /** Returns the memory to the device. Closing twice does nothing. */
  @Override
  void close();
}
