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

  /**
   * {@return the unique name with which a user chooses this device, such as {@code cpu} or {@code
   * opencl:0}}
   */
  String name();

  /** {@return what the device is} */
  DeviceInfo info();

  /**
   * {@return whether kernels with values of this type can run here}
   *
   * @param dtype an element type; FLOAT64 is missing on some devices
   */
  boolean supports(DType dtype);

  /**
   * Allocates device memory, aligned to 64 bytes.
   *
   * @param bytes at least this many; 0 is allowed
   * @return a buffer that the caller closes
   * @throws tapedeck.ad.type.OutOfDeviceMemoryException if there is no room; nothing is lost
   */
  Buffer allocate(long bytes);

  /**
   * Copies host memory to the start of a buffer.
   *
   * @param dst a buffer of this device, at least as large as {@code src}
   * @param src is copied whole, and may be reused on return
   */
  void write(Buffer dst, MemorySegment src);

  /**
   * Waits for all work that was submitted and copies the start of a buffer to host memory.
   *
   * @param src a buffer of this device, at least as large as {@code dst}
   * @param dst is filled whole
   */
  void read(Buffer src, MemorySegment dst);

  /**
   * Compiles a schedule. Allocates its arena here or at the first run, never later.
   *
   * @param schedule kernels and the slots they use
   * @return an executable that the caller closes
   * @throws tapedeck.ad.type.DeviceException with the build log if a kernel does not build
   * @throws tapedeck.ad.type.DTypeException if a slot's type is not supported here
   */
  Executable compile(Schedule schedule);

  /** Waits until all submitted work is done. */
  void synchronize();

  /**
   * {@return the memory that buffers and arenas use now, and the peak since the device was opened}
   */
  MemoryStats memory();

  /** Releases the device and all its memory. */
  @Override
  void close();
}
