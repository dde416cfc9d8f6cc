package tapedeck.ad.type;

/** A device has too little free memory for an allocation; the engine stays usable. */
public final class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  public OutOfDeviceMemoryException(String message) {
    super(message);
  }

  public OutOfDeviceMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
