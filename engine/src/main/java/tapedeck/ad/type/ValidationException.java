package tapedeck.ad.type;

/**
 * A check of computed values failed: a kernel against the reference, a gradient against finite
 * differences, or a NaN where none is allowed.
 */
public final class ValidationException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A check that failed.
   *
   * @param message with what was checked, what was found and what was expected
   */
  public ValidationException(String message) {
    super(message);
  }

  /**
   * As {@link #ValidationException(String)}, with the exception that led to it.
   *
   * @param message with what was checked, what was found and what was expected
   * @param cause the error without the caller's line, or null
   */
  public ValidationException(String message, Throwable cause) {
    super(message, cause);
  }
}
