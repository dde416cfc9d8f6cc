package tapedeck.cpu.fast;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;

/** Device {@code cpu}. Work is done by the time its submission returns. */
public final class FastDevice implements Device {
  /** System property with the number of bytes that this device may allocate. */
  public static final String MEMORY_PROPERTY = "tapedeck.cpu.memory";

  private final Set<FastBuffer> live = Collections.newSetFromMap(new IdentityHashMap<>());
  private long liveBytes;
  private long peakBytes;
  private long allocations;
  private boolean closed;

  private static long limit() {
    long memory = HostInfo.memory();
    return Long.getLong(MEMORY_PROPERTY, memory == 0 ? Long.MAX_VALUE : memory);
  }

  @Override
  public String name() {
    return FastProvider.NAME;
  }

  @Override
  public DeviceInfo info() {
    return HostInfo.describe();
  }

  @Override
  public boolean supports(DType dtype) {
    return true;
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    requireOpen();
    if (bytes < 0) {
      throw new DeviceException("[cpu] cannot allocate " + bytes + " bytes");
    }
    NativeMemory.Block block = bytes > limit() - liveBytes ? null : NativeMemory.allocate(bytes);
    if (block == null) {
      throw new OutOfDeviceMemoryException(
          "[cpu] out of memory: "
              + bytes
              + " bytes were asked for, "
              + liveBytes
              + " of "
              + limit()
              + " are in use; "
              + MEMORY_PROPERTY
              + " sets the limit");
    }
    FastBuffer buffer = new FastBuffer(this, bytes, block);
    live.add(buffer);
    allocations++;
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
    return buffer;
  }

  synchronized void released(FastBuffer buffer, NativeMemory.Block block) {
    if (live.remove(buffer)) {
      liveBytes -= buffer.bytes();
    }
    NativeMemory.free(block);
  }

  synchronized void requireOpen() {
    if (closed) {
      throw new ClosedException("[cpu] device was used after it was closed");
    }
  }

  /** The buffer as one of this device's. */
  FastBuffer own(Buffer buffer) {
    if (buffer instanceof FastBuffer b && b.device() == this) {
      return b;
    }
    throw new DeviceException("[cpu] buffer " + buffer + " belongs to another device");
  }

  @Override
  public void write(Buffer dst, MemorySegment src) {
    requireOpen();
    FastBuffer b = own(dst);
    requireFits(b, src.byteSize());
    MemorySegment.copy(src, 0, NativeMemory.ALL, b.address(), src.byteSize());
  }

  @Override
  public void read(Buffer src, MemorySegment dst) {
    requireOpen();
    FastBuffer b = own(src);
    requireFits(b, dst.byteSize());
    MemorySegment.copy(NativeMemory.ALL, b.address(), dst, 0, dst.byteSize());
  }

  private static void requireFits(FastBuffer buffer, long bytes) {
    if (bytes > buffer.bytes()) {
      throw new DeviceException(
          "[cpu] cannot copy " + bytes + " bytes: the buffer has " + buffer.bytes());
    }
  }

  @Override
  public Executable compile(Schedule schedule) {
    requireOpen();
    return new FastExecutable(this, schedule);
  }

  @Override
  public void synchronize() {
    requireOpen();
  }

  @Override
  public synchronized MemoryStats memory() {
    return new MemoryStats(liveBytes, peakBytes, live.size(), allocations);
  }

  @Override
  public void close() {
    List<FastBuffer> left;
    synchronized (this) {
      closed = true;
      left = new ArrayList<>(live);
    }
    left.forEach(FastBuffer::close);
  }
}
