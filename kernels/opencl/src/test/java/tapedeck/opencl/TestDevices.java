package tapedeck.opencl;

import java.util.List;
import org.junit.jupiter.api.Assumptions;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;

/**
 * Opens the first OpenCL device for a test, which is skipped with a clear message where there is
 * none.
 */
final class TestDevices {
  private TestDevices() {}

  /** The first device with kernels written for a kind of device, {@code cpu} or {@code gpu}. */
  static Device open(String profile) {
    String before = System.getProperty("tapedeck.opencl.profile");
    System.setProperty("tapedeck.opencl.profile", profile);
    try {
      BackendProvider.Discovery found = new OpenClProvider().discover();
      Assumptions.assumeFalse(
          found.devices().isEmpty(), () -> "not tested, no OpenCL device: " + found.rejections());
      return found.devices().getFirst().open();
    } finally {
      restore("tapedeck.opencl.profile", before);
    }
  }

  static void restore(String key, String value) {
    if (value == null) {
      System.clearProperty(key);
    } else {
      System.setProperty(key, value);
    }
  }

  static List<String> profiles() {
    return List.of("cpu", "gpu");
  }
}
