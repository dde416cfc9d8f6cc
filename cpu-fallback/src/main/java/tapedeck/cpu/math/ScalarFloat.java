package tapedeck.cpu.math;

import static tapedeck.cpu.math.Coefficients.BIAS;
import static tapedeck.cpu.math.Coefficients.COS_F0;
import static tapedeck.cpu.math.Coefficients.COS_F1;
import static tapedeck.cpu.math.Coefficients.COS_F2;
import static tapedeck.cpu.math.Coefficients.ERFC_F0;
import static tapedeck.cpu.math.Coefficients.ERFC_F1;
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
import static tapedeck.cpu.math.Coefficients.ERF_F_MAX;
import static tapedeck.cpu.math.Coefficients.EXP0;
import static tapedeck.cpu.math.Coefficients.EXP1;
import static tapedeck.cpu.math.Coefficients.EXP2;
import static tapedeck.cpu.math.Coefficients.EXP3;
import static tapedeck.cpu.math.Coefficients.EXP4;
import static tapedeck.cpu.math.Coefficients.EXP5;
import static tapedeck.cpu.math.Coefficients.EXP6;
import static tapedeck.cpu.math.Coefficients.EXPM1_F_MIN;
import static tapedeck.cpu.math.Coefficients.EXP_F0;
import static tapedeck.cpu.math.Coefficients.EXP_F1;
import static tapedeck.cpu.math.Coefficients.EXP_F2;
import static tapedeck.cpu.math.Coefficients.EXP_F3;
import static tapedeck.cpu.math.Coefficients.EXP_F4;
import static tapedeck.cpu.math.Coefficients.EXP_F_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_F_MIN;
import static tapedeck.cpu.math.Coefficients.LG_F0;
import static tapedeck.cpu.math.Coefficients.LG_F1;
import static tapedeck.cpu.math.Coefficients.LG_F2;
import static tapedeck.cpu.math.Coefficients.LN2;
import static tapedeck.cpu.math.Coefficients.LN2_HI_F;
import static tapedeck.cpu.math.Coefficients.LN2_LO_F;
import static tapedeck.cpu.math.Coefficients.LOG2_0;
import static tapedeck.cpu.math.Coefficients.LOG2_1;
import static tapedeck.cpu.math.Coefficients.LOG2_2;
import static tapedeck.cpu.math.Coefficients.LOG2_3;
import static tapedeck.cpu.math.Coefficients.LOG2_4;
import static tapedeck.cpu.math.Coefficients.LOG2_5;
import static tapedeck.cpu.math.Coefficients.LOG2_E_F;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY_F;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.MANTISSA_F;
import static tapedeck.cpu.math.Coefficients.PIO2_F1;
import static tapedeck.cpu.math.Coefficients.PIO2_F2;
import static tapedeck.cpu.math.Coefficients.PIO2_F3;
import static tapedeck.cpu.math.Coefficients.POW_EVEN;
import static tapedeck.cpu.math.Coefficients.POW_MAX;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.ROUND_BITS;
import static tapedeck.cpu.math.Coefficients.ROUND_F;
import static tapedeck.cpu.math.Coefficients.SIGN_F;
import static tapedeck.cpu.math.Coefficients.SINH_F_MAX;
import static tapedeck.cpu.math.Coefficients.SIN_F0;
import static tapedeck.cpu.math.Coefficients.SIN_F1;
import static tapedeck.cpu.math.Coefficients.SIN_F2;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF_F;
import static tapedeck.cpu.math.Coefficients.TINY_F;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX_F;
import static tapedeck.cpu.math.Coefficients.TWO23;
import static tapedeck.cpu.math.Coefficients.TWO23_BIAS;
import static tapedeck.cpu.math.Coefficients.TWO52;
import static tapedeck.cpu.math.Coefficients.TWO52_BIAS;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI_F;

/**
 * The functions of {@link ScalarMath} in float32 throughout. What matters for accuracy: reduced
 * arguments come from fused multiply-adds with constants in two or three parts; what is large and
 * exact is added last; powers of two are multiplied in two steps, the second of which rounds
 * subnormal results once.
 */
final class ScalarFloat {
  private ScalarFloat() {}

  /** x log2(e), rounded to a whole number that stands in the low bits. */
  private static float whole(float x) {
    return Math.fma(x, LOG2_E_F, ROUND_F);
  }

  /** What {@link #whole} leaves of x. */
  private static float rest(float x, float t) {
    float minus = ROUND_F - t;
    return Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, x));
  }

  /** exp(r) - 1 near 0. */
  private static float nearExpm1(float r) {
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    return Math.fma(r * r, w, r);
  }

  private static float power(int exponent) {
    return Float.intBitsToFloat((exponent + BIAS) << 23);
  }

  /** exp where it neither overflows nor is 0. */
  private static float expInRange(float x) {
    float t = whole(x);
    float p = nearExpm1(rest(x, t)) + 1;
    int whole = Float.floatToRawIntBits(t) - ROUND_BITS;
    int half = whole >> 1;
    return (p * power(half)) * power(whole - half);
  }

  /** expm1 where it does not overflow. */
  private static float expm1InRange(float x) {
    float t = whole(x);
    float p = nearExpm1(rest(x, t));
    float half = power(Float.floatToRawIntBits(t) - 1);
    float e = Math.fma(p, half, (half - 0.5f)) * 2;
    return Math.abs(x) < TINY_F ? x : e;
  }

  static float exp(float x) {
    float e = expInRange(x);
    e = x > EXP_F_MAX ? Float.POSITIVE_INFINITY : e;
    return x < EXP_F_MIN ? 0 : e;
  }

  static float expm1(float x) {
    float e = expm1InRange(x);
    e = x > EXP_F_MAX ? Float.POSITIVE_INFINITY : e;
    return x < EXPM1_F_MIN ? -1 : e;
  }

  static float sigmoid(float x) {
    float a = -Math.abs(x);
    float e = a < EXP_F_MIN ? 0 : expInRange(a);
    return (x < 0 ? e : 1) / (e + 1);
  }

  static float tanh(float x) {
    float a = Math.abs(x) * -2;
    float e = a < EXPM1_F_MIN ? -1 : expm1InRange(a);
    return Math.copySign(e / (e + 2), x);
  }

  /** The logarithm of (1 + f) 2^k plus a correction. */
  private static float log(float k, float f, float correction) {
    float s = f / (f + 2);
    float z = s * s;
    float p = LG_F2;
    p = Math.fma(p, z, LG_F1);
    p = Math.fma(p, z, LG_F0);
    float h = (f * 0.5f) * f;
    float tail = Math.fma(s, Math.fma(z, p, h), correction);
    return Math.fma(k, LN2_HI_F, (f - (h - tail)));
  }

  /** The exponent of a value whose bits have had {@code LOG_CARRY_F} added. */
  private static float exponent(int u) {
    return Float.intBitsToFloat((u >>> 23) | TWO23) - TWO23_BIAS;
  }

  /** What is above 1 of its significand, from sqrt(1/2) to sqrt(2). */
  private static float significand(int u) {
    return Float.intBitsToFloat((u & MANTISSA_F) + SQRT_HALF_F) - 1;
  }

  static float log(float x) {
    boolean small = x < Float.MIN_NORMAL;
    float y = small ? (x * 0x1p25f) : x;
    int u = Float.floatToRawIntBits(y) + LOG_CARRY_F;
    float k = exponent(u);
    k = small ? (k - 25) : k;
    float v = log(k, significand(u), k * LN2_LO_F);
    v = x < Float.POSITIVE_INFINITY ? v : x;
    v = x == 0 ? Float.NEGATIVE_INFINITY : v;
    return x < 0 ? Float.NaN : v;
  }

  static float log1p(float x) {
    float w = x + 1;
    int u = Float.floatToRawIntBits(w) + LOG_CARRY_F;
    float k = exponent(u);
    float c = k > 0 ? (1 - (w - x)) : (x - (w - 1));
    boolean near = k == 0;
    float f = near ? x : significand(u);
    c = near ? 0 : (c / w);
    float v = log(k, f, Math.fma(k, LN2_LO_F, c));
    v = Math.abs(x) < TINY_F ? x : v;
    v = x < Float.POSITIVE_INFINITY ? v : x;
    v = x == -1 ? Float.NEGATIVE_INFINITY : v;
    return x < -1 ? Float.NaN : v;
  }

  /** x less quarter turns, whose number is in the low bits of t. */
  private static float reduced(float x, float t) {
    float minus = ROUND_F - t;
    float r = Math.fma(minus, PIO2_F1, x);
    r = Math.fma(minus, PIO2_F2, r);
    return Math.fma(minus, PIO2_F3, r);
  }

  private static float nearSin(float r) {
    float z = r * r;
    float s = SIN_F2;
    s = Math.fma(s, z, SIN_F1);
    s = Math.fma(s, z, SIN_F0);
    return Math.fma(r * z, s, r);
  }

  private static float nearCos(float r) {
    float z = r * r;
    float c = COS_F2;
    c = Math.fma(c, z, COS_F1);
    c = Math.fma(c, z, COS_F0);
    return Math.fma(z * z, c, Math.fma(z, -0.5f, 1));
  }

  /** The sine of x and so many quarter turns. */
  private static float turned(float x, int quarters) {
    float t = Math.fma(x, TWO_OVER_PI_F, ROUND_F);
    float r = reduced(x, t);
    float s = nearSin(r);
    float c = nearCos(r);
    int q = Float.floatToRawIntBits(t) + quarters;
    float v = (q & 1) != 0 ? c : s;
    return Float.intBitsToFloat(Float.floatToRawIntBits(v) ^ ((q << 30) & SIGN_F));
  }

  static float sin(float x) {
    if (Math.abs(x) > TRIG_MAX_F) {
      return (float) StrictMath.sin(x);
    }
    return x == 0 ? x : turned(x, 0);
  }

  static float cos(float x) {
    return Math.abs(x) > TRIG_MAX_F ? (float) StrictMath.cos(x) : turned(x, 1);
  }

  static float tan(float x) {
    if (Math.abs(x) > TRIG_MAX_F) {
      return (float) StrictMath.tan(x);
    }
    float t = Math.fma(x, TWO_OVER_PI_F, ROUND_F);
    float r = reduced(x, t);
    float s = nearSin(r);
    float c = nearCos(r);
    boolean odd = (Float.floatToRawIntBits(t) & 1) != 0;
    float v = (odd ? -c : s) / (odd ? s : c);
    return x == 0 ? x : v;
  }

  static float sinh(float x) {
    float a = Math.abs(x);
    float t = whole(a);
    float h = power(Float.floatToRawIntBits(t) - 2);
    // half of exp(a) - 1, which overflows where the result does
    float v = Math.fma(nearExpm1(rest(a, t)), h, h - 0.25f) * 2;
    v = v + v / (v * 2 + 1);
    v = a < TINY_F ? a : v;
    return Math.copySign(a > SINH_F_MAX ? Float.POSITIVE_INFINITY : v, x);
  }

  static float cosh(float x) {
    float a = Math.abs(x);
    float t = whole(a);
    float e = (nearExpm1(rest(a, t)) + 1) * power(Float.floatToRawIntBits(t) - 2);
    float v = Math.fma(e, 2, 0.125f / e);
    return a > SINH_F_MAX ? Float.POSITIVE_INFINITY : v;
  }

  /** As IEEE 754 and C have it; 2^(b log2 a) in float64, rounded once. */
  static float pow(float a, float b) {
    double base = Math.abs((double) a);
    double by = b;
    long u = Double.doubleToRawLongBits(base) + LOG_CARRY;
    double k = Double.longBitsToDouble((u >>> 52) | TWO52) - TWO52_BIAS;
    k = base == 0 ? Double.NEGATIVE_INFINITY : k;
    k = base == Double.POSITIVE_INFINITY ? base : k;
    double f = Double.longBitsToDouble((u & MANTISSA) + SQRT_HALF) - 1;
    double s = f / (f + 2);
    double z = s * s;
    double p = LOG2_5;
    p = Math.fma(p, z, LOG2_4);
    p = Math.fma(p, z, LOG2_3);
    p = Math.fma(p, z, LOG2_2);
    p = Math.fma(p, z, LOG2_1);
    p = Math.fma(p, z, LOG2_0);
    double e = Math.fma(s, p, k) * by;
    // beyond both ends float32 has 0 and infinity
    e = e > POW_MAX ? POW_MAX : e;
    e = e < -POW_MAX ? -POW_MAX : e;
    double t = e + ROUND;
    double r = (e - (t - ROUND)) * LN2;
    double w = EXP6;
    w = Math.fma(w, r, EXP5);
    w = Math.fma(w, r, EXP4);
    w = Math.fma(w, r, EXP3);
    w = Math.fma(w, r, EXP2);
    w = Math.fma(w, r, EXP1);
    w = Math.fma(w, r, EXP0);
    w = Math.fma(r * r, w, r) + 1;
    double v = w * Double.longBitsToDouble((Double.doubleToRawLongBits(t) + 1023) << 52);
    v = base == 1 ? (Float.isNaN(b) ? by : 1) : v;
    boolean huge = Math.abs(by) >= POW_EVEN;
    double half = by * 0.5;
    boolean whole = huge || (by + ROUND) - ROUND == by;
    boolean even = huge || (half + ROUND) - ROUND == half;
    double turned = even ? v : -v;
    boolean endless = base == 0 || base == Double.POSITIVE_INFINITY;
    double below = whole ? turned : endless ? v : Double.NaN;
    v = Float.floatToRawIntBits(a) < 0 ? below : v;
    v = Float.isNaN(a) ? Double.NaN : v;
    return a == 1 || b == 0 ? 1 : (float) v;
  }

  /** erfc(a) exp(a^2) for a of 0 and more. */
  private static float scaledErfc(float a) {
    float inv = 1 / (a + ERFC_F_CENTRE);
    float y = (a - ERFC_F_CENTRE) * inv;
    float g = ERFC_F9;
    g = Math.fma(g, y, ERFC_F8);
    g = Math.fma(g, y, ERFC_F7);
    g = Math.fma(g, y, ERFC_F6);
    g = Math.fma(g, y, ERFC_F5);
    g = Math.fma(g, y, ERFC_F4);
    g = Math.fma(g, y, ERFC_F3);
    g = Math.fma(g, y, ERFC_F2);
    g = Math.fma(g, y, ERFC_F1);
    g = Math.fma(g, y, ERFC_F0);
    return g * inv;
  }

  /** erf(x) / x - 1 for x below 1. */
  private static float nearErf(float x) {
    float z = x * x;
    float q = ERF_F6;
    q = Math.fma(q, z, ERF_F5);
    q = Math.fma(q, z, ERF_F4);
    q = Math.fma(q, z, ERF_F3);
    q = Math.fma(q, z, ERF_F2);
    q = Math.fma(q, z, ERF_F1);
    return Math.fma(q, z, ERF_F0);
  }

  static float erf(float x) {
    float m = Math.abs(x);
    float a = m > ERF_F_MAX ? ERF_F_MAX : m;
    float square = -(a * a);
    float t = whole(square);
    float p = nearExpm1(rest(square, t)) + 1;
    float far = 1 - (scaledErfc(a) * p * power(Float.floatToRawIntBits(t)));
    return m < 1 ? Math.fma(x, nearErf(x), x) : Math.copySign(far, x);
  }

  static float erfc(float x) {
    float m = Math.abs(x);
    float a = m > ERFC_F_MAX ? ERFC_F_MAX : m;
    float square = -(a * a);
    float low = Math.fma(a, a, square);
    float t = whole(square);
    float p = nearExpm1(rest(square, t) - low) + 1;
    int whole = Float.floatToRawIntBits(t) - ROUND_BITS;
    int half = whole >> 1;
    float far = ((p * power(half)) * scaledErfc(a)) * power(whole - half);
    far = x < 0 ? (2 - far) : far;
    return m < 1 ? Math.fma(-x, nearErf(x), (1 - x)) : far;
  }
}
