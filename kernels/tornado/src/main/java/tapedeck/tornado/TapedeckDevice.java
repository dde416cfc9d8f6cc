package tapedeck.tornado;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.tornado.render.Target;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * One of TornadoVM's devices. TornadoVM gives every execution plan a queue of its own there, and
 * all replayed launches share another one; work is in order because a queue is waited for before
 * another one is used.
 */
final class TapedeckDevice implements Device {
  /** Queue for copies, and for launches that need not be in a plan's; plans count from 1. */
  static final long SHARED = 0;

  private final Description description;
  private final Memory memory;
  private final Kernels kernels;

  /** Where replayed launches go; empty where TornadoVM runs its plans itself. */
  private final Optional<Queue> queue;

  /** The one thread that calls TornadoVM, where threads do not share its queues. */
  private final Optional<DeviceThread> thread;

  private final Set<TornadoBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<TornadoExecutable> executables =
      Collections.newSetFromMap(new IdentityHashMap<>());
  private long busy = SHARED;
  private boolean closed;

  TapedeckDevice(Description description) {
    this.description = description;
    this.memory = new Memory(description.device(), description.name());
    this.kernels = new Kernels(description.target());
    this.queue = Launches.wanted() ? Queue.of(description.device(), SHARED) : Optional.empty();
    this.thread =
        description.target().extended()
            ? Optional.empty()
            : Optional.of(new DeviceThread(description.name()));
  }

  TornadoDevice device() {
    return description.device();
  }

  /** What OpenCL's compiler is told, where it differs from TornadoVM's flags. */
  Optional<String> compilerFlags() {
    return description.compilerFlags();
  }

  /** Runs a body, holding the device. */
  void exclusively(Runnable body) {
    exclusively(
        () -> {
          body.run();
          return true;
        });
  }

  private <T> T exclusively(Supplier<T> body) {
    Supplier<T> holding =
        () -> {
          synchronized (this) {
            return body.get();
          }
        };
    return thread.isPresent() ? thread.get().call(holding) : holding.get();
  }

  Memory allocator() {
    return memory;
  }

  Target target() {
    return description.target();
  }

  Optional<Queue> queue() {
    return queue;
  }

  Kernels kernels() {
    return kernels;
  }

  @Override
  public String name() {
    return description.name();
  }

  @Override
  public DeviceInfo info() {
    return description.info();
  }

  @Override
  public boolean supports(DType dtype) {
    return dtype != DType.FLOAT64 || description.float64();
  }

  synchronized void checkOpen() {
    if (closed) {
      throw new ClosedException("[tornado] device " + name() + " was used after it was closed");
    }
  }

  /** Waits for the queue in use if it is another one than this. */
  synchronized void use(long queue) {
    if (busy != queue) {
      device().sync(busy);
      busy = queue;
    }
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    checkOpen();
    TornadoBuffer b = new TornadoBuffer(this, memory.allocate(bytes), bytes);
    buffers.add(b);
    return b;
  }

  void released(TornadoBuffer b) {
    if (memory.isReleasedAtOnce()) {
      exclusively(
          () -> {
            if (buffers.contains(b)) {
              device().sync(busy);
            }
            release(b);
          });
    } else {
      release(b);
    }
  }

  private synchronized void release(TornadoBuffer b) {
    if (buffers.remove(b)) {
      memory.release(b.state, b.bytes());
    }
  }

  @Override
  public void write(Buffer dst, MemorySegment src) {
    checkOpen();
    TornadoBuffer b = own(dst, src.byteSize(), "write");
    exclusively(
        () -> {
          b.memory();
          use(SHARED);
          memory.write(SHARED, b.state, src);
        });
  }

  @Override
  public void read(Buffer src, MemorySegment dst) {
    checkOpen();
    TornadoBuffer b = own(src, dst.byteSize(), "read");
    exclusively(
        () -> {
          b.memory();
          use(SHARED);
          memory.read(SHARED, b.state, dst);
        });
  }

  /** The buffer as one of this device's, with room for some bytes. */
  TornadoBuffer own(Buffer buffer, long bytes, String what) {
    if (!(buffer instanceof TornadoBuffer b) || b.device != this) {
      throw new DeviceException("[" + what + "] buffer does not belong to device " + name());
    }
    if (bytes > b.bytes()) {
      throw new DeviceException(
          "[" + what + "] buffer is too small: " + b.bytes() + " bytes, " + bytes + " needed");
    }
    return b;
  }

  @Override
  public Executable compile(Schedule schedule) {
    checkOpen();
    return exclusively(
        () -> {
          TornadoExecutable e = TornadoExecutable.compile(this, schedule);
          executables.add(e);
          return e;
        });
  }

  synchronized void released(TornadoExecutable e) {
    executables.remove(e);
  }

  @Override
  public void synchronize() {
    checkOpen();
    exclusively(() -> device().sync(busy));
  }

  @Override
  public MemoryStats memory() {
    return memory.stats();
  }

  @Override
  public void close() {
    exclusively(
        () -> {
          if (!closed) {
            device().sync(busy);
            List.copyOf(executables).forEach(TornadoExecutable::close);
            new ArrayList<>(buffers).forEach(TornadoBuffer::close);
            closed = true;
            memory.close();
          }
        });
    thread.ifPresent(DeviceThread::close);
  }
}
