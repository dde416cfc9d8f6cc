package tapedeck.opencl;

import org.jocl.CL;
import org.jocl.cl_context;
import org.jocl.cl_mem;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.TapedeckException;

/**
 * Allocates device memory and counts it exactly; sub-buffers are not counted, they share their
 * buffer's memory.
 */
final class Memory {
  private final cl_context context;
  private final String device;
  private final long limit;
  private final long largest;
  private long live;
  private long peak;
  private long buffers;
  private long allocations;

  Memory(cl_context context, Description d) {
    this.context = context;
    this.device = d.name();
    this.largest = d.maxAllocation();
    String set = System.getProperty("tapedeck.opencl.memory", "");
    long total = d.info().memoryBytes();
    try {
      this.limit = set.isEmpty() ? total : Math.min(total, Long.parseLong(set));
    } catch (NumberFormatException e) {
      throw new TapedeckException(
          "[settings] tapedeck.opencl.memory must be a number of bytes, not '" + set + "'", e);
    }
  }

  /**
   * A new buffer. Drivers may allocate late, so the device's size is checked here too.
   *
   * @throws OutOfDeviceMemoryException if there is no room
   */
  synchronized cl_mem allocate(long bytes) {
    if (bytes > limit - live) {
      throw full(bytes, "the device's memory is full");
    }
    int[] status = new int[1];
    // NB: OpenCL has no empty buffers; one element of the widest type stands for it.
    cl_mem mem =
        CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, Math.max(bytes, 64), null, status);
    switch (status[0]) {
      case CL.CL_SUCCESS -> {}
      case CL.CL_MEM_OBJECT_ALLOCATION_FAILURE,
          CL.CL_OUT_OF_RESOURCES,
          CL.CL_OUT_OF_HOST_MEMORY,
          CL.CL_INVALID_BUFFER_SIZE ->
          throw full(bytes, "clCreateBuffer gave " + Cl.name(status[0]));
      default -> Cl.check(status[0], "clCreateBuffer of " + bytes + " bytes");
    }
    live += bytes;
    peak = Math.max(peak, live);
    buffers++;
    allocations++;
    return mem;
  }

  private OutOfDeviceMemoryException full(long bytes, String why) {
    return new OutOfDeviceMemoryException(
        "[opencl] no room for "
            + bytes
            + " bytes on "
            + device
            + ": "
            + why
            + " ("
            + live
            + " of "
            + limit
            + " bytes in use in "
            + buffers
            + " buffers; largest single buffer "
            + largest
            + " bytes)");
  }

  synchronized void release(cl_mem mem, long bytes) {
    Cl.released(CL.clReleaseMemObject(mem));
    live -= bytes;
    buffers--;
  }

  synchronized MemoryStats stats() {
    return new MemoryStats(live, peak, buffers, allocations);
  }
}
