package tapedeck.tornado;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.exceptions.TornadoMemoryException;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** Allocates device memory, counts it exactly, and copies between it and the host. */
final class Memory {
  /** Bytes before the first element, on the host and on the device. */
  static final long HEADER = TornadoNativeArray.ARRAY_HEADER;

  /** Copies up to this size reuse one piece of host memory. */
  private static final long STAGING = 1L << 20;

  private final TornadoDevice device;
  private final String name;
  private final long limit;
  private final Optional<AlignedMemory> aligned;
  private final Arena arena = Arena.ofShared();

  /** Where the headers of arrays that exist on the device only are written. */
  private final MemorySegment headers = arena.allocate(Math.max(64, HEADER), 64);

  private final MemorySegment staging = arena.allocate(HEADER + STAGING, 64);
  private long live;
  private long peak;
  private long buffers;
  private long allocations;

  Memory(TornadoDevice device, String name) {
    this.device = device;
    this.name = name;
    this.limit = device.getMaxGlobalMemory();
    this.aligned = AlignedMemory.of(device);
  }

  /**
   * New device memory.
   *
   * @throws OutOfDeviceMemoryException if there is no room
   */
  synchronized XpuState allocate(long bytes) {
    if (bytes > limit - live) {
      throw full(bytes, "the device's memory is full", null);
    }
    XpuState state = new XpuState();
    long size = HEADER + Math.max(64, bytes);
    if (aligned.isPresent()) {
      state.setXPUBuffer(
          aligned
              .get()
              .allocate(size)
              .orElseThrow(() -> full(bytes, "the system has no memory", null)));
    } else {
      byTornado(state, size, bytes);
    }
    live += bytes;
    peak = Math.max(peak, live);
    buffers++;
    allocations++;
    return state;
  }

  private void byTornado(XpuState state, long size, long bytes) {
    // TornadoVM takes the size from an array's host memory, of which only the header is touched.
    ByteArray shape =
        ByteArray.fromSegmentShallow(MemorySegment.ofAddress(headers.address()).reinterpret(size));
    try {
      device.allocate(shape, 0, state, Access.READ_WRITE);
    } catch (TornadoOutOfMemoryException | TornadoMemoryException e) {
      throw full(bytes, e.getMessage(), e);
    }
  }

  /** Whether the device must have finished with memory before it is released. */
  boolean isReleasedAtOnce() {
    return aligned.isPresent();
  }

  /**
   * Refuses a buffer that never fits.
   *
   * @throws OutOfDeviceMemoryException if it is larger than the device's memory
   */
  void checkSize(long bytes) {
    if (bytes > limit) {
      throw full(bytes, "more than the device has", null);
    }
  }

  private OutOfDeviceMemoryException full(long bytes, String why, Throwable cause) {
    return new OutOfDeviceMemoryException(
        "[tornado] no room for "
            + bytes
            + " bytes on "
            + name
            + ": "
            + why
            + " ("
            + live
            + " of "
            + limit
            + " bytes in use in "
            + buffers
            + " buffers)",
        cause);
  }

  synchronized void release(XpuState state, long bytes) {
    if (aligned.isPresent()) {
      aligned.get().release(state.getXPUBuffer());
      state.setXPUBuffer(null);
    } else {
      device.deallocate(state);
    }
    live -= bytes;
    buffers--;
  }

  synchronized MemoryStats stats() {
    return new MemoryStats(live, peak, buffers, allocations);
  }

  /** Copies all of {@code src} to the start of the device memory, through a queue; waits. */
  synchronized void write(long queue, XpuState dst, MemorySegment src) {
    long n = src.byteSize();
    if (n == 0) {
      return;
    }
    staged(
        n,
        host -> {
          MemorySegment.copy(src, 0, host, HEADER, n);
          dst.getXPUBuffer().setSizeSubRegion(n);
          dst.getXPUBuffer()
              .enqueueWrite(queue, ByteArray.fromSegmentShallow(host), n, 0, null, false);
          device.sync(queue);
        });
  }

  /** Copies the start of the device memory to all of {@code dst}, through a queue; waits. */
  synchronized void read(long queue, XpuState src, MemorySegment dst) {
    long n = dst.byteSize();
    if (n == 0) {
      return;
    }
    staged(
        n,
        host -> {
          src.getXPUBuffer()
              .read(queue, ByteArray.fromSegmentShallow(host), HEADER, n, null, false);
          device.sync(queue);
          MemorySegment.copy(host, HEADER, dst, 0, n);
        });
  }

  /** Host memory with room for a header and n bytes. */
  private void staged(long n, java.util.function.Consumer<MemorySegment> copy) {
    if (n <= STAGING) {
      copy.accept(staging.asSlice(0, HEADER + n));
      return;
    }
    try (Arena own = Arena.ofConfined()) {
      copy.accept(own.allocate(HEADER + n, 64));
    }
  }

  void close() {
    arena.close();
  }
}
