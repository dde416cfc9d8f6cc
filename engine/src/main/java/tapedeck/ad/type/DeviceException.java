package tapedeck.ad.type;

/** A device is missing, failed, or could not build or run a kernel. */
public class DeviceException extends TapedeckException {
  private static final long serialVersionUID = 1L;

  /**
   * A failure that the engine or a backend found by itself.
   *
   * @param message such as {@code [device] there is no device 'opencl:7'}
   */
  public DeviceException(String message) {
    super(message);
  }

  /**
   * A failure with the exception that led to it.
   *
   * @param message such as {@code [device] there is no device 'opencl:7'}
   * @param cause the driver's or the system's error, or null
   */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
