package tapedeck.bench.work;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Schedule.Launch;
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.schedule.Schedule.Slot;
import tapedeck.ad.type.DType;
import tapedeck.bench.report.Stats;
import tapedeck.opencl.Profiled;

/**
 * The time of each kernel of a schedule. A device that records times tells them; on others each
 * kernel is an executable of its own, and the host takes the time around it and the wait for it.
 * Operands are numbers in (0, 1), which the kernels before it then overwrite as they do in earnest.
 */
public final class KernelTimes {
  /** Of the OpenCL backend; read when a device is opened. */
  public static final String PROFILING = "tapedeck.opencl.profiling";

  private static final int WARM_UP = 30;
  private static final int ROUNDS = 31;

  private KernelTimes() {}

  /**
   * What was found.
   *
   * @param source {@code device} or {@code host}
   * @param seconds medians, by launch
   */
  public record Times(String source, double[] seconds) {}

  /** Measures all kernels of a schedule, in the order in which a run has them. */
  public static Times measure(Device device, Schedule schedule) {
    List<Buffer> buffers = new ArrayList<>();
    try {
      for (Slot s : schedule.slots()) {
        Buffer b = device.allocate(s.bytes());
        buffers.add(b);
        device.write(b, numbers(s));
      }
      try (Executable whole = device.compile(schedule)) {
        if (whole instanceof Profiled p && "on".equals(System.getProperty(PROFILING))) {
          return new Times("device", profiled(schedule, buffers, whole, p));
        }
      }
      return new Times("host", timed(device, schedule, buffers));
    } finally {
      buffers.forEach(Buffer::close);
    }
  }

  private static MemorySegment numbers(Slot s) {
    MemorySegment m = MemorySegment.ofArray(new byte[Math.toIntExact(s.bytes())]);
    for (long i = 0; i < s.elements(); i++) {
      double v = (i * 7919 % 1009 + 1) / 1011.0;
      switch (s.dtype()) {
        case FLOAT32 -> m.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i, (float) v);
        case FLOAT64 -> m.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * i, v);
        case INT32 -> m.set(ValueLayout.JAVA_INT_UNALIGNED, 4 * i, (int) (i % 2));
        case BOOL -> m.set(ValueLayout.JAVA_BYTE, i * DType.BOOL.bytes(), (byte) (i % 2));
      }
    }
    return m;
  }

  private static double[] profiled(
      Schedule schedule, List<Buffer> buffers, Executable whole, Profiled times) {
    List<Buffer> in = schedule.inputs().stream().map(buffers::get).toList();
    List<Buffer> out = schedule.outputs().stream().map(buffers::get).toList();
    int n = schedule.launches().size();
    double[][] samples = new double[n][ROUNDS];
    for (int r = -WARM_UP; r < ROUNDS; r++) {
      whole.run(in, out);
      List<Profiled.KernelTime> t = times.kernelTimes();
      for (int k = 0; k < n && r >= 0; k++) {
        samples[k][r] = (t.get(k).endNanos() - t.get(k).startNanos()) * 1e-9;
      }
    }
    return medians(samples);
  }

  private static double[] timed(Device device, Schedule schedule, List<Buffer> buffers) {
    List<Executable> alone = new ArrayList<>();
    List<List<Buffer>> in = new ArrayList<>();
    List<List<Buffer>> out = new ArrayList<>();
    try {
      for (Launch l : schedule.launches()) {
        List<Integer> used = l.slots().stream().distinct().toList();
        alone.add(device.compile(single(schedule, l, used)));
        in.add(used.stream().map(buffers::get).toList());
        out.add(written(l).stream().map(buffers::get).toList());
      }
      double[][] samples = new double[alone.size()][ROUNDS];
      for (int r = -WARM_UP; r < ROUNDS; r++) {
        for (int k = 0; k < alone.size(); k++) {
          long start = System.nanoTime();
          alone.get(k).run(in.get(k), out.get(k));
          device.synchronize();
          if (r >= 0) {
            samples[k][r] = (System.nanoTime() - start) * 1e-9;
          }
        }
      }
      return medians(samples);
    } finally {
      alone.forEach(Executable::close);
    }
  }

  /** One launch as a schedule: every slot is an input, and those that are written are outputs. */
  private static Schedule single(Schedule schedule, Launch l, List<Integer> used) {
    List<Slot> slots = new ArrayList<>();
    List<Integer> inputs = new ArrayList<>();
    for (int i = 0; i < used.size(); i++) {
      Slot s = schedule.slots().get(used.get(i));
      slots.add(new Slot(s.dtype(), s.elements(), new Place.Input(i)));
      inputs.add(i);
    }
    List<Integer> outputs = written(l).stream().map(used::indexOf).toList();
    List<Integer> params = l.slots().stream().map(used::indexOf).toList();
    return new Schedule(
        slots,
        List.of(new Launch(l.kernel(), l.label(), l.source(), params)),
        inputs,
        outputs,
        0,
        0);
  }

  private static List<Integer> written(Launch l) {
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < l.slots().size(); i++) {
      if (l.kernel().params().get(i).written() && !out.contains(l.slots().get(i))) {
        out.add(l.slots().get(i));
      }
    }
    return out;
  }

  private static double[] medians(double[][] samples) {
    double[] m = new double[samples.length];
    for (int k = 0; k < m.length; k++) {
      m[k] = Stats.median(samples[k]);
    }
    return m;
  }
}
