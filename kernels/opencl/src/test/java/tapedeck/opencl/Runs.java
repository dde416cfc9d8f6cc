package tapedeck.opencl;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;

/** Runs single kernels on a device, with host values as float64. */
final class Runs {
  private Runs() {}

  /** A kernel with values of its inputs; parameters with equal slot numbers share memory. */
  record Case(Kernel kernel, List<Integer> slots, List<double[]> inputs) {

    /** The same case with a parameter said to be so large that indices need 64 bits. */
    Case wide() {
      List<Kernel.Param> params = new ArrayList<>(kernel.params());
      Kernel.Param p = params.get(0);
      params.set(0, new Kernel.Param(p.dtype(), 1L << 33, p.read(), p.written()));
      return new Case(
          new Kernel(params, kernel.grid(), kernel.phases(), kernel.contraction()), slots, inputs);
    }

    long elements(int param) {
      boolean input = param < inputs.size();
      return input ? inputs.get(param).length : kernel.params().get(param).elements();
    }
  }

  /**
   * A schedule with a launch for each case. Parameters that are only read become inputs, written
   * ones outputs; one that shares an input's slot is donated.
   */
  static Schedule schedule(List<Case> cases) {
    List<Schedule.Slot> slots = new ArrayList<>();
    List<Integer> inputs = new ArrayList<>();
    List<Integer> outputs = new ArrayList<>();
    List<Schedule.Launch> launches = new ArrayList<>();
    for (Case c : cases) {
      Map<Integer, Integer> known = new HashMap<>();
      List<Integer> launch = new ArrayList<>();
      for (int i = 0; i < c.slots().size(); i++) {
        Kernel.Param p = c.kernel().params().get(i);
        Integer slot = known.get(c.slots().get(i));
        if (slot == null) {
          slot = slots.size();
          known.put(c.slots().get(i), slot);
          boolean in = isInput(c, i);
          slots.add(
              new Schedule.Slot(
                  p.dtype(),
                  c.elements(i),
                  in
                      ? new Schedule.Place.Input(inputs.size())
                      : new Schedule.Place.Output(outputs.size())));
          if (in) {
            inputs.add(slot);
          } else {
            outputs.add(slot);
          }
        }
        if (p.written() && !outputs.contains(slot)) {
          outputs.add(slot);
        }
        launch.add(slot);
      }
      launches.add(new Schedule.Launch(c.kernel(), "case" + launches.size(), "", launch));
    }
    return new Schedule(slots, launches, inputs, outputs, 0, 0);
  }

  private static boolean isInput(Case c, int param) {
    for (int j = 0; j < c.slots().size(); j++) {
      if (c.slots().get(j).equals(c.slots().get(param)) && !c.kernel().params().get(j).written()) {
        return true;
      }
    }
    return false;
  }

  static List<double[]> run(Device d, Kernel k, List<double[]> inputs) {
    return run(d, List.of(new Case(k, distinct(k), inputs)));
  }

  /** Values of all outputs. Buffers that are only written start with a poison value. */
  static List<double[]> run(Device d, List<Case> cases) {
    return run(d, cases, d::compile);
  }

  /** The same with a way to compile. */
  static List<double[]> run(Device d, List<Case> cases, Function<Schedule, Executable> compiler) {
    Schedule s = schedule(cases);
    List<double[]> values = cases.stream().flatMap(c -> c.inputs().stream()).toList();
    List<Buffer> in = new ArrayList<>();
    List<Buffer> out = new ArrayList<>();
    try (Executable e = compiler.apply(s)) {
      for (int i = 0; i < s.inputs().size(); i++) {
        Schedule.Slot slot = s.slots().get(s.inputs().get(i));
        in.add(d.allocate(slot.bytes()));
        d.write(in.get(i), segment(slot.dtype(), values.get(i)));
      }
      for (int slotId : s.outputs()) {
        Schedule.Slot slot = s.slots().get(slotId);
        if (slot.place() instanceof Schedule.Place.Input p) {
          out.add(in.get(p.position()));
        } else {
          Buffer b = d.allocate(slot.bytes());
          double[] poison = new double[(int) slot.elements()];
          Arrays.fill(poison, slot.dtype() == DType.BOOL ? 1 : -77777);
          out.add(b);
          d.write(b, segment(slot.dtype(), poison));
        }
      }
      e.run(in, out);
      List<double[]> result = new ArrayList<>();
      for (int i = 0; i < out.size(); i++) {
        Schedule.Slot slot = s.slots().get(s.outputs().get(i));
        result.add(read(d, out.get(i), slot.dtype(), (int) slot.elements()));
      }
      return result;
    } finally {
      in.forEach(Buffer::close);
      out.forEach(Buffer::close);
    }
  }

  static List<Integer> distinct(Kernel k) {
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < k.params().size(); i++) {
      out.add(i);
    }
    return out;
  }

  static double[] read(Device d, Buffer b, DType t, int n) {
    MemorySegment m = segment(t, new double[n]);
    d.read(b, m);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] =
          switch (t) {
            case FLOAT32 -> m.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
            case FLOAT64 -> m.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
            case INT32 -> m.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
            case BOOL -> m.get(ValueLayout.JAVA_BYTE, i);
          };
    }
    return v;
  }

  static MemorySegment segment(DType t, double[] v) {
    MemorySegment m = MemorySegment.ofArray(new byte[v.length * t.bytes()]);
    for (int i = 0; i < v.length; i++) {
      switch (t) {
        case FLOAT32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, (float) v[i]);
        case FLOAT64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i, v[i]);
        case INT32 -> m.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, (int) v[i]);
        case BOOL -> m.set(ValueLayout.JAVA_BYTE, i, (byte) (v[i] != 0 ? 1 : 0));
      }
    }
    return m;
  }
}
