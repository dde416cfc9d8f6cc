package tapedeck.ad.run;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.tensor.Storage;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.SourceLine;

/**
 * A device buffer that one tensor owns. It is given back exactly once: by {@link #close}, when its
 * tensor is collected, or when a donation hands it to a result. A buffer that a submission is using
 * is given back when that is done.
 */
final class DeviceStorage implements Storage {
  private final Aval aval;
  private final State state;
  private final Reclaimer reclaimer;

  DeviceStorage(Aval aval, DeviceMemory memory, Buffer buffer) {
    this.aval = aval;
    this.state = new State(memory, buffer, Leaks.origin(aval));
    this.reclaimer = Reclaimer.watch(this, state);
    TensorScope.register(this);
  }

  /** What outlives the storage until it is cleaned. */
  private static final class State implements Runnable {
    final DeviceMemory memory;
    final String origin;
    private Buffer buffer;
    private int pins;
    private boolean closed;

    State(DeviceMemory memory, Buffer buffer, String origin) {
      this.memory = memory;
      this.buffer = buffer;
      this.origin = origin;
    }

    synchronized Buffer pin() {
      if (closed) {
        return null;
      }
      pins++;
      return buffer;
    }

    void unpin() {
      Buffer b = null;
      synchronized (this) {
        if (--pins == 0 && closed) {
          b = buffer;
          buffer = null;
        }
      }
      give(b);
    }

    void close() {
      Buffer b = null;
      synchronized (this) {
        closed = true;
        if (pins == 0) {
          b = buffer;
          buffer = null;
        }
      }
      give(b);
    }

    synchronized boolean isClosed() {
      return closed;
    }

    synchronized Buffer detach() {
      if (closed || pins > 0) {
        return null;
      }
      closed = true;
      Buffer b = buffer;
      buffer = null;
      return b;
    }

    private void give(Buffer b) {
      if (b != null) {
        memory.release(b);
      }
    }

    /** The tensor was collected. */
    @Override
    public void run() {
      if (origin != null && !isClosed()) {
        Leaks.add(origin);
      }
      close();
    }
  }

  Device hardware() {
    return state.memory.device();
  }

  @Override
  public String device() {
    return hardware().name();
  }

  /** The buffer, kept until {@link #unpin}. */
  Buffer pin() {
    Buffer b = state.pin();
    if (b == null) {
      throw SourceLine.at(new ClosedException("[value] tensor " + aval + " is closed"));
    }
    return b;
  }

  void unpin() {
    try {
      state.unpin();
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Gives the buffer away for a result; this storage is closed. */
  Buffer detach() {
    Buffer b = state.detach();
    if (b == null) {
      throw SourceLine.at(
          isClosed()
              ? new ClosedException("[donate] tensor " + aval + " is closed")
              : new DeviceException("[donate] tensor " + aval + " is in use by another thread"));
    }
    reclaimer.cancel();
    return b;
  }

  @Override
  public void read(MemorySegment dst) {
    Events.@Nullable Read event = Events.areOn() ? new Events.Read() : null;
    if (event != null) {
      event.begin();
    }
    Buffer b = pin();
    try {
      hardware().read(b, dst);
    } finally {
      unpin();
    }
    if (event != null) {
      event.device = device();
      event.bytes = dst.byteSize();
      event.commit();
    }
  }

  @Override
  public boolean isClosed() {
    return state.isClosed();
  }

  @Override
  public void close() {
    state.close();
    reclaimer.cancel();
  }
}
