package tapedeck.ad.type;

/**
 * Base of every exception that Tapedeck throws on purpose. The message names the operation and what
 * is wrong.
 */
public class TapedeckException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * An error that the engine found by itself.
   *
   * @param message the operation in brackets, then what is wrong
   */
  public TapedeckException(String message) {
    super(message);
  }

  /**
   * An error with the exception that led to it.
   *
   * @param message the operation in brackets, then what is wrong
   * @param cause what went wrong below, or null
   */
  public TapedeckException(String message, Throwable cause) {
    super(message, cause);
  }
}
