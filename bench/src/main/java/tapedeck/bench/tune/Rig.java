package tapedeck.bench.tune;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.type.DeviceException;
import tapedeck.opencl.Profiled;
import tapedeck.opencl.Tunable;
import tapedeck.opencl.tuning.Tuning;

/** A device of its own that times kernels, with the inputs and outputs of some work on it. */
final class Rig implements AutoCloseable {
  private static final String PROFILING = "tapedeck.opencl.profiling";

  /** A sample has as many runs as take this long together. */
  private static final double SAMPLE_SECONDS = 1e-3;

  private static final int MOST_RUNS = 50;

  private record Loaded(List<Buffer> inputs, Buffer output) {}

  private final Device device;
  private final List<Work> works;
  private final Map<Work, Loaded> loaded = new IdentityHashMap<>();

  /**
   * Opens a device and copies the inputs of some work to it.
   *
   * @throws DeviceException if the device is not one with parameters, or its memory is full
   */
  Rig(Supplier<Device> opener, List<Work> works) {
    this.works = List.copyOf(works);
    this.device = open(opener);
    try {
      works.forEach(this::load);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  private static Device open(Supplier<Device> opener) {
    String before = System.getProperty(PROFILING);
    System.setProperty(PROFILING, "on");
    try {
      Device d = opener.get();
      if (!(d instanceof Tunable)) {
        d.close();
        throw new DeviceException("[tune] device " + d.name() + " has no parameters to tune");
      }
      return d;
    } finally {
      if (before == null) {
        System.clearProperty(PROFILING);
      } else {
        System.setProperty(PROFILING, before);
      }
    }
  }

  private void load(Work w) {
    List<Buffer> inputs = new ArrayList<>();
    for (float[] v : w.inputs()) {
      Buffer b = device.allocate(4L * v.length);
      device.write(b, MemorySegment.ofArray(v));
      inputs.add(b);
    }
    loaded.put(w, new Loaded(inputs, device.allocate(4L * w.expected().length)));
  }

  Device device() {
    return device;
  }

  Tunable tunable() {
    return (Tunable) device;
  }

  /** Texts that are equal exactly where all kernels of all work are. */
  List<String> kernels(Tuning tuning) {
    List<String> out = new ArrayList<>();
    for (Work w : works) {
      out.addAll(tunable().kernels(w.schedule(), tuning));
    }
    return out;
  }

  Executable compile(Work w, Tuning tuning) {
    return tunable().compile(w.schedule(), tuning);
  }

  /** Whether an executable gives the right result, also where an element is not written at all. */
  boolean isRight(Work w, Executable e) {
    Loaded l = loaded.get(w);
    float[] found = new float[w.expected().length];
    Arrays.fill(found, Float.NaN);
    device.write(l.output, MemorySegment.ofArray(found));
    e.run(l.inputs, List.of(l.output));
    device.read(l.output, MemorySegment.ofArray(found));
    return w.accepts(found);
  }

  /** Seconds of device time for one run. */
  private double once(Work w, Executable e) {
    Loaded l = loaded.get(w);
    e.run(l.inputs, List.of(l.output));
    long nanos = 0;
    for (Profiled.KernelTime t : ((Profiled) e).kernelTimes()) {
      nanos += t.endNanos() - t.startNanos();
    }
    if (nanos <= 0) {
      throw new DeviceException("[tune] device " + device.name() + " does not time kernels");
    }
    return nanos * 1e-9;
  }

  /** One sample: the mean over some runs. */
  double sample(Work w, Executable e) {
    double sum = once(w, e);
    int runs = 1;
    while (sum < SAMPLE_SECONDS && runs < MOST_RUNS) {
      sum += once(w, e);
      runs++;
    }
    return sum / runs;
  }

  /** Frees everything that was made on the device. */
  @Override
  public void close() {
    loaded.values().forEach(l -> l.inputs.forEach(Buffer::close));
    loaded.values().forEach(l -> l.output.close());
    device.close();
  }
}
