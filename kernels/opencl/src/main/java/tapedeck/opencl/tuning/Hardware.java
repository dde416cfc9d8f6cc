package tapedeck.opencl.tuning;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What parameters are looked up by, and the limits that they must keep.
 *
 * @param profile for which kind of device kernels are written
 * @param device name of the device
 * @param driver version of its driver
 * @param family architecture that devices share, such as {@code sm_90}, {@code gfx90a} or {@code
 *     pocl-512}; empty where it is not known
 * @param vendor name of the vendor
 * @param maxGroup largest work-group
 * @param localBytes local memory of one work-group
 */
public record Hardware(
    Profile profile,
    String device,
    String driver,
    String family,
    String vendor,
    int maxGroup,
    long localBytes) {
  private static final Pattern AMD_TARGET = Pattern.compile("\\bgfx[0-9a-f]+");

  /**
   * The family of a device.
   *
   * @param platform name of the platform
   * @param device name of the device
   * @param computeCapability NVIDIA's compute capability as ten times the major plus the minor
   *     number, 0 for other devices
   * @param vectorBytes width of a vector register
   * @return the family, empty where it is not known
   */
  public static String family(
      String platform, String device, int computeCapability, int vectorBytes) {
    if (computeCapability > 0) {
      return "sm_" + computeCapability;
    }
    if (platform.equals("Portable Computing Language")) {
      // PoCL compiles for the processor; what matters to tiles is the width of its registers.
      return "pocl-" + 8 * vectorBytes;
    }
    Matcher amd = AMD_TARGET.matcher(device);
    return amd.find() ? amd.group() : "";
  }
}
