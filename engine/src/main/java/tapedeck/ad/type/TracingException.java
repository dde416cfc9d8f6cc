package tapedeck.ad.type;

/**
 * A traced tensor used where a value is needed, or outside the transform that made it; or a
 * transform applied to a function it does not accept.
 */
public final class TracingException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A misuse that the engine found by itself.
   *
   * @param message such as {@code [vmap] no argument with a tensor is mapped}
   */
  public TracingException(String message) {
    super(message);
  }

  /**
   * As {@link #TracingException(String)}, with the exception that led to it.
   *
   * @param message such as {@code [vmap] no argument with a tensor is mapped}
   * @param cause the error without the caller's line, or null
   */
  public TracingException(String message, Throwable cause) {
    super(message, cause);
  }
}
