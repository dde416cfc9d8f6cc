package tapedeck.opencl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_buffer_region;
import org.jocl.cl_command_queue;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Rendered;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.render.SplitProducts;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.tuning.Tuning;

/**
 * A schedule with kernel objects whose arguments are set. A run sets only the arguments whose
 * buffer is another one than in the run before, enqueues every kernel and flushes.
 */
final class OpenClExecutable implements Executable, Profiled {
  private final OpenClDevice device;
  private final Schedule schedule;

  /** The caller's launch of each of the schedule's. */
  private final List<Integer> origin;

  private final List<Dispatch> dispatches;
  private final List<Programs.Kernel> kernels;
  private final cl_kernel[] handles;
  private final ArenaMemory arena;
  private final Branches branches;

  /** For each slot that the caller gives, the kernel arguments it is bound to. */
  private final List<List<int[]>> uses = new ArrayList<>();

  private final ClBuffer[] bound;

  /** All kernels with the buffers that are bound; null until these have been the same twice. */
  private CommandBuffers.Recording recording;

  private cl_event[] events = {};
  private boolean closed;

  private OpenClExecutable(
      OpenClDevice device,
      SplitProducts split,
      List<Dispatch> dispatches,
      List<Programs.Kernel> kernels,
      ArenaMemory arena) {
    this.device = device;
    this.schedule = split.schedule();
    this.origin = split.origin();
    this.dispatches = dispatches;
    this.kernels = kernels;
    this.arena = arena;
    this.branches =
        device.secondQueue().isPresent()
            ? Branches.of(schedule, dispatches)
            : Branches.of(schedule, List.of());
    this.handles = kernels.stream().map(k -> k.kernel).toArray(cl_kernel[]::new);
    this.bound = new ClBuffer[schedule.slots().size()];
    for (int s = 0; s < bound.length; s++) {
      uses.add(new ArrayList<>());
    }
  }

  /** The kernels of all launches. */
  static List<Rendered> render(OpenClDevice device, Schedule schedule, Tuning tuning) {
    Target target = device.description().target();
    Schedule split = SplitProducts.of(schedule, target, tuning).schedule();
    return dispatches(device, split, tuning).stream().map(Dispatch::text).toList();
  }

  private static List<Dispatch> dispatches(OpenClDevice device, Schedule schedule, Tuning tuning) {
    // Times are told for each launch.
    boolean join = !device.profiling();
    List<Dispatch> all =
        new Renderer(device.description().target(), tuning).dispatches(schedule, join);
    for (Dispatch d : all) {
      if (d.text().float64() && !device.supports(DType.FLOAT64)) {
        throw new DTypeException(
            "["
                + d.label()
                + "] device "
                + device.name()
                + " ("
                + device.info().description()
                + ") has no f64; in "
                + d.origin());
      }
    }
    return all;
  }

  static OpenClExecutable compile(OpenClDevice device, Schedule whole, Tuning tuning) {
    SplitProducts split = SplitProducts.of(whole, device.description().target(), tuning);
    List<Dispatch> dispatches = dispatches(device, split.schedule(), tuning);
    Dump.sources(device.name(), dispatches);
    List<Programs.Kernel> kernels = device.programs().kernels(dispatches);
    ArenaMemory arena = null;
    try {
      arena = ArenaMemory.allocate(device, split.schedule());
      OpenClExecutable e = new OpenClExecutable(device, split, dispatches, kernels, arena);
      e.bindArena();
      return e;
    } catch (RuntimeException e) {
      if (arena != null) {
        arena.close();
      }
      kernels.forEach(device.programs()::release);
      throw e;
    }
  }

  private void bindArena() {
    for (int k = 0; k < handles.length; k++) {
      List<Integer> slots = dispatches.get(k).slots();
      for (int i = 0; i < slots.size(); i++) {
        Pointer p = arena.argument(slots.get(i));
        if (p == null) {
          uses.get(slots.get(i)).add(new int[] {k, i});
        } else {
          setArgument(k, i, p);
        }
      }
    }
  }

  private void setArgument(int kernel, int index, Pointer p) {
    int status = CL.clSetKernelArg(handles[kernel], index, Sizeof.cl_mem, p);
    if (status != CL.CL_SUCCESS) {
      Cl.check(status, "clSetKernelArg " + index + " of " + describe(kernel));
    }
  }

  @Override
  public void run(List<Buffer> inputs, List<Buffer> outputs) {
    check(inputs, schedule.inputs(), "inputs");
    check(outputs, schedule.outputs(), "outputs");
    synchronized (device) {
      device.checkOpen();
      if (closed) {
        throw new ClosedException("[opencl] executable was run after it was closed");
      }
      boolean changed = bind(inputs, schedule.inputs(), "input");
      changed |= bind(outputs, schedule.outputs(), "output");
      if (branches.last() >= 0) {
        enqueue(device.secondQueue().orElseThrow());
      } else if (changed || !replay()) {
        enqueue();
      }
      Cl.check(CL.clFlush(device.queue()), "clFlush");
    }
  }

  /** Enqueues all kernels by one call, if the device can. */
  private boolean replay() {
    Optional<CommandBuffers> commands = device.commandBuffers();
    if (commands.isEmpty()) {
      return false;
    }
    if (recording == null) {
      List<Rendered> texts = dispatches.stream().map(Dispatch::text).toList();
      recording = commands.get().record(device.queue(), handles, texts);
    }
    recording.enqueue();
    return true;
  }

  /** Whether a run with the same buffers as the last one is one call. */
  boolean isRecorded() {
    return recording != null;
  }

  private void forgetRecording() {
    if (recording != null) {
      recording.close();
      recording = null;
    }
  }

  /** Drops what keeps a buffer's memory alive. */
  void forget(ClBuffer b) {
    if (recording != null && Arrays.asList(bound).contains(b)) {
      forgetRecording();
    }
  }

  private void enqueue() {
    if (device.profiling()) {
      forgetEvents();
      events = new cl_event[handles.length];
    }
    for (int k = 0; k < handles.length; k++) {
      cl_event event = device.profiling() ? new cl_event() : null;
      enqueue(k, device.queue(), null, event);
      if (event != null) {
        events[k] = event;
      }
    }
  }

  /** Enqueues on two queues; what comes later on the first one waits for both. */
  private void enqueue(cl_command_queue second) {
    cl_event[] ended = new cl_event[handles.length];
    List<cl_event> held = new ArrayList<>();
    boolean done = false;
    try {
      // The second queue knows nothing of what the first one has been given so far.
      cl_event started = new cl_event();
      Cl.check(
          CL.clEnqueueMarkerWithWaitList(device.queue(), 0, null, started),
          "clEnqueueMarkerWithWaitList");
      held.add(started);
      boolean first = true;
      for (int k = 0; k < handles.length; k++) {
        boolean aside = branches.second()[k];
        List<cl_event> waits = new ArrayList<>();
        if (aside && first) {
          waits.add(started);
          first = false;
        }
        if (branches.awaits()[k] >= 0) {
          waits.add(ended[branches.awaits()[k]]);
        }
        cl_event event = branches.awaited()[k] ? new cl_event() : null;
        enqueue(k, aside ? second : device.queue(), waits.toArray(cl_event[]::new), event);
        if (event != null) {
          ended[k] = event;
          held.add(event);
        }
      }
      Cl.check(CL.clFlush(second), "clFlush");
      Cl.check(
          CL.clEnqueueBarrierWithWaitList(
              device.queue(), 1, new cl_event[] {ended[branches.last()]}, null),
          "clEnqueueBarrierWithWaitList");
      done = true;
    } finally {
      if (!done) {
        Cl.released(CL.clFinish(second));
      }
      held.forEach(e -> Cl.released(CL.clReleaseEvent(e)));
    }
  }

  private void enqueue(int k, cl_command_queue queue, cl_event[] waits, cl_event event) {
    Rendered r = dispatches.get(k).text();
    int n = waits == null ? 0 : waits.length;
    int status =
        CL.clEnqueueNDRangeKernel(
            queue,
            handles[k],
            r.global().length,
            null,
            r.global(),
            r.local(),
            n,
            n == 0 ? null : waits,
            event);
    if (status != CL.CL_SUCCESS) {
      Cl.check(status, "clEnqueueNDRangeKernel of " + describe(k));
    }
  }

  private static void check(List<Buffer> given, List<Integer> slots, String what) {
    if (given.size() != slots.size()) {
      throw new DeviceException(
          "[run] " + given.size() + " " + what + " given, " + slots.size() + " expected");
    }
  }

  /** Sets the arguments that are others than before; whether there were any. */
  private boolean bind(List<Buffer> given, List<Integer> slots, String what) {
    boolean changed = false;
    for (int i = 0; i < slots.size(); i++) {
      int slot = slots.get(i);
      ClBuffer b =
          device.own(given.get(i), schedule.slots().get(slot).bytes(), "run, " + what + " " + i);
      Pointer p = b.argument();
      if (bound[slot] != b) {
        forgetRecording();
        for (int[] use : uses.get(slot)) {
          setArgument(use[0], use[1], p);
        }
        bound[slot] = b;
        changed = true;
      }
    }
    return changed;
  }

  private String describe(int k) {
    Dispatch d = dispatches.get(k);
    Rendered r = d.text();
    return d.origin()
        + " (kernel "
        + r.entry()
        + ", global "
        + Arrays.toString(r.global())
        + ", local "
        + Arrays.toString(r.local())
        + ", "
        + d.launches().stream()
            .flatMap(l -> l.kernel().params().stream())
            .map(p -> p.dtype() + "[" + p.elements() + "]")
            .toList()
        + ")";
  }

  @Override
  public List<KernelTime> kernelTimes() {
    synchronized (device) {
      List<KernelTime> out = new ArrayList<>();
      if (events.length > 0) {
        Cl.check(CL.clFinish(device.queue()), "clFinish");
      }
      for (int k = 0; k < events.length; k++) {
        int last = k;
        while (last + 1 < events.length && origin.get(last + 1).equals(origin.get(k))) {
          last++;
        }
        out.add(
            new KernelTime(
                dispatches.get(k).label(),
                dispatches.get(k).text().entry(),
                dispatches.get(k).text().strategy(),
                time(events[k], CL.CL_PROFILING_COMMAND_START),
                time(events[last], CL.CL_PROFILING_COMMAND_END)));
        k = last;
      }
      return out;
    }
  }

  private static long time(cl_event e, int which) {
    long[] t = new long[1];
    Cl.check(
        CL.clGetEventProfilingInfo(e, which, 8, Pointer.to(t), null), "clGetEventProfilingInfo");
    return t[0];
  }

  private void forgetEvents() {
    for (cl_event e : events) {
      if (e != null) {
        Cl.released(CL.clReleaseEvent(e));
      }
    }
    events = new cl_event[0];
  }

  @Override
  public void close() {
    synchronized (device) {
      if (closed) {
        return;
      }
      closed = true;
      forgetEvents();
      forgetRecording();
      kernels.forEach(device.programs()::release);
      arena.close();
      Arrays.fill(bound, null);
      device.released(this);
    }
  }

  /**
   * The memory of all arena slots: one allocation with sub-buffers, or one buffer each where that
   * cannot be.
   */
  private static final class ArenaMemory implements AutoCloseable {
    private final Memory memory;
    private final List<cl_mem> owned = new ArrayList<>();
    private final List<Long> sizes = new ArrayList<>();
    private final List<cl_mem> views = new ArrayList<>();
    private final Pointer[] arguments;

    private ArenaMemory(Memory memory, int slots) {
      this.memory = memory;
      this.arguments = new Pointer[slots];
    }

    static ArenaMemory allocate(OpenClDevice device, Schedule schedule) {
      ArenaMemory a = new ArenaMemory(device.allocator(), schedule.slots().size());
      Description d = device.description();
      boolean whole =
          Schedule.ALIGN % d.baseAlign() == 0 && schedule.arenaBytes() <= d.maxAllocation();
      try {
        cl_mem arena = null;
        for (int s = 0; s < a.arguments.length; s++) {
          Schedule.Slot slot = schedule.slots().get(s);
          if (slot.place() instanceof Schedule.Place.Arena place) {
            if (whole && slot.bytes() > 0) {
              arena = arena == null ? a.own(schedule.arenaBytes()) : arena;
              a.arguments[s] = Pointer.to(a.view(arena, place.offset(), slot.bytes()));
            } else {
              a.arguments[s] = Pointer.to(a.own(slot.bytes()));
            }
          }
        }
        return a;
      } catch (RuntimeException e) {
        a.close();
        throw e;
      }
    }

    private cl_mem own(long bytes) {
      cl_mem m = memory.allocate(bytes);
      owned.add(m);
      sizes.add(bytes);
      return m;
    }

    private cl_mem view(cl_mem arena, long offset, long bytes) {
      int[] status = new int[1];
      cl_mem m =
          CL.clCreateSubBuffer(
              arena,
              CL.CL_MEM_READ_WRITE,
              CL.CL_BUFFER_CREATE_TYPE_REGION,
              new cl_buffer_region(offset, bytes),
              status);
      Cl.check(status[0], "clCreateSubBuffer of " + bytes + " bytes at " + offset);
      views.add(m);
      return m;
    }

    /** The argument for an arena slot, null for a slot that the caller gives. */
    Pointer argument(int slot) {
      return arguments[slot];
    }

    @Override
    public void close() {
      views.forEach(v -> Cl.released(CL.clReleaseMemObject(v)));
      for (int i = 0; i < owned.size(); i++) {
        memory.release(owned.get(i), sizes.get(i));
      }
      views.clear();
      owned.clear();
    }
  }
}
