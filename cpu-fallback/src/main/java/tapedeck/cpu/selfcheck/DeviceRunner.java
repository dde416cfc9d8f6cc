package tapedeck.cpu.selfcheck;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.run.InlineCustom;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.type.Aval;

/** Schedules, compiles and runs a tape on a device, and frees everything again. */
public final class DeviceRunner {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private DeviceRunner() {}

  /**
   * {@return the outputs of a tape, one array each, row-major}
   *
   * @param device where the tape runs
   * @param tape custom rules are inlined
   * @param inputs one array per input, row-major; values are rounded to the inputs' types
   */
  public static List<double[]> run(Device device, Tape tape, List<double[]> inputs) {
    Trace.Result plain = InlineCustom.inline(tape);
    List<double[]> all = new ArrayList<>();
    plain.consts().forEach(c -> all.add(c.toDoubleArray()));
    all.addAll(inputs);
    return run(device, Scheduler.schedule(plain.tape(), Set.of()), plain.tape(), all);
  }

  /**
   * {@return the outputs of a tape's schedule, one array each, row-major}
   *
   * @param device where the schedule runs
   * @param schedule made of the tape, with no input donated
   * @param tape gives the types of inputs and outputs
   * @param inputs one array per input, row-major; values are rounded to the inputs' types
   */
  public static List<double[]> run(
      Device device, Schedule schedule, Tape tape, List<double[]> inputs) {
    List<Buffer> in = new ArrayList<>();
    List<Buffer> out = new ArrayList<>();
    try (Executable executable = device.compile(schedule)) {
      for (int i = 0; i < inputs.size(); i++) {
        Aval a = tape.inputAvals().get(i);
        in.add(device.allocate(a.bytes()));
        device.write(in.get(i), encode(a, inputs.get(i)));
      }
      for (Aval a : tape.outputAvals()) {
        out.add(device.allocate(a.bytes()));
      }
      executable.run(in, out);
      List<double[]> results = new ArrayList<>();
      for (int i = 0; i < out.size(); i++) {
        Aval a = tape.outputAvals().get(i);
        MemorySegment s = MemorySegment.ofArray(new byte[Math.toIntExact(a.bytes())]);
        device.read(out.get(i), s);
        results.add(decode(a, s));
      }
      return results;
    } finally {
      in.forEach(Buffer::close);
      out.forEach(Buffer::close);
    }
  }

  /**
   * {@return the elements as a device stores them, little endian}
   *
   * @param a type and number of the elements
   * @param x values, which are rounded to the type
   */
  public static MemorySegment encode(Aval a, double[] x) {
    MemorySegment s = MemorySegment.ofArray(new byte[Math.toIntExact(a.bytes())]);
    for (int i = 0; i < x.length; i++) {
      switch (a.dtype()) {
        case FLOAT32 -> s.set(FLOAT, 4L * i, (float) x[i]);
        case FLOAT64 -> s.set(DOUBLE, 8L * i, x[i]);
        case INT32 -> s.set(INT, 4L * i, (int) x[i]);
        case BOOL -> s.set(ValueLayout.JAVA_BYTE, i, (byte) (x[i] != 0 ? 1 : 0));
      }
    }
    return s;
  }

  /**
   * {@return the elements as float64}
   *
   * @param a type and number of the elements
   * @param s elements as a device stores them, little endian
   */
  public static double[] decode(Aval a, MemorySegment s) {
    double[] out = new double[Math.toIntExact(a.shape().size())];
    for (int i = 0; i < out.length; i++) {
      out[i] =
          switch (a.dtype()) {
            case FLOAT32 -> s.get(FLOAT, 4L * i);
            case FLOAT64 -> s.get(DOUBLE, 8L * i);
            case INT32 -> s.get(INT, 4L * i);
            case BOOL -> s.get(ValueLayout.JAVA_BYTE, i);
          };
    }
    return out;
  }
}
