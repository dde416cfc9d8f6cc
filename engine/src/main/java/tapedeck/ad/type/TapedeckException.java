package tapedeck.ad.type;

/**
 * Base of every exception that Tapedeck throws on purpose. The message names the operation and what
 * is wrong.
 */
public class TapedeckException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TapedeckException(String message) {
    super(message);
  }

  public TapedeckException(String message, Throwable cause) {
    super(message, cause);
  }
}
