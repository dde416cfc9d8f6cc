package tapedeck.bench.tune;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.run.Engine;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.opencl.tuning.Template;

/**
 * A function with inputs and the result that every kernel for it must give. The result comes from
 * the CPU backend. Inputs are small integers, so that sums are exact in any order and the tolerance
 * can be 0 where only products and sums are computed.
 *
 * @param template what is tuned by it
 * @param name what is computed
 * @param schedule its kernels
 * @param inputs values of its inputs
 * @param expected its result
 * @param tolerance largest error relative to 1 + |expected|
 */
public record Work(
    Template template,
    String name,
    Schedule schedule,
    List<float[]> inputs,
    float[] expected,
    double tolerance) {
  private static final String CPU = "cpu";
  private static final long SEED = 1;

  /** Traces, schedules and computes on the CPU backend. */
  static Work of(
      Template template,
      String name,
      double tolerance,
      Fn1<List<Tensor>, Tensor> f,
      List<int[]> shapes) {
    return Ad.onDevice(
        CPU,
        () -> {
          Random random = new Random(SEED);
          List<Tensor> tensors = new ArrayList<>();
          List<float[]> values = new ArrayList<>();
          try {
            for (int[] shape : shapes) {
              int n = 1;
              for (int d : shape) {
                n *= d;
              }
              float[] v = new float[n];
              for (int i = 0; i < n; i++) {
                v[i] = random.nextInt(7) - 3;
              }
              values.add(v);
              tensors.add(Tensor.of(v, shape));
            }
            Tape tape = Ad.tape(f, tensors);
            if (tape.consts() != 0 || tape.outputs().size() != 1) {
              throw new IllegalArgumentException("[tune] " + name + " must be a plain function");
            }
            Schedule schedule = Engine.schedule(tape, Set.of(), CPU);
            try (Tensor result = f.apply(tensors)) {
              return new Work(template, name, schedule, values, result.toFloatArray(), tolerance);
            }
          } finally {
            tensors.forEach(Tensor::close);
          }
        });
  }

  /** Whether a result is right; NaN never is. */
  boolean accepts(float[] found) {
    if (found.length != expected.length) {
      return false;
    }
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i])))) {
        return false;
      }
    }
    return true;
  }
}
