package tapedeck.opencl.render;

/**
 * What the renderer needs to know of a device.
 *
 * @param profile how work is spread over work-items
 * @param device name of the device, for the tuning table
 * @param vendor name of the vendor, for the tuning table
 * @param computeUnits cores or multiprocessors
 * @param maxGroup largest work-group
 * @param localBytes local memory of one work-group
 * @param vectorBytes width of a vector register on CPU devices, or of one memory access on GPUs
 * @param fma32 whether float32 {@code fma} is done in hardware
 */
public record Target(
    Profile profile,
    String device,
    String vendor,
    int computeUnits,
    int maxGroup,
    long localBytes,
    int vectorBytes,
    boolean fma32) {

  /** How work is spread over work-items. */
  public enum Profile {
    /** Few work-items, each with loops over contiguous vectors; no barriers. */
    CPU,
    /** Many work-items with coalesced accesses; local memory and barriers. */
    GPU
  }
}
