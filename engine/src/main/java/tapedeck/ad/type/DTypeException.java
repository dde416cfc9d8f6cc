package tapedeck.ad.type;

/** An element type that an operation or a device does not accept. */
public final class DTypeException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public DTypeException(String message) {
    super(message);
  }

  public DTypeException(String message, Throwable cause) {
    super(message, cause);
  }
}
