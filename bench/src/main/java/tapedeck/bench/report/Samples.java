package tapedeck.bench.report;

import java.util.ArrayList;
import java.util.List;

/** Seconds of one repeated piece of work, in the order in which they were measured. */
public final class Samples {
  private final List<Double> seconds = new ArrayList<>();

  public void add(double s) {
    seconds.add(s);
  }

  public double[] values() {
    return seconds.stream().mapToDouble(Double::doubleValue).toArray();
  }

  public double median() {
    return Stats.median(values());
  }
}
