package tapedeck.tornado;

import tapedeck.ad.backend.Buffer;
import tapedeck.ad.type.ClosedException;
import uk.ac.manchester.tornado.api.memory.XPUBuffer;

/** A buffer of one device, behind the header that TornadoVM's arrays have. */
final class TornadoBuffer implements Buffer {
  final TapedeckDevice device;
  final XpuState state;
  private final long bytes;
  private boolean closed;

  TornadoBuffer(TapedeckDevice device, XpuState state, long bytes) {
    this.device = device;
    this.state = state;
    this.bytes = bytes;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /** Its device memory. */
  XPUBuffer memory() {
    synchronized (this) {
      if (closed) {
        throw new ClosedException(
            "[tornado] buffer of " + bytes + " bytes was used after it was closed");
      }
    }
    return state.getXPUBuffer();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    device.released(this);
  }
}
