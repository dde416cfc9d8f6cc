package tapedeck.tornado.render;

/**
 * What the renderer needs to know of a device.
 *
 * @param gpu whether work-items run side by side, rather than in loops over a group
 * @param extended whether the driver lets kernels take the bits of a float32 and use fused
 *     multiply-add
 * @param fused whether the device computes fused multiply-add by an instruction
 * @param vectorBytes width of a vector register
 * @param computeUnits cores or multiprocessors
 * @param maxGroup largest work-group
 * @param localBytes local memory of one work-group
 * @param small kernels of fewer points are not worth the compile time of the larger forms
 */
public record Target(
    boolean gpu,
    boolean extended,
    boolean fused,
    int vectorBytes,
    int computeUnits,
    int maxGroup,
    long localBytes,
    long small) {
  /** The usual limit for small kernels. */
  public static final long SMALL = 1024;

  /** The same device with kernels in the forms of GPUs or CPU devices, however small they are. */
  public Target forms(boolean gpu) {
    return new Target(gpu, extended, fused, vectorBytes, computeUnits, maxGroup, localBytes, 1);
  }

  /** Whether functions and products may be built on the bits of floats and fused multiply-add. */
  boolean ownMath() {
    return !gpu && extended && fused;
  }

  /** Work-items of a group, for kernels that do not use local memory. */
  long group(long points) {
    long most = Math.min(gpu ? 256 : 1024, maxGroup);
    // Enough groups for all units before groups become large.
    while (most > 64 && points < most * computeUnits * 2L) {
      most /= 2;
    }
    return Math.max(1, Math.min(most, points));
  }
}
