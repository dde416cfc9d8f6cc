package tapedeck.cpu.reference;

/**
 * The error function and its complement in float64, to a few units in the last place. Below 1 the
 * series with positive terms is summed (DLMF 7.6.2), above 1 the continued fraction of erfc (DLMF
 * 7.9.2) is evaluated backwards with a fixed number of terms: no fitted coefficients, so errors of
 * a fitted approximation elsewhere show.
 */
public final class ErrorFunction {
  private static final double TWO_OVER_SQRT_PI = 1.1283791670955126;
  private static final double ONE_OVER_SQRT_PI = 0.5641895835477563;

  private ErrorFunction() {}

  /**
   * {@return erf(x), 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x; odd}
   *
   * @param x any number; infinities give -1 and 1, NaN stays
   */
  public static double erf(double x) {
    double a = Math.abs(x);
    if (Double.isNaN(x)) {
      return x;
    }
    return Math.copySign(a < 1 ? series(a) : 1 - fraction(a), x);
  }

  /**
   * {@return erfc(x) = 1 - erf(x), without cancellation for large x}
   *
   * @param x any number; infinities give 2 and 0, NaN stays
   */
  public static double erfc(double x) {
    double a = Math.abs(x);
    if (Double.isNaN(x)) {
      return x;
    }
    double tail = a < 0.5 ? 1 - series(a) : fraction(a);
    return x < 0 ? (a < 0.5 ? 1 + series(a) : 2 - tail) : tail;
  }

  /** erf for 0 <= x < 1: 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1*3*...*(2n+1)). */
  private static double series(double x) {
    if (x < 1e-8) {
      return TWO_OVER_SQRT_PI * x;
    }
    double term = x;
    double sum = x;
    for (int n = 1; term > sum * 1e-18; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return TWO_OVER_SQRT_PI * expOfMinusSquare(x) * sum;
  }

  /** erfc for x >= 0.5: exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))). */
  private static double fraction(double x) {
    if (x > 28) {
      return 0; // below the smallest subnormal
    }
    // The error after n terms is about exp(-2x sqrt(2n)).
    int terms = 40 + (int) (200 / (x * x));
    double f = x;
    for (int n = terms; n >= 1; n--) {
      f = x + n * 0.5 / f;
    }
    return ONE_OVER_SQRT_PI * expOfMinusSquare(x) / f;
  }

  /** exp(-x^2) with the rounding error of the square put back: it would be amplified x^2 times. */
  private static double expOfMinusSquare(double x) {
    double square = x * x;
    double lost = Math.fma(x, x, -square);
    return Math.exp(-square) * (1 - lost);
  }
}
