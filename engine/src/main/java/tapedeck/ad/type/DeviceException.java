package tapedeck.ad.type;

/** A device is missing, failed, or could not build or run a kernel. */
public class DeviceException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
