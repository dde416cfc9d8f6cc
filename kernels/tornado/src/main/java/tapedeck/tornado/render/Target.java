package tapedeck.tornado.render;

/**
 * What the renderer needs to know of a device.
 *
 * @param gpu whether work-items run side by side, rather than in loops over a group
 * @param computeUnits cores or multiprocessors
 * @param maxGroup largest work-group
 * @param localBytes local memory of one work-group
 * @param small kernels of fewer points are not worth the compile time of the larger forms
 */
public record Target(boolean gpu, int computeUnits, int maxGroup, long localBytes, long small) {
  private static final long SMALL = 1024;

  /** With the usual limit for small kernels. */
  public Target(boolean gpu, int computeUnits, int maxGroup, long localBytes) {
    this(gpu, computeUnits, maxGroup, localBytes, SMALL);
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
