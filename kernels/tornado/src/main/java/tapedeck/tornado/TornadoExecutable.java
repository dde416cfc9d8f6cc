package tapedeck.tornado;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoTaskGraphInterface;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.memory.DeviceBufferState;
import uk.ac.manchester.tornado.api.memory.XPUBuffer;
import uk.ac.manchester.tornado.api.runtime.ExecutorFrame;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.DoubleArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A schedule as a task graph in one execution plan. The graph's arrays are placeholders of one
 * element: before a run each gets the device memory of the buffer that takes its place, so nothing
 * is copied between host and device, and a run after the first compiles nothing. A run returns when
 * its kernels are in the device's queue.
 */
final class TornadoExecutable implements Executable {
  private final TapedeckDevice device;
  private final Schedule schedule;
  private final TornadoExecutionPlan plan;
  private final DeviceBufferState[][] states;
  private final SlotMemory arena;
  private final Frames frames;
  private final List<TornadoTaskGraphInterface> graphs;
  private final List<Launches.Task> tasks;

  /** What runs it once TornadoVM has done so, where that is possible. */
  private Optional<Launches> launches = Optional.empty();

  private boolean ran;
  private boolean closed;

  private TornadoExecutable(
      TapedeckDevice device,
      Schedule schedule,
      TornadoExecutionPlan plan,
      DeviceBufferState[][] states,
      SlotMemory arena,
      Frames frames,
      List<TornadoTaskGraphInterface> graphs,
      List<Launches.Task> tasks) {
    this.device = device;
    this.schedule = schedule;
    this.plan = plan;
    this.states = states;
    this.arena = arena;
    this.frames = frames;
    this.graphs = graphs;
    this.tasks = tasks;
  }

  /**
   * Builds the graph and compiles its kernels.
   *
   * @throws tapedeck.ad.type.OutOfDeviceMemoryException if there is no room
   * @throws DTypeException if a kernel computes with a type that the device lacks
   * @throws DeviceException if TornadoVM does not compile a kernel
   */
  static TornadoExecutable compile(TapedeckDevice device, Schedule schedule) {
    return compile(device, schedule, device.kernels()::get);
  }

  /** The same with kernel classes from elsewhere, for tests. */
  static TornadoExecutable compile(
      TapedeckDevice device, Schedule planned, Function<Kernel, Kernels.Loaded> kernels) {
    checkTypes(device, planned);
    Schedule schedule = Splitter.split(planned);
    // Before kernels are refused that such large buffers would need.
    schedule.slots().forEach(s -> device.allocator().checkSize(s.bytes()));
    List<List<Object>> arrays = placeholders(schedule);
    SlotMemory arena = SlotMemory.allocate(device.allocator(), schedule);
    if (schedule.launches().isEmpty()) {
      return new TornadoExecutable(
          device,
          schedule,
          null,
          new DeviceBufferState[0][0],
          arena,
          new Frames(),
          List.of(),
          List.of());
    }
    try {
      Graphs graphs = new Graphs(arrays);
      for (Schedule.Launch l : schedule.launches()) {
        graphs.add(kernels.apply(l.kernel()), l.slots());
      }
      ImmutableTaskGraph[] fixed = graphs.snapshots();
      TornadoExecutionPlan plan =
          new TornadoExecutionPlan(fixed)
              .withDevice(device.device())
              .withGridScheduler(graphs.grids());
      device
          .compilerFlags()
          .ifPresent(flags -> plan.withCompilerFlags(TornadoVMBackendType.OPENCL, flags));
      DeviceBufferState[][] states = new DeviceBufferState[arrays.size()][];
      for (int s = 0; s < states.length; s++) {
        List<DeviceBufferState> all = new ArrayList<>();
        for (Object array : arrays.get(s)) {
          for (ImmutableTaskGraph g : fixed) {
            DeviceBufferState state = Internals.state(g, array, device.device());
            state.setContents(true);
            arena.bind(s, state);
            all.add(state);
          }
        }
        states[s] = all.toArray(DeviceBufferState[]::new);
      }
      plan.withPreCompilation();
      Frames frames = Frames.replace(fixed, device.device());
      List<TornadoTaskGraphInterface> runners =
          Arrays.stream(fixed).map(Internals::runner).toList();
      return new TornadoExecutable(
          device, schedule, plan, states, arena, frames, runners, graphs.tasks());
    } catch (RuntimeException | InternalError | TornadoInternalError e) {
      arena.close();
      throw failure("compile", schedule, e);
    }
  }

  private static void checkTypes(TapedeckDevice device, Schedule schedule) {
    for (Schedule.Launch l : schedule.launches()) {
      boolean f64 =
          schedule.slots().stream().anyMatch(s -> s.dtype() == DType.FLOAT64)
              || l.kernel().params().stream().anyMatch(p -> p.dtype() == DType.FLOAT64);
      if (f64 && !device.supports(DType.FLOAT64)) {
        throw new DTypeException(
            "["
                + l.label()
                + "] device "
                + device.name()
                + " ("
                + device.info().description()
                + ") has no f64"
                + (l.source().isEmpty() ? "" : "; at " + l.source()));
      }
    }
  }

  /**
   * An array for each slot, and a further one for each time that a launch has the slot again, as
   * where it works in place: TornadoVM would make the launch wait for itself. What orders launches
   * is the device's queue.
   */
  private static List<List<Object>> placeholders(Schedule schedule) {
    List<List<Object>> out = new ArrayList<>();
    for (Schedule.Slot s : schedule.slots()) {
      out.add(new ArrayList<>(List.of(placeholder(s.dtype()))));
    }
    for (Schedule.Launch l : schedule.launches()) {
      for (int slot : l.slots()) {
        while (out.get(slot).size() < Collections.frequency(l.slots(), slot)) {
          out.get(slot).add(placeholder(schedule.slots().get(slot).dtype()));
        }
      }
    }
    return out;
  }

  private static Object placeholder(DType t) {
    return switch (t) {
      case FLOAT32 -> new FloatArray(1);
      case FLOAT64 -> new DoubleArray(1);
      case INT32 -> new IntArray(1);
      case BOOL -> new ByteArray(1);
    };
  }

  private static RuntimeException failure(String verb, Schedule schedule, Throwable e) {
    if (e instanceof DeviceException d) {
      return d;
    }
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return new DeviceException(
        "["
            + verb
            + "] TornadoVM: "
            + e.getMessage()
            + (root == e ? "" : " (" + root + ")")
            + "; kernels: "
            + String.join(
                ", ",
                schedule.launches().stream()
                    .map(l -> l.label() + (l.source().isEmpty() ? "" : " at " + l.source()))
                    .distinct()
                    .toList()),
        e);
  }

  @Override
  public void run(List<Buffer> inputs, List<Buffer> outputs) {
    check(inputs, schedule.inputs(), "inputs");
    check(outputs, schedule.outputs(), "outputs");
    device.checkOpen();
    device.exclusively(() -> execute(inputs, outputs));
  }

  private void execute(List<Buffer> inputs, List<Buffer> outputs) {
    if (closed) {
      throw new ClosedException("[tornado] executable was run after it was closed");
    }
    bind(inputs, schedule.inputs(), "input");
    bind(outputs, schedule.outputs(), "output");
    if (plan == null) {
      return;
    }
    try {
      if (launches.isPresent()) {
        device.use(TapedeckDevice.SHARED);
        launches.get().run();
      } else {
        interpret();
      }
    } catch (RuntimeException | InternalError | TornadoInternalError e) {
      throw failure("run", schedule, e);
    }
  }

  /** Lets TornadoVM run the graphs, and takes over what it has prepared. */
  private void interpret() {
    device.use(plan.getId());
    ExecutorFrame id = new ExecutorFrame(plan.getId());
    graphs.forEach(g -> g.execute(id));
    if (!ran) {
      ran = true;
      launches = device.queue().flatMap(q -> Launches.of(q, plan.getId(), tasks, states.length));
    }
  }

  private static void check(List<Buffer> given, List<Integer> slots, String what) {
    if (given.size() != slots.size()) {
      throw new DeviceException(
          "[run] " + given.size() + " " + what + " given, " + slots.size() + " expected");
    }
  }

  private void bind(List<Buffer> given, List<Integer> slots, String what) {
    for (int i = 0; i < slots.size(); i++) {
      int slot = slots.get(i);
      TornadoBuffer b =
          device.own(given.get(i), schedule.slots().get(slot).bytes(), "run, " + what + " " + i);
      if (plan == null) {
        b.memory();
      } else {
        XPUBuffer memory = b.memory();
        for (DeviceBufferState s : states[slot]) {
          s.setXPUBuffer(memory);
        }
        launches.ifPresent(l -> l.bind(slot, memory));
      }
    }
  }

  /** Whether the next run does without TornadoVM's interpreter. */
  boolean launchesItself() {
    return launches.isPresent();
  }

  /** The launch frames, for tests. */
  Frames frames() {
    return frames;
  }

  @Override
  public void close() {
    device.exclusively(this::release);
  }

  private void release() {
    if (closed) {
      return;
    }
    closed = true;
    device.use(TapedeckDevice.SHARED);
    device.released(this);
    try {
      if (launches.isPresent()) {
        device.device().sync(TapedeckDevice.SHARED);
      }
      if (plan != null) {
        // The plan would free the memory that its arrays have, which is not its own.
        for (DeviceBufferState[] slot : states) {
          for (DeviceBufferState s : slot) {
            s.setXPUBuffer(null);
          }
        }
        plan.close();
        frames.close();
        // What closing leaves behind is this plan's, but every other plan would refuse to run.
        device.device().getDeviceContext().setResetToFalse();
      }
    } catch (TornadoExecutionPlanException e) {
      throw new DeviceException("[tornado] closing a plan failed", e);
    } finally {
      arena.close();
    }
  }
}
