package tapedeck.ad.type;

/** Shapes or axes that do not fit an operation. */
public final class ShapeException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A misfit that the engine found by itself.
   *
   * @param message such as {@code [t] needs a matrix, not (3); use swapAxes}
   */
  public ShapeException(String message) {
    super(message);
  }

  /**
   * As {@link #ShapeException(String)}, with the exception that led to it.
   *
   * @param message such as {@code [t] needs a matrix, not (3); use swapAxes}
   * @param cause the error without the caller's line, or null
   */
  public ShapeException(String message, Throwable cause) {
    super(message, cause);
  }
}
