package tapedeck.ad.type;

/** A file is missing, truncated or not of the expected format. */
public final class DataException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A file whose contents are wrong.
   *
   * @param message with the file and what is wrong in it
   */
  public DataException(String message) {
    super(message);
  }

  /**
   * A file that could not be read.
   *
   * @param message with the file and what is wrong with it
   * @param cause the error of the file system, or null
   */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
