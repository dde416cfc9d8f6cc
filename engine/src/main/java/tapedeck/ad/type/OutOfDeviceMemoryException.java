package tapedeck.ad.type;

/** A device has too little free memory for an allocation; the engine stays usable. */
public final class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /**
   * An allocation that a device refused.
   *
   * @param message with the bytes that were asked for and those in use
   */
  public OutOfDeviceMemoryException(String message) {
    super(message);
  }

  /**
   * An allocation that failed with another error.
   *
   * @param message with the bytes that were asked for and those in use
   * @param cause the error of the allocator, or null
   */
  public OutOfDeviceMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
