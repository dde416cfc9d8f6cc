package tapedeck.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_mem;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.opencl.render.TensorCores;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;
import tapedeck.opencl.tuning.TuningDatabase;

/**
 * One OpenCL device with a context and an in-order queue; a second one for what is independent,
 * where that is wanted, does nothing that the first one does not wait for.
 */
final class OpenClDevice implements Device, Tunable {
  // ByteBuffers, through which JOCL takes host memory, end at 2 GiB.
  private static final long CHUNK = 1L << 30;
  private static final long STAGING = 16L << 20;

  // CL_DEVICE_HOST_UNIFIED_MEMORY; OpenCL 2.0 deprecates it without a successor.
  private static final int HOST_UNIFIED_MEMORY = 0x1035;

  private final Description description;
  private final cl_context context;
  private final cl_command_queue queue;
  private final Memory memory;
  private final Programs programs;
  private final boolean profiling;
  private final Optional<CommandBuffers> commandBuffers;
  private final Optional<cl_command_queue> secondQueue;
  private final boolean staged;

  /** Null until the first transfer. */
  private Staging staging;

  private final TuningDatabase.Lookup tuning;
  private final Set<ClBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<OpenClExecutable> executables =
      Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  private OpenClDevice(
      Description d,
      cl_context context,
      cl_command_queue queue,
      Optional<cl_command_queue> secondQueue,
      boolean profiling) {
    this.description = d;
    this.context = context;
    this.queue = queue;
    this.profiling = profiling;
    this.commandBuffers = profiling ? Optional.empty() : CommandBuffers.of(d);
    this.memory = new Memory(context, d);
    this.programs = new Programs(context, d);
    this.tuning = TuningDatabase.lookup(d.hardware());
    this.secondQueue = secondQueue;
    this.staged = staged(d);
  }

  /** Whether transfers go through page-locked memory: where the device has memory of its own. */
  private static boolean staged(Description d) {
    return switch (System.getProperty("tapedeck.opencl.staging", "")) {
      case "on" -> true;
      case "off" -> false;
      default -> Cl.numberOr(d.id(), HOST_UNIFIED_MEMORY, 1) == 0;
    };
  }

  // The call that replaces clCreateCommandQueue needs OpenCL 2.0.
  @SuppressWarnings("deprecation")
  private static cl_command_queue queue(cl_context context, Description d, long properties) {
    int[] status = new int[1];
    cl_command_queue q = CL.clCreateCommandQueue(context, d.id(), properties, status);
    Cl.check(status[0], "clCreateCommandQueue on " + d.name());
    return q;
  }

  static OpenClDevice open(Description d) {
    int[] status = new int[1];
    cl_context_properties properties = new cl_context_properties();
    properties.addProperty(CL.CL_CONTEXT_PLATFORM, d.platform());
    cl_context context =
        CL.clCreateContext(properties, 1, new cl_device_id[] {d.id()}, null, null, status);
    Cl.check(status[0], "clCreateContext on " + d.name() + " (" + d.info().description() + ")");
    boolean profiling = "on".equals(System.getProperty("tapedeck.opencl.profiling"));
    List<cl_command_queue> queues = new ArrayList<>();
    try {
      queues.add(queue(context, d, profiling ? CL.CL_QUEUE_PROFILING_ENABLE : 0));
      if ("2".equals(System.getProperty("tapedeck.opencl.queues")) && !profiling) {
        queues.add(queue(context, d, 0));
      }
      String problem =
          d.target().tensorCores() == TensorCores.PTX
              ? TensorProbe.problem(context, queues.getFirst(), d)
              : "";
      return new OpenClDevice(
          problem.isEmpty() ? d : d.withoutTensorCores(problem),
          context,
          queues.getFirst(),
          queues.stream().skip(1).findFirst(),
          profiling);
    } catch (RuntimeException e) {
      queues.forEach(q -> Cl.released(CL.clReleaseCommandQueue(q)));
      Cl.released(CL.clReleaseContext(context));
      throw e;
    }
  }

  Description description() {
    return description;
  }

  cl_command_queue queue() {
    return queue;
  }

  Memory allocator() {
    return memory;
  }

  Programs programs() {
    return programs;
  }

  boolean profiling() {
    return profiling;
  }

  /** How to enqueue many kernels by one call, where that is wanted and possible. */
  Optional<CommandBuffers> commandBuffers() {
    return commandBuffers;
  }

  /** A queue for what is independent of the other one, where that is wanted. */
  Optional<cl_command_queue> secondQueue() {
    return secondQueue;
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
      throw new ClosedException("[opencl] device " + name() + " was used after it was closed");
    }
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    checkOpen();
    ClBuffer b = new ClBuffer(this, memory.allocate(bytes), bytes);
    buffers.add(b);
    return b;
  }

  synchronized void released(ClBuffer b, cl_mem mem) {
    if (buffers.remove(b)) {
      if (commandBuffers.isPresent()) {
        executables.forEach(e -> e.forget(b));
      }
      memory.release(mem, b.bytes());
    }
  }

  /** Page-locked memory, from the first transfer on. */
  private synchronized Staging staging() {
    checkOpen();
    if (staging == null) {
      staging = new Staging(context, queue);
    }
    return staging;
  }

  @Override
  public void write(Buffer dst, MemorySegment src) {
    ClBuffer b = own(dst, src.byteSize(), "write");
    if (staged) {
      staging().upload(b.mem(), src);
      return;
    }
    transfer(
        src,
        false,
        (offset, n, host) ->
            CL.clEnqueueWriteBuffer(queue, b.mem(), true, offset, n, host, 0, null, null));
  }

  @Override
  public void read(Buffer src, MemorySegment dst) {
    ClBuffer b = own(src, dst.byteSize(), "read");
    if (dst.byteSize() == 0) {
      synchronize();
      return;
    }
    if (staged) {
      staging().download(b.mem(), dst);
      return;
    }
    transfer(
        dst,
        true,
        (offset, n, host) ->
            CL.clEnqueueReadBuffer(queue, b.mem(), true, offset, n, host, 0, null, null));
  }

  /** One blocking copy of n bytes at an offset of the device buffer. */
  private interface Copy {
    int run(long offset, long n, Pointer host);
  }

  /**
   * Copies in chunks; segments on the Java heap go through a native one, which JOCL can address.
   */
  private void transfer(MemorySegment host, boolean toHost, Copy copy) {
    checkOpen();
    long size = host.byteSize();
    String what = toHost ? "clEnqueueReadBuffer" : "clEnqueueWriteBuffer";
    if (host.isNative()) {
      for (long at = 0; at < size; at += CHUNK) {
        MemorySegment part = host.asSlice(at, Math.min(CHUNK, size - at));
        Cl.check(
            copy.run(at, part.byteSize(), Pointer.toBuffer(part.asByteBuffer())),
            what + " of " + size + " bytes");
      }
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment staging = arena.allocate(Math.min(size, STAGING), 64);
      Pointer p = Pointer.toBuffer(staging.asByteBuffer());
      for (long at = 0; at < size; at += STAGING) {
        long n = Math.min(STAGING, size - at);
        if (!toHost) {
          MemorySegment.copy(host, at, staging, 0, n);
        }
        Cl.check(copy.run(at, n, p), what + " of " + size + " bytes");
        if (toHost) {
          MemorySegment.copy(staging, 0, host, at, n);
        }
      }
    }
  }

  /** The buffer as one of this device's, with room for some bytes. */
  ClBuffer own(Buffer buffer, long bytes, String what) {
    if (!(buffer instanceof ClBuffer b) || b.device != this) {
      throw new DeviceException("[" + what + "] buffer does not belong to device " + name());
    }
    if (bytes > b.bytes()) {
      throw new DeviceException(
          "[" + what + "] buffer is too small: " + b.bytes() + " bytes, " + bytes + " needed");
    }
    return b;
  }

  @Override
  public Hardware hardware() {
    return description.hardware();
  }

  @Override
  public Tuning tuning() {
    return tuning.tuning();
  }

  @Override
  public String source(Template template) {
    String s = tuning.sources().get(template);
    if (s == null) {
      throw new IllegalArgumentException("[tuning] " + template + " is not for " + name());
    }
    return s;
  }

  @Override
  public List<String> kernels(Schedule schedule, Tuning parameters) {
    return OpenClExecutable.render(this, schedule, parameters).stream()
        .map(r -> r.entry() + Arrays.toString(r.global()) + Arrays.toString(r.local()))
        .toList();
  }

  @Override
  public Executable compile(Schedule schedule) {
    return compile(schedule, tuning());
  }

  @Override
  public Executable compile(Schedule schedule, Tuning parameters) {
    checkOpen();
    OpenClExecutable e = OpenClExecutable.compile(this, schedule, parameters);
    synchronized (this) {
      executables.add(e);
    }
    return e;
  }

  synchronized void released(OpenClExecutable e) {
    executables.remove(e);
  }

  @Override
  public void synchronize() {
    checkOpen();
    Cl.check(CL.clFinish(queue), "clFinish on " + name());
  }

  @Override
  public MemoryStats memory() {
    return memory.stats();
  }

  @Override
  public void close() {
    List<OpenClExecutable> running;
    List<ClBuffer> left;
    synchronized (this) {
      if (closed) {
        return;
      }
      Cl.released(CL.clFinish(queue));
      running = new ArrayList<>(executables);
      left = new ArrayList<>(buffers);
    }
    running.forEach(OpenClExecutable::close);
    left.forEach(ClBuffer::close);
    synchronized (this) {
      closed = true;
      programs.close();
      if (staging != null) {
        staging.close();
      }
      secondQueue.ifPresent(q -> Cl.released(CL.clReleaseCommandQueue(q)));
      Cl.released(CL.clReleaseCommandQueue(queue));
      Cl.released(CL.clReleaseContext(context));
    }
  }
}
