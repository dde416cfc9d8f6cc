package tapedeck.cpu.math;

import java.math.BigDecimal;
import java.math.MathContext;

/** Elementary functions to more digits than a double has, from their series. */
final class Precise {
  /** Enough for erfc down to the smallest double, where 1 - erf cancels 324 digits. */
  private static final MathContext LONG = new MathContext(380);

  private static final MathContext SHORT = new MathContext(60);
  private static final BigDecimal TWO = BigDecimal.TWO;
  private static final BigDecimal PI = pi(LONG);
  private static final BigDecimal LN2 = atanh(BigDecimal.ONE.divide(new BigDecimal(3), LONG), LONG);

  private Precise() {}

  static BigDecimal exp(double x) {
    return exp(new BigDecimal(x), SHORT);
  }

  static BigDecimal expm1(double x) {
    BigDecimal v = new BigDecimal(x);
    return Math.abs(x) < 0.1 ? expTail(v, SHORT) : exp(v, SHORT).subtract(BigDecimal.ONE, SHORT);
  }

  static BigDecimal log(double x) {
    return log(new BigDecimal(x));
  }

  static BigDecimal log1p(double x) {
    return log(new BigDecimal(x).add(BigDecimal.ONE));
  }

  static BigDecimal tanh(double x) {
    BigDecimal e = expm1(2 * x);
    return e.divide(e.add(TWO), SHORT);
  }

  static BigDecimal sigmoid(double x) {
    return BigDecimal.ONE.divide(exp(-x).add(BigDecimal.ONE), SHORT);
  }

  /** sin(x + quadrant pi/2). */
  static BigDecimal sin(double x, int quadrant) {
    BigDecimal half = PI.divide(TWO, LONG);
    BigDecimal v = new BigDecimal(x).add(half.multiply(new BigDecimal(quadrant)));
    BigDecimal r = v.subtract(PI.multiply(v.divideToIntegralValue(PI)));
    boolean odd = v.divideToIntegralValue(PI).remainder(TWO).signum() != 0;
    BigDecimal term = r.round(SHORT);
    BigDecimal square = term.multiply(term, SHORT);
    BigDecimal sum = term;
    for (int i = 1; i < 40; i++) {
      term = term.multiply(square, SHORT).divide(new BigDecimal(-2L * i * (2 * i + 1)), SHORT);
      sum = sum.add(term, SHORT);
    }
    return odd ? sum.negate() : sum;
  }

  static BigDecimal erf(double x) {
    return erf(new BigDecimal(x), Math.abs(x) < 3 ? SHORT : LONG);
  }

  static BigDecimal erfc(double x) {
    return BigDecimal.ONE.subtract(erf(new BigDecimal(x), LONG), LONG);
  }

  /** 2 exp(-x^2) / sqrt(pi) times the sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): no cancellation. */
  private static BigDecimal erf(BigDecimal x, MathContext mc) {
    BigDecimal square = x.multiply(x, mc);
    BigDecimal term = x;
    BigDecimal sum = x;
    BigDecimal end = BigDecimal.ONE.movePointLeft(mc.getPrecision() + 5);
    for (int n = 1; term.abs().compareTo(end.multiply(x.abs())) > 0; n++) {
      term = term.multiply(square, mc).multiply(TWO).divide(new BigDecimal(2 * n + 1), mc);
      sum = sum.add(term, mc);
    }
    return sum.multiply(TWO, mc)
        .multiply(exp(square.negate(), mc), mc)
        .divide(PI.round(mc).sqrt(mc), mc);
  }

  private static BigDecimal exp(BigDecimal x, MathContext mc) {
    int k = (int) Math.rint(x.doubleValue() / Math.log(2));
    MathContext more = new MathContext(mc.getPrecision() + 10);
    BigDecimal ln2 = LN2.multiply(TWO);
    BigDecimal r = x.subtract(ln2.multiply(new BigDecimal(k)), more);
    BigDecimal e = expTail(r, more).add(BigDecimal.ONE);
    BigDecimal scale = TWO.pow(Math.abs(k), more);
    return k < 0 ? e.divide(scale, mc) : e.multiply(scale, mc);
  }

  /** exp(x) - 1 by Taylor's series. */
  private static BigDecimal expTail(BigDecimal x, MathContext mc) {
    BigDecimal term = x;
    BigDecimal sum = x;
    BigDecimal end = x.abs().movePointLeft(mc.getPrecision() + 2);
    for (int n = 2; term.abs().compareTo(end) > 0; n++) {
      term = term.multiply(x, mc).divide(new BigDecimal(n), mc);
      sum = sum.add(term, mc);
    }
    return sum;
  }

  private static BigDecimal log(BigDecimal x) {
    int k = Math.getExponent(x.doubleValue());
    BigDecimal m = k < 0 ? x.multiply(TWO.pow(-k), LONG) : x.divide(TWO.pow(k), LONG);
    if (m.doubleValue() > 1.5) {
      m = m.divide(TWO, LONG);
      k++;
    }
    BigDecimal s = m.subtract(BigDecimal.ONE).divide(m.add(BigDecimal.ONE), LONG);
    BigDecimal ln2 = LN2.multiply(TWO).multiply(new BigDecimal(k));
    return atanh(s, SHORT).multiply(TWO).add(ln2, LONG).round(SHORT);
  }

  private static BigDecimal atanh(BigDecimal s, MathContext mc) {
    BigDecimal square = s.multiply(s, mc);
    BigDecimal power = s;
    BigDecimal sum = s;
    BigDecimal end = s.abs().movePointLeft(mc.getPrecision() + 2);
    for (int n = 3; power.abs().compareTo(end) > 0; n += 2) {
      power = power.multiply(square, mc);
      sum = sum.add(power.divide(new BigDecimal(n), mc), mc);
    }
    return sum;
  }

  /** Machin: pi/4 = 4 arctan 1/5 - arctan 1/239. */
  private static BigDecimal pi(MathContext mc) {
    return arctanOfInverse(5, mc)
        .multiply(new BigDecimal(4))
        .subtract(arctanOfInverse(239, mc))
        .multiply(new BigDecimal(4), mc);
  }

  private static BigDecimal arctanOfInverse(int n, MathContext mc) {
    MathContext more = new MathContext(mc.getPrecision() + 10);
    BigDecimal power = BigDecimal.ONE.divide(new BigDecimal(n), more);
    BigDecimal sum = power;
    BigDecimal end = BigDecimal.ONE.movePointLeft(more.getPrecision());
    for (int i = 3; power.abs().compareTo(end) > 0; i += 2) {
      power = power.divide(new BigDecimal(-n * n), more);
      sum = sum.add(power.divide(new BigDecimal(i), more), more);
    }
    return sum;
  }
}
