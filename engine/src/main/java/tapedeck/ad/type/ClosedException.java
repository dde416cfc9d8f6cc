package tapedeck.ad.type;

/** A tensor or a device was used after it was closed. */
public final class ClosedException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public ClosedException(String message) {
    super(message);
  }

  public ClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
