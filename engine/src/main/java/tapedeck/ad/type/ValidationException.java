package tapedeck.ad.type;

/**
 * A check of computed values failed: a kernel against the reference, a gradient against finite
 * differences, or a NaN where none is allowed.
 */
public final class ValidationException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public ValidationException(String message) {
    super(message);
  }

  public ValidationException(String message, Throwable cause) {
    super(message, cause);
  }
}
