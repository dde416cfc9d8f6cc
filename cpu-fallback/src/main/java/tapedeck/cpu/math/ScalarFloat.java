package tapedeck.cpu.math;

import static tapedeck.cpu.math.Coefficients.COS_F0;
import static tapedeck.cpu.math.Coefficients.COS_F1;
import static tapedeck.cpu.math.Coefficients.COS_F2;
import static tapedeck.cpu.math.Coefficients.COS_F3;
import static tapedeck.cpu.math.Coefficients.ERFC_F0;
import static tapedeck.cpu.math.Coefficients.ERFC_F1;
import static tapedeck.cpu.math.Coefficients.ERFC_F10;
import static tapedeck.cpu.math.Coefficients.ERFC_F11;
import static tapedeck.cpu.math.Coefficients.ERFC_F2;
import static tapedeck.cpu.math.Coefficients.ERFC_F3;
import static tapedeck.cpu.math.Coefficients.ERFC_F4;
import static tapedeck.cpu.math.Coefficients.ERFC_F5;
import static tapedeck.cpu.math.Coefficients.ERFC_F6;
import static tapedeck.cpu.math.Coefficients.ERFC_F7;
import static tapedeck.cpu.math.Coefficients.ERFC_F8;
import static tapedeck.cpu.math.Coefficients.ERFC_F9;
import static tapedeck.cpu.math.Coefficients.ERFC_F_CENTRE;
import static tapedeck.cpu.math.Coefficients.ERFC_F_MAX;
import static tapedeck.cpu.math.Coefficients.ERF_F0;
import static tapedeck.cpu.math.Coefficients.ERF_F1;
import static tapedeck.cpu.math.Coefficients.ERF_F2;
import static tapedeck.cpu.math.Coefficients.ERF_F3;
import static tapedeck.cpu.math.Coefficients.ERF_F4;
import static tapedeck.cpu.math.Coefficients.ERF_F5;
import static tapedeck.cpu.math.Coefficients.ERF_F6;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.EXP_F5;
import static tapedeck.cpu.math.Coefficients.EXP_F_MAX;
import static tapedeck.cpu.math.Coefficients.LG_F0;
import static tapedeck.cpu.math.Coefficients.LG_F1;
import static tapedeck.cpu.math.Coefficients.LG_F2;
import static tapedeck.cpu.math.Coefficients.LG_F3;
import static tapedeck.cpu.math.Coefficients.LN2;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SIN_F0;
import static tapedeck.cpu.math.Coefficients.SIN_F1;
import static tapedeck.cpu.math.Coefficients.SIN_F2;
import static tapedeck.cpu.math.Coefficients.SIN_F3;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX;
import static tapedeck.cpu.math.Coefficients.TWO52;
import static tapedeck.cpu.math.Coefficients.TWO52_BIAS;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI;

/**
 * The functions of {@link ScalarMath} on float32 values held in float64: shorter polynomials, whose
 * results round to float32 with hardly more than half a unit in the last place.
 */
final class ScalarFloat {
  private ScalarFloat() {}

  static double exp(double x) {
    double t = Math.fma(x, LOG2_E, ROUND);
    double k = t - ROUND;
    double r = Math.fma(-k, LN2, x);
    double p = EXP_F5;
    p = Math.fma(p, r, EXP_F4);
    p = Math.fma(p, r, EXP_F3);
    p = Math.fma(p, r, EXP_F2);
    p = Math.fma(p, r, EXP_F1);
    p = Math.fma(p, r, EXP_F0);
    double e = (Math.fma(r * r, p, r) + 1) * power(t);
    e = x > EXP_F_MAX ? Double.POSITIVE_INFINITY : e;
    return x < -EXP_F_MAX ? 0 : e;
  }

  static double expm1(double x) {
    double t = Math.fma(x, LOG2_E, ROUND);
    double k = t - ROUND;
    double r = Math.fma(-k, LN2, x);
    double p = EXP_F5;
    p = Math.fma(p, r, EXP_F4);
    p = Math.fma(p, r, EXP_F3);
    p = Math.fma(p, r, EXP_F2);
    p = Math.fma(p, r, EXP_F1);
    p = Math.fma(p, r, EXP_F0);
    double h = power(t);
    double e = Math.fma(Math.fma(r * r, p, r), h, h - 1);
    e = x == 0 ? x : e;
    e = x > EXP_F_MAX ? Double.POSITIVE_INFINITY : e;
    return x < -EXP_F_MAX ? -1 : e;
  }

  static double log(double x) {
    long u = Double.doubleToRawLongBits(x) + LOG_CARRY;
    double k = Double.longBitsToDouble((u >>> 52) | TWO52) - TWO52_BIAS;
    double f = Double.longBitsToDouble((u & MANTISSA) + SQRT_HALF) - 1;
    double s = f / (f + 2);
    double z = s * s;
    double p = LG_F3;
    p = Math.fma(p, z, LG_F2);
    p = Math.fma(p, z, LG_F1);
    p = Math.fma(p, z, LG_F0);
    double v = Math.fma(s * z, p, Math.fma(k, LN2, s * 2));
    v = x < Double.POSITIVE_INFINITY ? v : x;
    v = x == 0 ? Double.NEGATIVE_INFINITY : v;
    return x < 0 ? Double.NaN : v;
  }

  static double log1p(double x) {
    // exact but for |x| below 2^-29, and there k is 0
    double w = x + 1;
    long u = Double.doubleToRawLongBits(w) + LOG_CARRY;
    double k = Double.longBitsToDouble((u >>> 52) | TWO52) - TWO52_BIAS;
    double f = Double.longBitsToDouble((u & MANTISSA) + SQRT_HALF) - 1;
    f = k == 0 ? x : f;
    double s = f / (f + 2);
    double z = s * s;
    double p = LG_F3;
    p = Math.fma(p, z, LG_F2);
    p = Math.fma(p, z, LG_F1);
    p = Math.fma(p, z, LG_F0);
    double v = Math.fma(s * z, p, Math.fma(k, LN2, s * 2));
    v = x == 0 ? x : v;
    v = x < Double.POSITIVE_INFINITY ? v : x;
    v = x == -1 ? Double.NEGATIVE_INFINITY : v;
    return x < -1 ? Double.NaN : v;
  }

  static double sin(double x) {
    if (Math.abs(x) > TRIG_MAX) {
      return StrictMath.sin(x);
    }
    double v = sinQuadrant(x, 0);
    return x == 0 ? x : v;
  }

  static double cos(double x) {
    return Math.abs(x) > TRIG_MAX ? StrictMath.cos(x) : sinQuadrant(x, 1);
  }

  private static double sinQuadrant(double x, long quadrant) {
    double t = Math.fma(x, TWO_OVER_PI, ROUND);
    double k = t - ROUND;
    double r = Math.fma(-k, PIO2_2, Math.fma(-k, PIO2_1, x));
    double z = r * r;
    double s = SIN_F3;
    s = Math.fma(s, z, SIN_F2);
    s = Math.fma(s, z, SIN_F1);
    s = Math.fma(s, z, SIN_F0);
    s = Math.fma(r * z, s, r);
    double c = COS_F3;
    c = Math.fma(c, z, COS_F2);
    c = Math.fma(c, z, COS_F1);
    c = Math.fma(c, z, COS_F0);
    c = Math.fma(z * z, c, Math.fma(z, -0.5, 1));
    long q = Double.doubleToRawLongBits(t) + quadrant;
    double v = (q & 1) != 0 ? c : s;
    return Double.longBitsToDouble(Double.doubleToRawLongBits(v) ^ ((q << 62) & SIGN));
  }

  static double tanh(double x) {
    double e = expm1(Math.abs(x) * -2);
    return Math.copySign(e / (e + 2), x);
  }

  static double sigmoid(double x) {
    double e = exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (e + 1);
  }

  static double erf(double x) {
    double a = Math.abs(x);
    double z = x * x;
    double p = ERF_F6;
    p = Math.fma(p, z, ERF_F5);
    p = Math.fma(p, z, ERF_F4);
    p = Math.fma(p, z, ERF_F3);
    p = Math.fma(p, z, ERF_F2);
    p = Math.fma(p, z, ERF_F1);
    p = Math.fma(p, z, ERF_F0);
    double far = Math.copySign(1 - erfcPositive(a), x);
    return a < 1 ? x * p : far;
  }

  static double erfc(double x) {
    double v = erfcPositive(Math.abs(x));
    return x < 0 ? 2 - v : v;
  }

  private static double erfcPositive(double x) {
    double a = x > ERFC_F_MAX ? ERFC_F_MAX : x;
    double t = (a - ERFC_F_CENTRE) / (a + ERFC_F_CENTRE);
    double p = ERFC_F11;
    p = Math.fma(p, t, ERFC_F10);
    p = Math.fma(p, t, ERFC_F9);
    p = Math.fma(p, t, ERFC_F8);
    p = Math.fma(p, t, ERFC_F7);
    p = Math.fma(p, t, ERFC_F6);
    p = Math.fma(p, t, ERFC_F5);
    p = Math.fma(p, t, ERFC_F4);
    p = Math.fma(p, t, ERFC_F3);
    p = Math.fma(p, t, ERFC_F2);
    p = Math.fma(p, t, ERFC_F1);
    p = Math.fma(p, t, ERFC_F0);
    return p / Math.fma(a, 2, 1) * exp(-(a * a));
  }

  private static double power(double t) {
    return Double.longBitsToDouble((Double.doubleToRawLongBits(t) + 1023) << 52);
  }
}
