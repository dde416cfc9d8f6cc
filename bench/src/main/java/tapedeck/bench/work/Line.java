package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;

/**
 * One measured function on the device for which it was made.
 *
 * @param name as in {@code mlp/step}; peers know it by the same name
 * @param call computes it once
 * @param schedule its kernels; asked after the first call
 * @param values the numbers that are compared with the peers', see {@link #numbers}
 * @param tolerance normwise error that is allowed between two libraries
 */
public record Line(
    String name,
    Supplier<List<Tensor>> call,
    Supplier<Schedule> schedule,
    Supplier<double[]> values,
    double tolerance) {

  /** Results longer than this are compared at every {@link #STRIDE}th number. */
  private static final int MOST = 1 << 20;

  private static final int STRIDE = 257;

  /** A function whose results are themselves what is compared. */
  static Line of(
      String name, Supplier<List<Tensor>> call, Supplier<Schedule> schedule, double tolerance) {
    return new Line(name, call, schedule, () -> numbers(call.get()), tolerance);
  }

  /** Computes it once and drops the results. */
  public void once() {
    call.get().forEach(Tensor::close);
  }

  /** All numbers of some tensors, thinned where there are very many; closes the tensors. */
  static double[] numbers(List<Tensor> tensors) {
    List<double[]> parts = new ArrayList<>();
    for (Tensor t : tensors) {
      parts.add(t.toDoubleArray());
      t.close();
    }
    return thin(parts);
  }

  static double[] thin(List<double[]> parts) {
    int n = parts.stream().mapToInt(p -> p.length).sum();
    double[] all = new double[n];
    int at = 0;
    for (double[] p : parts) {
      System.arraycopy(p, 0, all, at, p.length);
      at += p.length;
    }
    if (n <= MOST) {
      return all;
    }
    double[] out = new double[(n + STRIDE - 1) / STRIDE];
    for (int i = 0; i < out.length; i++) {
      out[i] = all[i * STRIDE];
    }
    return out;
  }
}
