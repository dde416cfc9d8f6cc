package tapedeck.ad.backend;

import java.util.List;

/**
 * Entry point of a backend, found with {@link java.util.ServiceLoader}. Neither constructing a
 * provider nor asking for its devices may fail because something is missing: that is what {@link
 * Discovery#rejections} is for.
 */
public interface BackendProvider {

  /** {@return the name of the backend, the part of a device name before the colon} */
  String name();

  /** {@return what there is; looks without allocating anything on a device} */
  Discovery discover();

  /**
   * What was found.
   *
   * @param devices usable devices, best first
   * @param rejections one line for each platform or device that cannot be used, with the reason
   */
  record Discovery(List<Candidate> devices, List<String> rejections) {}

  /** A device that can be opened. */
  interface Candidate {
    /** {@return the name by which the device is opened, such as {@code cpu} or {@code opencl:0}} */
    String name();

    /** {@return what the device is, without opening it} */
    DeviceInfo info();

    /**
     * Opens the device.
     *
     * @return a device that the caller closes
     * @throws tapedeck.ad.type.DeviceException if it does not open
     */
    Device open();
  }
}
