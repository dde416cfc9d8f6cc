package tapedeck.ad.backend;

import java.lang.foreign.MemorySegment;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;

/**
 * A device that holds buffers and runs schedules. Methods may be called from any thread. Work is
 * done in the order in which it was submitted; only {@link #read} and {@link #synchronize} wait for
 * it. Multi-byte elements are little endian in host segments.
 */
public interface Device extends AutoCloseable {

  /** Unique name with which a user chooses this device, such as {@code cpu} or {@code opencl:0}. */
  String name();

  DeviceInfo info();

  /** Whether kernels with values of this type can run here. */
  boolean supports(DType dtype);

  /**
   * Allocates at least {@code bytes} bytes, aligned to 64. A zero-byte buffer is allowed.
   *
   * @throws tapedeck.ad.type.OutOfDeviceMemoryException if there is no room; nothing is lost
   */
  Buffer allocate(long bytes);

  /** Copies all of {@code src} to the start of {@code dst}; {@code src} may be reused on return. */
  void write(Buffer dst, MemorySegment src);

  /**
   * Waits for all work that was submitted and copies {@code dst.byteSize()} bytes into {@code dst}.
   */
  void read(Buffer src, MemorySegment dst);

  /**
   * Compiles a schedule. Allocates its arena here or at the first run, never later.
   *
   * @throws tapedeck.ad.type.DeviceException with the build log if a kernel does not build
   * @throws tapedeck.ad.type.DTypeException if a slot's type is not supported here
   */
  Executable compile(Schedule schedule);

  /** Waits until all submitted work is done. */
  void synchronize();

  MemoryStats memory();

  /** Releases the device and all its memory. */
  @Override
  void close();
}
