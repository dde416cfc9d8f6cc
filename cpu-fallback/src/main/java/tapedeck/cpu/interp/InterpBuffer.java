package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.type.ClosedException;

/** Host memory of the interpreter. Fresh memory is filled with ones, which read as NaN or -1. */
final class InterpBuffer implements Buffer {
  private final InterpDevice device;
  private final long bytes;
  private MemorySegment memory;

  InterpBuffer(InterpDevice device, long bytes) {
    this.device = device;
    this.bytes = bytes;
    // An array of longs is aligned for every element type.
    this.memory =
        MemorySegment.ofArray(new long[Math.toIntExact((bytes + 7) / 8)]).asSlice(0, bytes);
    memory.fill((byte) 0xff);
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /**
   * The buffer's memory.
   *
   * @throws ClosedException if it was closed
   */
  synchronized MemorySegment memory() {
    if (memory == null) {
      throw new ClosedException(
          "[interp] buffer of " + bytes + " bytes was used after it was closed");
    }
    return memory;
  }

  @Override
  public void close() {
    synchronized (this) {
      if (memory == null) {
        return;
      }
      memory = null;
    }
    device.released(this);
  }
}
