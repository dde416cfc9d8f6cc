package tapedeck.bench.compare;

import tapedeck.bench.report.Stats;

/**
 * How two sets of samples compare: the ratio of their medians and, as its spread, the quartiles of
 * the ratios of samples that were taken one after the other.
 */
public record Ratio(double medians, double lower, double upper) {

  /** The times of {@code a} over those of {@code b}. */
  public static Ratio of(double[] a, double[] b) {
    double medians = Stats.median(a) / Stats.median(b);
    int n = Math.min(a.length, b.length);
    double[] each = new double[n];
    for (int i = 0; i < n; i++) {
      each[i] = a[i] / b[i];
    }
    return new Ratio(medians, Stats.quantile(each, 0.25), Stats.quantile(each, 0.75));
  }

  @Override
  public String toString() {
    return String.format("%.2f [%.2f to %.2f]", medians, lower, upper);
  }
}
