package tapedeck.ad.run;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.TapeRunner;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Evaluator;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Primitive;
import tapedeck.ad.tensor.Storage;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.SourceLine;

/**
 * Evaluates primitives and tapes on concrete tensors. Each distinct tape is scheduled and compiled
 * once per device and settings; after that a run allocates its results and submits its kernels.
 * Work runs on the device of the operands, which must be one and the same, or on the default device
 * if no operand has one.
 */
public final class Engine implements Evaluator, TapeRunner {
  /** Constants up to this size are written from the host rather than computed by a kernel. */
  private static final long SMALL_BYTES = 64 << 10;

  private static final Literals LITERALS = new Literals();
  private static final ExecutableCache CACHE = new ExecutableCache(Engine::compile);

  private static volatile Compiling compiling = new Compiling(new String[0], "");

  static {
    Devices.onClose(
        d -> {
          CACHE.drop(d);
          DeviceMemory.forget(d);
        });
  }

  /** For the service loader; all instances are alike. */
  public Engine() {}

  // ---- services -------------------------------------------------------------------------------

  @Override
  public List<Tensor> evaluate(Primitive primitive, List<Tensor> operands, List<Aval> results) {
    if (operands.isEmpty()) {
      Tensor c = constant(primitive, results.get(0), Devices.defaultDevice());
      TensorScope.forget(c.storage());
      return List.of(c);
    }
    Map<Tensor, Var> names = new IdentityHashMap<>();
    List<Tensor> inputs = new ArrayList<>();
    for (Tensor t : operands) {
      if (!isDeferred(t) && !names.containsKey(t)) {
        names.put(t, new Var(inputs.size(), t.aval()));
        inputs.add(t);
      }
    }
    List<Var> in = List.copyOf(names.values().stream().sorted((a, b) -> a.id() - b.id()).toList());
    List<Eqn> eqns = new ArrayList<>();
    int next = in.size();
    for (Tensor t : operands) {
      if (!names.containsKey(t)) {
        Var v = new Var(next++, t.aval());
        names.put(t, v);
        eqns.add(new Eqn(t.pending(), List.of(), List.of(v), ""));
      }
    }
    List<Var> out = new ArrayList<>();
    for (Aval a : results) {
      out.add(new Var(next++, a));
    }
    eqns.add(
        new Eqn(primitive, operands.stream().map(names::get).toList(), out, SourceLine.find()));
    return runAny(InlineCustom.inline(new Tape(in, 0, eqns, out)), inputs);
  }

  /** Whether a tensor is a constant without memory. */
  private static boolean isDeferred(Tensor t) {
    return t.pending() != null && t.device().isEmpty() && !t.isClosed();
  }

  @Override
  public Storage upload(Aval aval, MemorySegment data, String device) {
    return upload(aval, data, device.isEmpty() ? Devices.defaultDevice() : Devices.open(device));
  }

  private static DeviceStorage upload(Aval aval, MemorySegment data, Device device) {
    Events.@Nullable Uploaded event = Events.areOn() ? new Events.Uploaded() : null;
    if (event != null) {
      event.begin();
    }
    DeviceMemory memory = DeviceMemory.of(device);
    Buffer b = memory.allocate(aval.bytes());
    boolean done = false;
    try {
      device.write(b, data);
      done = true;
    } finally {
      if (!done) {
        memory.release(b);
      }
    }
    if (event != null) {
      event.device = device.name();
      event.bytes = data.byteSize();
      event.commit();
    }
    return new DeviceStorage(aval, memory, b);
  }

  @Override
  public List<Tensor> run(Tape tape, List<Tensor> inputs) {
    return runAny(InlineCustom.inline(tape), inputs);
  }

  private static List<Tensor> runAny(Trace.Result plain, List<Tensor> inputs) {
    return runAny(plain.tape(), plain.inputs(inputs));
  }

  /** Runs a tape that may come again with other constants. */
  private static List<Tensor> runAny(Tape tape, List<Tensor> inputs) {
    Literals.Lifted lifted = LITERALS.choose(tape);
    if (lifted.values().isEmpty()) {
      return replay(tape.closed(), inputs, Set.of());
    }
    Device device = device(inputs);
    List<Tensor> all = new ArrayList<>(inputs);
    int own = inputs.size();
    try {
      for (Full f : lifted.values()) {
        Full scalar = new Full(f.dtype(), Shape.SCALAR, f.value());
        all.add(constant(scalar, new Aval(f.dtype(), Shape.SCALAR), device));
      }
      return replay(lifted.tape(), all, Set.of());
    } finally {
      all.subList(own, all.size()).forEach(Tensor::close);
    }
  }

  // ---- runs with donation ---------------------------------------------------------------------

  /**
   * Runs a tape. Inputs at donated positions are closed; their memory goes to results where it
   * fits. A tensor that is passed at several positions is not donated.
   *
   * @param tape what to run
   * @param inputs one concrete tensor per input of the tape, constants first
   * @param donated positions of inputs that the run may overwrite
   * @return one concrete tensor per output; the device may still be computing it
   * @throws DeviceException if the inputs live on different devices
   * @throws ClosedException if an input is closed
   */
  public static List<Tensor> run(Tape tape, List<Tensor> inputs, Set<Integer> donated) {
    Trace.Result plain = InlineCustom.inline(tape);
    return replay(plain.tape().closed(), plain.inputs(inputs), shifted(donated, plain));
  }

  /** Positions after the constants that inlining put in front. */
  private static Set<Integer> shifted(Set<Integer> donated, Trace.Result plain) {
    int shift = plain.consts().size();
    Set<Integer> out = new TreeSet<>();
    donated.forEach(i -> out.add(i + shift));
    return out;
  }

  /**
   * As {@link #run(Tape, List, Set)}, for a tape without constants and custom rules, as the replay
   * of a step is.
   *
   * @param tape what to run, best the one that {@link #compile} returned
   * @param inputs one concrete tensor per input of the tape
   * @param donated positions of inputs that the run may overwrite
   * @return one concrete tensor per output; the device may still be computing it
   * @throws DeviceException if the inputs live on different devices
   * @throws ClosedException if an input is closed
   */
  public static List<Tensor> replay(Tape tape, List<Tensor> inputs, Set<Integer> donated) {
    Device device = device(inputs);
    Set<Integer> given = ownedOnce(inputs, donated);
    CompiledTape compiled = CACHE.retain(key(tape, given, device));
    try {
      List<DeviceStorage> storages = new ArrayList<>(inputs.size());
      for (Tensor t : inputs) {
        storages.add(storage(t, device));
      }
      List<Tensor> out = compiled.run(storages);
      for (int i : given) {
        inputs.get(i).close();
      }
      return out;
    } finally {
      compiled.release();
    }
  }

  private static Set<Integer> ownedOnce(List<Tensor> inputs, Set<Integer> donated) {
    if (donated.isEmpty()) {
      return Set.of();
    }
    Map<Tensor, Integer> count = new IdentityHashMap<>();
    inputs.forEach(t -> count.merge(t, 1, Integer::sum));
    Set<Integer> out = new TreeSet<>(donated);
    out.removeIf(i -> count.get(inputs.get(i)) > 1);
    return out.size() == donated.size() ? donated : out;
  }

  /**
   * Compiles a tape without constants and custom rules.
   *
   * @param tape what will be run
   * @param donated positions of inputs that runs may overwrite
   * @param device name of the device, which is opened if need be
   * @return the equal tape that was compiled first: replays of that one find their executable
   *     without comparing equations
   * @throws DeviceException if there is no such device or a kernel does not build
   */
  public static Tape compile(Tape tape, Set<Integer> donated, String device) {
    CompiledTape c = CACHE.retain(key(tape, donated, Devices.open(device)));
    try {
      return c.tape();
    } finally {
      c.release();
    }
  }

  /**
   * The schedule with which a tape runs on a device; compiles it if that is still to be done.
   *
   * @param tape what is run; custom rules are inlined
   * @param donated positions of inputs that runs may overwrite
   * @param device name of the device, which is opened if need be
   * @return kernels in order and the memory they use
   * @throws DeviceException if there is no such device or a kernel does not build
   */
  public static Schedule schedule(Tape tape, Set<Integer> donated, String device) {
    Trace.Result plain = InlineCustom.inline(tape);
    CompiledTape c = CACHE.retain(key(plain.tape(), shifted(donated, plain), Devices.open(device)));
    try {
      return c.schedule();
    } finally {
      c.release();
    }
  }

  private static ExecutableCache.Key key(Tape tape, Set<Integer> donated, Device device) {
    return new ExecutableCache.Key(tape.closed(), donated, device, settings());
  }

  /** {@return the settings in force that change what is compiled, as text} */
  public static String settings() {
    String[] now = {
      Settings.ORDER.get(),
      Settings.FUSE.get(),
      Settings.JOIN.get(),
      Settings.PLAN.get(),
      Settings.VALIDATE.get(),
      Settings.NANS.get(),
      Settings.WITHOUT.get(),
      Precision.current().toString()
    };
    Compiling known = compiling;
    if (!Arrays.equals(known.values(), now)) {
      known = new Compiling(now, String.join(" ", now));
      compiling = known;
    }
    return known.text();
  }

  /** Settings and their text, kept because every run asks for it. */
  private record Compiling(String[] values, String text) {}

  /**
   * {@return the name of the device on which work with these tensors runs: theirs, or the default
   * one if none has memory}
   *
   * @param inputs concrete tensors; constants without memory have no device
   * @throws DeviceException if they live on different devices
   */
  public static String deviceOf(List<Tensor> inputs) {
    return device(inputs).name();
  }

  private static Device device(List<Tensor> inputs) {
    String name = "";
    for (Tensor t : inputs) {
      String d = t.device();
      if (!d.isEmpty() && !name.isEmpty() && !d.equals(name)) {
        throw SourceLine.at(
            new DeviceException(
                "[device] operands are on different devices: "
                    + places(inputs)
                    + "; move one with to(\""
                    + name
                    + "\")"));
      }
      name = d.isEmpty() ? name : d;
    }
    return name.isEmpty() ? Devices.defaultDevice() : Devices.open(name);
  }

  private static String places(List<Tensor> inputs) {
    Map<String, String> example = new LinkedHashMap<>();
    for (Tensor t : inputs) {
      if (!t.device().isEmpty()) {
        example.putIfAbsent(t.device(), t.aval() + " on " + t.device());
      }
    }
    return String.join(", ", example.values());
  }

  private static DeviceStorage storage(Tensor t, Device device) {
    if (isDeferred(t) && device != Devices.defaultDevice()) {
      return (DeviceStorage) constant(t.pending(), t.aval(), device).storage();
    }
    DeviceStorage s = (DeviceStorage) t.storage();
    if (s.hardware() != device) {
      throw SourceLine.at(
          new ClosedException(
              "[value] tensor " + t.aval() + " was on a device that has been closed"));
    }
    return s;
  }

  /** A tensor with memory from an operation without operands. */
  private static Tensor constant(Primitive op, Aval aval, Device device) {
    if (op instanceof Full f && aval.bytes() <= SMALL_BYTES) {
      return Tensor.concrete(aval, upload(aval, filled(f), device));
    }
    Var v = new Var(0, aval);
    Tape tape = new Tape(List.of(), 0, List.of(new Eqn(op, List.of(), List.of(v), "")), List.of(v));
    CompiledTape compiled = CACHE.retain(key(tape, Set.of(), device));
    try {
      return compiled.run(List.of()).get(0);
    } finally {
      compiled.release();
    }
  }

  private static MemorySegment filled(Full f) {
    ByteBuffer b = ByteBuffer.allocate(Math.toIntExact(f.shape().size() * f.dtype().bytes()));
    b.order(ByteOrder.LITTLE_ENDIAN);
    while (b.hasRemaining()) {
      switch (f.dtype()) {
        case FLOAT32 -> b.putFloat((float) f.value());
        case FLOAT64 -> b.putDouble(f.value());
        case INT32 -> b.putInt((int) f.value());
        case BOOL -> b.put((byte) (f.value() != 0 ? 1 : 0));
      }
    }
    return MemorySegment.ofArray(b.array());
  }

  // ---- compilation ----------------------------------------------------------------------------

  private static CompiledTape compile(ExecutableCache.Key key) {
    Events.@Nullable Compiled event = Events.areOn() ? new Events.Compiled() : null;
    if (event != null) {
      event.begin();
    }
    long start = System.nanoTime();
    Schedule schedule = Scheduler.schedule(key.tape(), key.donated());
    DeviceMemory memory = DeviceMemory.of(key.device());
    boolean validate = Settings.VALIDATE.is("cpu");
    boolean nans = Settings.NANS.is("error");
    Executable e =
        memory.retry(
            () ->
                validate || nans
                    ? CheckedExecutable.compile(key.device(), schedule, validate, nans)
                    : key.device().compile(schedule),
            schedule.arenaBytes());
    if (event != null) {
      event.device = key.device().name();
      event.equations = key.tape().eqns().size();
      event.kernels = schedule.launches().size();
      event.arenaBytes = schedule.arenaBytes();
      event.commit();
    }
    Dumps.compiled(key.device().name(), key.tape(), schedule, (System.nanoTime() - start) / 1e6);
    return new CompiledTape(memory, schedule, e, key.tape(), key.donated());
  }

  /** {@return the number of tapes that were compiled so far, on all devices} */
  public static long compilations() {
    return CACHE.compilations();
  }

  /**
   * Drops everything that was compiled for a device; later runs compile again.
   *
   * @param device the device; what a run in progress uses is freed when it is done
   */
  public static void dropCaches(Device device) {
    CACHE.drop(device);
  }

  /**
   * Frees the device's pooled buffers.
   *
   * @param device the device; memory of tensors stays
   */
  public static void trimPools(Device device) {
    DeviceMemory.of(device).trim();
  }

  /**
   * Frees everything that is not in use: compiled tapes, pooled buffers, and the memory of tensors
   * that the garbage collector can find. After this {@link Device#memory} counts exactly the
   * tensors that are in use.
   *
   * @param device the device; takes a garbage collection
   */
  public static void collect(Device device) {
    DeviceMemory.of(device).relieve();
  }
}
