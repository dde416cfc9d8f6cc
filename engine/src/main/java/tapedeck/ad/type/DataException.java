package tapedeck.ad.type;

/** A file is missing, truncated or not of the expected format. */
public final class DataException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public DataException(String message) {
    super(message);
  }

  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
