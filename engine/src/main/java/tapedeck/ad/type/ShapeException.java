package tapedeck.ad.type;

/** Shapes or axes that do not fit an operation. */
public final class ShapeException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public ShapeException(String message) {
    super(message);
  }

  public ShapeException(String message, Throwable cause) {
    super(message, cause);
  }
}
