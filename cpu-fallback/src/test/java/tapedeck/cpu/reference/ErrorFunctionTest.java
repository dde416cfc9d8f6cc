package tapedeck.cpu.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;

class ErrorFunctionTest {
  private static final MathContext DIGITS = new MathContext(700);
  private static final BigDecimal PI =
      new BigDecimal(
          "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798");

  /** erf by its alternating power series (DLMF 7.6.1) with enough digits for the cancellation. */
  private static BigDecimal exact(double x) {
    BigDecimal v = new BigDecimal(x);
    BigDecimal square = v.multiply(v).negate();
    BigDecimal power = v;
    BigDecimal sum = v;
    for (int n = 1; power.abs().compareTo(new BigDecimal("1e-400")) > 0; n++) {
      power = power.multiply(square).divide(BigDecimal.valueOf(n), DIGITS);
      sum = sum.add(power.divide(BigDecimal.valueOf(2L * n + 1), DIGITS));
    }
    return sum.multiply(BigDecimal.TWO).divide(PI.sqrt(new MathContext(100)), new MathContext(100));
  }

  @Test
  void agreesWithThePowerSeries() {
    for (double x :
        new double[] {1e-300, 1e-9, 0.1, 0.4999, 0.5, 0.75, 0.9999, 1, 1.5, 2, 2.5, 3, 4, 5.5}) {
      BigDecimal erf = exact(x);
      double complement = BigDecimal.ONE.subtract(erf).doubleValue();
      assertEquals(erf.doubleValue(), ErrorFunction.erf(x), 4e-16 * erf.doubleValue(), "erf " + x);
      assertEquals(
          -erf.doubleValue(), ErrorFunction.erf(-x), 4e-16 * erf.doubleValue(), "erf -" + x);
      assertEquals(complement, ErrorFunction.erfc(x), 2e-15 * complement, "erfc " + x);
      assertEquals(2 - complement, ErrorFunction.erfc(-x), 1e-15, "erfc -" + x);
    }
  }

  /** Values of the tail, from Abramowitz and Stegun's asymptotic series 7.1.23 at 10 and 20. */
  @Test
  void keepsRelativePrecisionInTheTail() {
    for (double x : new double[] {10, 20}) {
      double term = 1;
      double sum = 1;
      for (int n = 1; n < 20; n++) {
        term *= -(2 * n - 1) / (2 * x * x);
        sum += term;
      }
      double expected = Math.exp(-x * x) / (x * Math.sqrt(Math.PI)) * sum;
      assertEquals(expected, ErrorFunction.erfc(x), 1e-14 * expected);
    }
  }

  @Test
  void endsOfTheRange() {
    assertEquals(1, ErrorFunction.erf(Double.POSITIVE_INFINITY));
    assertEquals(-1, ErrorFunction.erf(Double.NEGATIVE_INFINITY));
    assertEquals(0, ErrorFunction.erfc(Double.POSITIVE_INFINITY));
    assertEquals(2, ErrorFunction.erfc(Double.NEGATIVE_INFINITY));
    assertEquals(Double.NaN, ErrorFunction.erf(Double.NaN));
    assertEquals(Double.NaN, ErrorFunction.erfc(Double.NaN));
    assertEquals(-0.0, ErrorFunction.erf(-0.0));
    assertEquals(0, ErrorFunction.erfc(40));
  }
}
