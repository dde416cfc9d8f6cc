package tapedeck.cpu.fast;

import tapedeck.ad.backend.Buffer;
import tapedeck.ad.type.ClosedException;

/** Native memory of the device. */
final class FastBuffer implements Buffer {
  private final FastDevice device;
  private final long bytes;
  private NativeMemory.Block block;

  FastBuffer(FastDevice device, long bytes, NativeMemory.Block block) {
    this.device = device;
    this.bytes = bytes;
    this.block = block;
  }

  FastDevice device() {
    return device;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /**
   * Address of the first byte.
   *
   * @throws ClosedException if the buffer was closed
   */
  synchronized long address() {
    if (block == null) {
      throw new ClosedException("[cpu] buffer of " + bytes + " bytes was used after it was closed");
    }
    return block.address();
  }

  @Override
  public void close() {
    NativeMemory.Block b;
    synchronized (this) {
      b = block;
      block = null;
    }
    if (b != null) {
      device.released(this, b);
    }
  }
}
