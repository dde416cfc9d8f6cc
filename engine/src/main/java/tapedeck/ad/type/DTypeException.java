package tapedeck.ad.type;

/** An element type that an operation or a device does not accept. */
public final class DTypeException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A wrong type that the engine found by itself.
   *
   * @param message such as {@code [iota] cannot count in bool}
   */
  public DTypeException(String message) {
    super(message);
  }

  /**
   * As {@link #DTypeException(String)}, with the exception that led to it.
   *
   * @param message such as {@code [iota] cannot count in bool}
   * @param cause the error without the caller's line, or null
   */
  public DTypeException(String message, Throwable cause) {
    super(message, cause);
  }
}
