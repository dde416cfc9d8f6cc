package tapedeck.cpu.jit;

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
import tapedeck.ad.type.Settings;
import tapedeck.cpu.math.Memory;

/**
 * Device {@code cpu}. A run is done when {@link Executable#run} returns; runs follow one another.
 */
public final class CpuDevice implements Device {
  /**
   * System property with the number of bytes that the device may allocate; default: the machine's
   * memory.
   */
  public static final String MEMORY_PROPERTY = "tapedeck.cpu.memory";

  private static boolean said;

  private final Set<CpuBuffer> live = Collections.newSetFromMap(new IdentityHashMap<>());
  private final KernelCache kernels;
  private final WorkerPool pool = new WorkerPool(threads());
  private long liveBytes;
  private long peakBytes;
  private long allocations;
  private boolean closed;

  CpuDevice() {
    this(new KernelCache(vectors()));
  }

  /** For tests: a device that compiles in a way of its own. */
  CpuDevice(KernelCache kernels) {
    this.kernels = kernels;
    if (!vectors()) {
      sayOnce();
    }
  }

  private static synchronized void sayOnce() {
    if (!said) {
      said = true;
      System.err.println(
          "tapedeck: the CPU backend is slower without --add-modules jdk.incubator.vector");
    }
  }

  /** Whether the Vector API is there. */
  static boolean vectors() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }

  static int threads() {
    return Math.max(1, Settings.THREADS.intValue(Runtime.getRuntime().availableProcessors()));
  }

  static long limit() {
    long physical = NativeMemory.physical();
    return Long.getLong(MEMORY_PROPERTY, physical == 0 ? Long.MAX_VALUE : physical);
  }

  @Override
  public String name() {
    return CpuProvider.NAME;
  }

  @Override
  public DeviceInfo info() {
    return CpuProvider.describe();
  }

  @Override
  public boolean supports(DType dtype) {
    return true;
  }

  KernelCache kernels() {
    return kernels;
  }

  WorkerPool pool() {
    return pool;
  }

  @Override
  public synchronized CpuBuffer allocate(long bytes) {
    requireOpen();
    if (bytes < 0) {
      throw new DeviceException("[cpu] cannot allocate " + bytes + " bytes");
    }
    long address = bytes > limit() - liveBytes ? 0 : NativeMemory.malloc(bytes);
    if (address == 0) {
      throw new OutOfDeviceMemoryException(
          "[cpu] out of memory: "
              + bytes
              + " bytes were asked for, "
              + liveBytes
              + " of "
              + limit()
              + " are in use");
    }
    CpuBuffer b = new CpuBuffer(this, bytes, address);
    live.add(b);
    allocations++;
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
    return b;
  }

  synchronized void released(CpuBuffer b) {
    if (live.remove(b)) {
      liveBytes -= b.bytes();
    }
  }

  private static MemorySegment segment(CpuBuffer b, long bytes, String what) {
    if (bytes > b.bytes()) {
      throw new DeviceException(
          "[cpu] " + what + " of " + bytes + " bytes on a buffer of " + b.bytes() + " bytes");
    }
    return Memory.ALL.asSlice(b.address(), bytes);
  }

  @Override
  public synchronized void write(Buffer dst, MemorySegment src) {
    segment(own(dst), src.byteSize(), "write").copyFrom(src);
  }

  @Override
  public synchronized void read(Buffer src, MemorySegment dst) {
    dst.copyFrom(segment(own(src), dst.byteSize(), "read"));
  }

  @Override
  public Executable compile(Schedule schedule) {
    requireOpen();
    return new CpuExecutable(this, schedule);
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
    if (!closed) {
      for (CpuBuffer b : List.copyOf(live)) {
        b.close();
      }
      closed = true;
      pool.close();
    }
  }

  synchronized void requireOpen() {
    if (closed) {
      throw new ClosedException("[cpu] device was used after it was closed");
    }
  }

  /** The buffer as one of this device's. */
  CpuBuffer own(Buffer buffer) {
    requireOpen();
    if (buffer instanceof CpuBuffer b && b.device() == this) {
      return b;
    }
    throw new DeviceException("[cpu] buffer belongs to another device: " + buffer);
  }
}
