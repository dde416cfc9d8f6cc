package tapedeck.opencl;

import org.jocl.Pointer;
import org.jocl.cl_mem;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.type.ClosedException;

/** A buffer of one device. */
final class ClBuffer implements Buffer {
  final OpenClDevice device;
  private final cl_mem mem;
  private final Pointer argument;
  private final long bytes;
  private boolean closed;

  ClBuffer(OpenClDevice device, cl_mem mem, long bytes) {
    this.device = device;
    this.mem = mem;
    this.argument = Pointer.to(mem);
    this.bytes = bytes;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  synchronized cl_mem mem() {
    if (closed) {
      throw new ClosedException(
          "[opencl] buffer of " + bytes + " bytes was used after it was closed");
    }
    return mem;
  }

  /** The memory object as a kernel argument. */
  Pointer argument() {
    mem();
    return argument;
  }

  // Work in flight keeps the memory: OpenCL frees it when the last command that uses it has ended.
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    device.released(this, mem);
  }
}
