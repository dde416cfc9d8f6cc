package tapedeck.ad.type;

/** A tensor or a device was used after it was closed. */
public final class ClosedException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A misuse that the engine found by itself.
   *
   * @param message such as {@code [add] operand f32(3) is closed}
   */
  public ClosedException(String message) {
    super(message);
  }

  /**
   * As {@link #ClosedException(String)}, with the exception that led to it.
   *
   * @param message such as {@code [add] operand f32(3) is closed}
   * @param cause the error without the caller's line, or null
   */
  public ClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
