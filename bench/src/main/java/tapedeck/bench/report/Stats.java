package tapedeck.bench.report;

import java.util.Arrays;

/** Figures over samples and vectors. */
public final class Stats {
  private Stats() {}

  /** The middle sample, or the mean of the middle two. */
  public static double median(double[] samples) {
    double[] s = samples.clone();
    Arrays.sort(s);
    int n = s.length;
    return n % 2 == 1 ? s[n / 2] : 0.5 * (s[n / 2 - 1] + s[n / 2]);
  }

  /** Half the distance between the quartiles over the median. */
  public static double spread(double[] samples) {
    return 0.5 * (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples);
  }

  /** The value below which a share {@code q} of the samples lies, between samples on a line. */
  public static double quantile(double[] samples, double q) {
    double[] s = samples.clone();
    Arrays.sort(s);
    double at = q * (s.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, s.length - 1);
    return s[below] + (at - below) * (s[above] - s[below]);
  }

  /**
   * Euclidean norm of the difference over the norm of the reference; the difference alone where
   * that is 0.
   */
  public static double normwiseError(double[] found, double[] reference) {
    if (found.length != reference.length) {
      throw new IllegalArgumentException(
          "[error] " + found.length + " values against " + reference.length);
    }
    double d2 = 0;
    double r2 = 0;
    for (int i = 0; i < found.length; i++) {
      double d = found[i] - reference[i];
      d2 += d * d;
      r2 += reference[i] * reference[i];
    }
    return r2 == 0 ? Math.sqrt(d2) : Math.sqrt(d2 / r2);
  }

  /** ADBench's measure: the largest |x-y| / max(1, |x|+|y|). NaN where a value is NaN. */
  public static double rho(double[] found, double[] reference) {
    double worst = 0;
    for (int i = 0; i < reference.length; i++) {
      double x = found[i];
      double y = reference[i];
      worst = Math.max(worst, Math.abs(x - y) / Math.max(1, Math.abs(x) + Math.abs(y)));
    }
    return worst;
  }
}
