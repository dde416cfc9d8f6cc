package tapedeck.ad.backend;

import java.util.List;

/**
 * Entry point of a backend, found with {@link java.util.ServiceLoader}. Neither constructing a
 * provider nor asking for its devices may fail because something is missing: that is what {@link
 * Discovery#rejections} is for.
 */
public interface BackendProvider {

  /** Name of the backend, the part of a device name before the colon. */
  String name();

  /** Looks for devices, without allocating anything on them. */
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
    String name();

    DeviceInfo info();

    /**
     * Opens the device.
     *
     * @throws tapedeck.ad.type.DeviceException if it does not open
     */
    Device open();
  }
}
