package tapedeck.cpu.jit;

import tapedeck.ad.backend.Buffer;
import tapedeck.ad.type.ClosedException;

/** Native memory of the CPU device. */
final class CpuBuffer implements Buffer {
  private final CpuDevice device;
  private final long bytes;
  private final long allocation;
  private boolean closed;

  CpuBuffer(CpuDevice device, long bytes, long allocation) {
    this.device = device;
    this.bytes = bytes;
    this.allocation = allocation;
  }

  CpuDevice device() {
    return device;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /**
   * Address of the first byte, a multiple of 64.
   *
   * @throws ClosedException if the buffer was closed
   */
  long address() {
    if (closed) {
      throw new ClosedException("[cpu] buffer of " + bytes + " bytes was used after it was closed");
    }
    return NativeMemory.aligned(allocation);
  }

  @Override
  public void close() {
    synchronized (device) {
      if (!closed) {
        closed = true;
        device.released(this);
        NativeMemory.free(allocation);
      }
    }
  }
}
