package tapedeck.ad.type;

/**
 * A traced tensor used where a value is needed, or outside the transform that made it; or a
 * transform applied to a function it does not accept.
 */
public final class TracingException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public TracingException(String message) {
    super(message);
  }

  public TracingException(String message, Throwable cause) {
    super(message, cause);
  }
}
