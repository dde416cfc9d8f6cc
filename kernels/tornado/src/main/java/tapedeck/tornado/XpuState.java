package tapedeck.tornado;

import uk.ac.manchester.tornado.api.memory.DeviceBufferState;
import uk.ac.manchester.tornado.api.memory.XPUBuffer;

/** A buffer's record of its device memory, for the calls of a device that want one. */
final class XpuState implements DeviceBufferState {
  private XPUBuffer buffer;

  @Override
  public void setXPUBuffer(XPUBuffer value) {
    buffer = value;
  }

  @Override
  public boolean hasObjectBuffer() {
    return buffer != null;
  }

  @Override
  public XPUBuffer getXPUBuffer() {
    return buffer;
  }

  @Override
  public boolean isAtomicRegionPresent() {
    return false;
  }

  @Override
  public void setAtomicRegion() {
    throw new UnsupportedOperationException("[tornado] no atomics");
  }

  @Override
  public boolean isLockedBuffer() {
    return false;
  }

  @Override
  public boolean hasContent() {
    return true;
  }

  // Contents are this backend's business: TornadoVM copies nothing by itself.
  @Override
  public void setContents(boolean value) {}

  @Override
  public void setPartialCopySize(long bytes) {}

  @Override
  public long getPartialCopySize() {
    return 0;
  }

  @Override
  public boolean isBufferReused() {
    return false;
  }

  @Override
  public void markBufferAsReused() {}
}
