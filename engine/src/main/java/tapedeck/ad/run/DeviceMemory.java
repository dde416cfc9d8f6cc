package tapedeck.ad.run;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.SourceLine;

/**
 * Memory of one device: buffers of closed tensors wait in a bounded pool for the next tensor of
 * their size, so a loop that closes its results allocates nothing. The Java heap does not feel the
 * weight of device buffers, so the collector is asked to run when the bytes held by tensors have
 * doubled since it last ran, and before an allocation fails.
 */
final class DeviceMemory {
  private static final Map<Device, DeviceMemory> ALL = new ConcurrentHashMap<>();
  private static final long UNKNOWN = 4L << 30;

  private final Device device;
  private final TreeMap<Long, ArrayDeque<Buffer>> pool = new TreeMap<>();
  private final long poolLimit;
  private final long calmBytes;
  private long pooledBytes;
  private long heldBytes;
  private long collectAt;
  private boolean closed;

  private DeviceMemory(Device device) {
    this.device = device;
    long known = device.info().memoryBytes();
    long memory = known > 0 ? known : UNKNOWN;
    poolLimit = memory / 4;
    calmBytes = Math.clamp(memory / 16, 1L << 20, 1L << 28);
    collectAt = calmBytes;
  }

  static DeviceMemory of(Device device) {
    return ALL.computeIfAbsent(device, DeviceMemory::new);
  }

  /** Forgets a device that is about to be closed. */
  static void forget(Device device) {
    DeviceMemory m = ALL.remove(device);
    if (m != null) {
      synchronized (m) {
        m.closed = true;
      }
      m.trim();
    }
  }

  Device device() {
    return device;
  }

  /** Sizes that share a pool entry: multiples of an eighth of the power of two below. */
  static long sizeClass(long bytes) {
    if (bytes <= 512) {
      return Math.max(64, (bytes + 63) / 64 * 64);
    }
    long step = Long.highestOneBit(bytes) / 8;
    return (bytes + step - 1) / step * step;
  }

  /**
   * A buffer of at least this size, from the pool if it has one.
   *
   * @throws OutOfDeviceMemoryException if there is no room even after everything unused was freed
   */
  Buffer allocate(long bytes) {
    long size = sizeClass(bytes);
    Buffer b = take(size);
    if (b == null && collectIsDue(size)) {
      Reclaimer.collect();
      b = take(size);
      synchronized (this) {
        collectAt = Math.max(calmBytes, 2 * heldBytes);
      }
    }
    if (b == null) {
      Events.@Nullable Allocated event = Events.areOn() ? new Events.Allocated() : null;
      if (event != null) {
        event.begin();
      }
      b = retry(() -> device.allocate(size), bytes);
      if (event != null) {
        event.device = device.name();
        event.bytes = size;
        event.commit();
      }
    }
    synchronized (this) {
      heldBytes += b.bytes();
    }
    return b;
  }

  private synchronized boolean collectIsDue(long size) {
    return heldBytes + size > collectAt;
  }

  private synchronized Buffer take(long size) {
    ArrayDeque<Buffer> free = pool.get(size);
    Buffer b = free == null ? null : free.pollLast();
    if (b != null) {
      pooledBytes -= b.bytes();
    }
    return b;
  }

  /** Takes a buffer back. */
  void release(Buffer b) {
    synchronized (this) {
      heldBytes -= b.bytes();
      if (!closed && pooledBytes + b.bytes() <= poolLimit) {
        pooledBytes += b.bytes();
        pool.computeIfAbsent(b.bytes(), k -> new ArrayDeque<>()).add(b);
        return;
      }
    }
    b.close();
  }

  /** Frees all pooled buffers. */
  void trim() {
    ArrayDeque<Buffer> all = new ArrayDeque<>();
    synchronized (this) {
      pool.values().forEach(all::addAll);
      pool.clear();
      pooledBytes = 0;
    }
    all.forEach(Buffer::close);
  }

  /** Runs {@code body} and, if the device is full, once more after freeing everything unused. */
  <T> T retry(Supplier<T> body, long need) {
    try {
      return body.get();
    } catch (OutOfDeviceMemoryException first) {
      relieve();
      try {
        return body.get();
      } catch (OutOfDeviceMemoryException again) {
        throw SourceLine.at(describe(again, need));
      }
    }
  }

  private OutOfDeviceMemoryException describe(OutOfDeviceMemoryException e, long need) {
    MemoryStats s = device.memory();
    return new OutOfDeviceMemoryException(
        "[memory] "
            + device.name()
            + " is out of memory: "
            + need
            + " bytes are needed, "
            + s.liveBytes()
            + " of "
            + device.info().memoryBytes()
            + " are in use in "
            + s.liveBuffers()
            + " buffers ("
            + e.getMessage()
            + ")",
        e);
  }

  /** Frees everything that no tensor and no run uses. */
  void relieve() {
    Engine.dropCaches(device);
    trim();
    Reclaimer.collect();
    trim();
  }
}
