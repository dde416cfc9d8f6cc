package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;
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

/** Device {@code interp}. Work is done while it is submitted, one schedule at a time. */
public final class InterpDevice implements Device {
  /** System property with the number of bytes that this device may allocate. */
  public static final String MEMORY_PROPERTY = "tapedeck.interp.memory";

  private final Set<InterpBuffer> live = Collections.newSetFromMap(new IdentityHashMap<>());
  private long liveBytes;
  private long peakBytes;
  private long allocations;
  private boolean closed;

  /** A device without buffers, apart from the one that {@link InterpProvider} opens. */
  public InterpDevice() {}

  /** Bytes that may be allocated: the property, or the Java heap's limit. */
  static long limit() {
    return Long.getLong(MEMORY_PROPERTY, Runtime.getRuntime().maxMemory());
  }

  @Override
  public String name() {
    return InterpProvider.NAME;
  }

  @Override
  public DeviceInfo info() {
    return InterpProvider.describe();
  }

  @Override
  public boolean supports(DType dtype) {
    return true;
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    requireOpen();
    if (bytes < 0) {
      throw new DeviceException("[interp] cannot allocate " + bytes + " bytes");
    }
    if (bytes > limit() - liveBytes || bytes > 8L * (Integer.MAX_VALUE - 8)) {
      throw outOfMemory(bytes, null);
    }
    InterpBuffer buffer;
    try {
      buffer = new InterpBuffer(this, bytes);
    } catch (OutOfMemoryError e) {
      throw outOfMemory(bytes, e);
    }
    live.add(buffer);
    allocations++;
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
    return buffer;
  }

  private OutOfDeviceMemoryException outOfMemory(long bytes, Throwable cause) {
    return new OutOfDeviceMemoryException(
        "[interp] out of memory: "
            + bytes
            + " bytes were asked for, "
            + liveBytes
            + " of "
            + limit()
            + " are in use",
        cause);
  }

  synchronized void released(InterpBuffer buffer) {
    if (live.remove(buffer)) {
      liveBytes -= buffer.bytes();
    }
  }

  @Override
  public synchronized void write(Buffer dst, MemorySegment src) {
    InterpBuffer b = own(dst);
    requireRoom("write", src.byteSize(), b);
    MemorySegment.copy(src, 0, b.memory(), 0, src.byteSize());
  }

  @Override
  public synchronized void read(Buffer src, MemorySegment dst) {
    InterpBuffer b = own(src);
    requireRoom("read", dst.byteSize(), b);
    MemorySegment.copy(b.memory(), 0, dst, 0, dst.byteSize());
  }

  private static void requireRoom(String what, long bytes, InterpBuffer b) {
    if (bytes > b.bytes()) {
      throw new DeviceException(
          "[interp] " + what + " of " + bytes + " bytes on a buffer of " + b.bytes() + " bytes");
    }
  }

  @Override
  public Executable compile(Schedule schedule) {
    requireOpen();
    return new InterpExecutable(this, schedule);
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
  public synchronized void close() {
    closed = true;
    for (InterpBuffer b : List.copyOf(live)) {
      b.close();
    }
  }

  synchronized void requireOpen() {
    if (closed) {
      throw new ClosedException("[interp] device was used after it was closed");
    }
  }

  /** The buffer as one of this device's. */
  InterpBuffer own(Buffer buffer) {
    requireOpen();
    if (buffer instanceof InterpBuffer b) {
      b.memory();
      if (live.contains(b)) {
        return b;
      }
    }
    throw new DeviceException("[interp] buffer belongs to another device: " + buffer);
  }
}
