package tapedeck.cpu.math;

import static tapedeck.cpu.math.Coefficients.COS0;
import static tapedeck.cpu.math.Coefficients.COS1;
import static tapedeck.cpu.math.Coefficients.COS2;
import static tapedeck.cpu.math.Coefficients.COS3;
import static tapedeck.cpu.math.Coefficients.COS4;
import static tapedeck.cpu.math.Coefficients.COS5;
import static tapedeck.cpu.math.Coefficients.ERF0;
import static tapedeck.cpu.math.Coefficients.ERF1;
import static tapedeck.cpu.math.Coefficients.ERF10;
import static tapedeck.cpu.math.Coefficients.ERF11;
import static tapedeck.cpu.math.Coefficients.ERF2;
import static tapedeck.cpu.math.Coefficients.ERF3;
import static tapedeck.cpu.math.Coefficients.ERF4;
import static tapedeck.cpu.math.Coefficients.ERF5;
import static tapedeck.cpu.math.Coefficients.ERF6;
import static tapedeck.cpu.math.Coefficients.ERF7;
import static tapedeck.cpu.math.Coefficients.ERF8;
import static tapedeck.cpu.math.Coefficients.ERF9;
import static tapedeck.cpu.math.Coefficients.ERFC0;
import static tapedeck.cpu.math.Coefficients.ERFC1;
import static tapedeck.cpu.math.Coefficients.ERFC10;
import static tapedeck.cpu.math.Coefficients.ERFC11;
import static tapedeck.cpu.math.Coefficients.ERFC12;
import static tapedeck.cpu.math.Coefficients.ERFC13;
import static tapedeck.cpu.math.Coefficients.ERFC14;
import static tapedeck.cpu.math.Coefficients.ERFC15;
import static tapedeck.cpu.math.Coefficients.ERFC16;
import static tapedeck.cpu.math.Coefficients.ERFC17;
import static tapedeck.cpu.math.Coefficients.ERFC18;
import static tapedeck.cpu.math.Coefficients.ERFC19;
import static tapedeck.cpu.math.Coefficients.ERFC2;
import static tapedeck.cpu.math.Coefficients.ERFC20;
import static tapedeck.cpu.math.Coefficients.ERFC21;
import static tapedeck.cpu.math.Coefficients.ERFC22;
import static tapedeck.cpu.math.Coefficients.ERFC3;
import static tapedeck.cpu.math.Coefficients.ERFC4;
import static tapedeck.cpu.math.Coefficients.ERFC5;
import static tapedeck.cpu.math.Coefficients.ERFC6;
import static tapedeck.cpu.math.Coefficients.ERFC7;
import static tapedeck.cpu.math.Coefficients.ERFC8;
import static tapedeck.cpu.math.Coefficients.ERFC9;
import static tapedeck.cpu.math.Coefficients.ERFC_CENTRE;
import static tapedeck.cpu.math.Coefficients.ERFC_MAX;
import static tapedeck.cpu.math.Coefficients.EXP0;
import static tapedeck.cpu.math.Coefficients.EXP1;
import static tapedeck.cpu.math.Coefficients.EXP10;
import static tapedeck.cpu.math.Coefficients.EXP2;
import static tapedeck.cpu.math.Coefficients.EXP3;
import static tapedeck.cpu.math.Coefficients.EXP4;
import static tapedeck.cpu.math.Coefficients.EXP5;
import static tapedeck.cpu.math.Coefficients.EXP6;
import static tapedeck.cpu.math.Coefficients.EXP7;
import static tapedeck.cpu.math.Coefficients.EXP8;
import static tapedeck.cpu.math.Coefficients.EXP9;
import static tapedeck.cpu.math.Coefficients.EXPM1_MIN;
import static tapedeck.cpu.math.Coefficients.EXP_MAX;
import static tapedeck.cpu.math.Coefficients.EXP_MIN;
import static tapedeck.cpu.math.Coefficients.LG0;
import static tapedeck.cpu.math.Coefficients.LG1;
import static tapedeck.cpu.math.Coefficients.LG2;
import static tapedeck.cpu.math.Coefficients.LG3;
import static tapedeck.cpu.math.Coefficients.LG4;
import static tapedeck.cpu.math.Coefficients.LG5;
import static tapedeck.cpu.math.Coefficients.LG6;
import static tapedeck.cpu.math.Coefficients.LG7;
import static tapedeck.cpu.math.Coefficients.LN2_HI;
import static tapedeck.cpu.math.Coefficients.LN2_LO;
import static tapedeck.cpu.math.Coefficients.LOG2_E;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY;
import static tapedeck.cpu.math.Coefficients.MANTISSA;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.PIO2_3;
import static tapedeck.cpu.math.Coefficients.ROUND;
import static tapedeck.cpu.math.Coefficients.SIGN;
import static tapedeck.cpu.math.Coefficients.SIN0;
import static tapedeck.cpu.math.Coefficients.SIN1;
import static tapedeck.cpu.math.Coefficients.SIN2;
import static tapedeck.cpu.math.Coefficients.SIN3;
import static tapedeck.cpu.math.Coefficients.SIN4;
import static tapedeck.cpu.math.Coefficients.SIN5;
import static tapedeck.cpu.math.Coefficients.SIN6;
import static tapedeck.cpu.math.Coefficients.SINH_MAX;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF;
import static tapedeck.cpu.math.Coefficients.TINY;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX;
import static tapedeck.cpu.math.Coefficients.TWO52;
import static tapedeck.cpu.math.Coefficients.TWO52_BIAS;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI;

import tapedeck.ad.kir.ScalarOp;

/**
 * Elementary functions on single values: the same algorithms as {@link VectorMath}, bit for bit,
 * for the ends of arrays, for code that is not vectorised and where there is no Vector API.
 *
 * <p>Error bounds are those of {@link VectorMath}.
 */
public final class ScalarMath {
  private ScalarMath() {}

  /**
   * {@code dst[i] = op(a[i], b[i])} for n elements at native addresses; b is ignored by functions
   * of one argument. dst may be a or b.
   *
   * @throws IllegalArgumentException if op is an instruction rather than a function
   */
  public static void apply(ScalarOp op, boolean f64, long a, long b, long dst, long n) {
    boolean two = op.arity() == 2;
    if (f64) {
      for (long i = 0; i < 8 * n; i += 8) {
        Memory.putDouble(
            dst + i, f64(op, Memory.getDouble(a + i), two ? Memory.getDouble(b + i) : 0));
      }
    } else {
      for (long i = 0; i < 4 * n; i += 4) {
        Memory.putFloat(dst + i, f32(op, Memory.getFloat(a + i), two ? Memory.getFloat(b + i) : 0));
      }
    }
  }

  /** One function by name in float64; b is ignored by functions of one argument. */
  public static double f64(ScalarOp op, double a, double b) {
    return switch (op) {
      case EXP -> exp(a);
      case EXPM1 -> expm1(a);
      case LOG -> log(a);
      case LOG1P -> log1p(a);
      case SIN -> sin(a);
      case COS -> cos(a);
      case TAN -> tan(a);
      case ASIN -> asin(a);
      case ACOS -> acos(a);
      case ATAN -> atan(a);
      case SINH -> sinh(a);
      case COSH -> cosh(a);
      case TANH -> tanh(a);
      case SIGMOID -> sigmoid(a);
      case ERF -> erf(a);
      case ERFC -> erfc(a);
      case POW -> pow(a, b);
      case ATAN2 -> atan2(a, b);
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          NEG,
          ABS,
          SIGN,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          UMULHI,
          SELECT,
          CAST ->
          throw new IllegalArgumentException(op + " is an instruction, no function");
    };
  }

  /** One function by name in float32; b is ignored by functions of one argument. */
  public static float f32(ScalarOp op, float a, float b) {
    return switch (op) {
      case EXP -> exp(a);
      case EXPM1 -> expm1(a);
      case LOG -> log(a);
      case LOG1P -> log1p(a);
      case SIN -> sin(a);
      case COS -> cos(a);
      case TAN -> tan(a);
      case ASIN -> asin(a);
      case ACOS -> acos(a);
      case ATAN -> atan(a);
      case SINH -> sinh(a);
      case COSH -> cosh(a);
      case TANH -> tanh(a);
      case SIGMOID -> sigmoid(a);
      case ERF -> erf(a);
      case ERFC -> erfc(a);
      case POW -> pow(a, b);
      case ATAN2 -> atan2(a, b);
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          NEG,
          ABS,
          SIGN,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          UMULHI,
          SELECT,
          CAST ->
          throw new IllegalArgumentException(op + " is an instruction, no function");
    };
  }

  /** exp(x - k ln 2) - 1. */
  private static double nearExpm1(double x, double k) {
    double r = Math.fma(-k, LN2_LO, Math.fma(-k, LN2_HI, x));
    double p = EXP10;
    p = Math.fma(p, r, EXP9);
    p = Math.fma(p, r, EXP8);
    p = Math.fma(p, r, EXP7);
    p = Math.fma(p, r, EXP6);
    p = Math.fma(p, r, EXP5);
    p = Math.fma(p, r, EXP4);
    p = Math.fma(p, r, EXP3);
    p = Math.fma(p, r, EXP2);
    p = Math.fma(p, r, EXP1);
    p = Math.fma(p, r, EXP0);
    return Math.fma(r * r, p, r);
  }

  public static double exp(double x) {
    double t = Math.fma(x, LOG2_E, ROUND);
    double k = t - ROUND;
    double p = 1 + nearExpm1(x, k);
    // two steps of scaling, since 2^k alone may be no double
    double half = Math.fma(k, 0.5, ROUND);
    double rest = (k - (half - ROUND)) + ROUND;
    double e = p * power(half, 1023) * power(rest, 1023);
    e = x > EXP_MAX ? Double.POSITIVE_INFINITY : e;
    return x < EXP_MIN ? 0 : e;
  }

  public static double expm1(double x) {
    double t = Math.fma(x, LOG2_E, ROUND);
    double p = nearExpm1(x, t - ROUND);
    double h = power(t, 1022);
    double e = Math.fma(p, h, h - 0.5) * 2;
    e = Math.abs(x) < TINY ? x : e;
    e = x > EXP_MAX ? Double.POSITIVE_INFINITY : e;
    return x < EXPM1_MIN ? -1 : e;
  }

  public static double log(double x) {
    boolean small = x < Double.MIN_NORMAL;
    double y = small ? x * 0x1p54 : x;
    long u = Double.doubleToRawLongBits(y) + LOG_CARRY;
    double k = Double.longBitsToDouble((u >>> 52) | TWO52) - TWO52_BIAS;
    k = small ? k - 54 : k;
    double f = Double.longBitsToDouble((u & MANTISSA) + SQRT_HALF) - 1;
    double v = logOnePlus(f, k, 0);
    v = x < Double.POSITIVE_INFINITY ? v : x;
    v = x == 0 ? Double.NEGATIVE_INFINITY : v;
    return x < 0 ? Double.NaN : v;
  }

  public static double log1p(double x) {
    double w = 1 + x;
    long u = Double.doubleToRawLongBits(w) + LOG_CARRY;
    double k = Double.longBitsToDouble((u >>> 52) | TWO52) - TWO52_BIAS;
    double f = Double.longBitsToDouble((u & MANTISSA) + SQRT_HALF) - 1;
    // what 1 + x rounded away
    double c = (k > 0 ? 1 - (w - x) : x - (w - 1)) / w;
    f = k == 0 ? x : f;
    c = k == 0 ? 0 : c;
    double v = logOnePlus(f, k, c);
    v = Math.abs(x) < TINY ? x : v;
    v = x < Double.POSITIVE_INFINITY ? v : x;
    v = x == -1 ? Double.NEGATIVE_INFINITY : v;
    return x < -1 ? Double.NaN : v;
  }

  /** k ln 2 + log(1 + f) + c, by log(1 + f) = 2 atanh(f / (2 + f)). */
  private static double logOnePlus(double f, double k, double c) {
    double s = f / (f + 2);
    double z = s * s;
    double p = LG7;
    p = Math.fma(p, z, LG6);
    p = Math.fma(p, z, LG5);
    p = Math.fma(p, z, LG4);
    p = Math.fma(p, z, LG3);
    p = Math.fma(p, z, LG2);
    p = Math.fma(p, z, LG1);
    p = Math.fma(p, z, LG0);
    double h = f * 0.5 * f;
    double tail = Math.fma(s, Math.fma(z, p, h), Math.fma(k, LN2_LO, c));
    return Math.fma(k, LN2_HI, f - (h - tail));
  }

  public static double sin(double x) {
    if (Math.abs(x) > TRIG_MAX) {
      return StrictMath.sin(x);
    }
    double v = sinQuadrant(x, 0);
    return x == 0 ? x : v;
  }

  public static double cos(double x) {
    return Math.abs(x) > TRIG_MAX ? StrictMath.cos(x) : sinQuadrant(x, 1);
  }

  /** x - k pi/2. */
  private static double reduced(double x, double k) {
    double r = Math.fma(-k, PIO2_1, x);
    r = Math.fma(-k, PIO2_2, r);
    return Math.fma(-k, PIO2_3, r);
  }

  private static double nearSin(double r) {
    double z = r * r;
    double s = SIN6;
    s = Math.fma(s, z, SIN5);
    s = Math.fma(s, z, SIN4);
    s = Math.fma(s, z, SIN3);
    s = Math.fma(s, z, SIN2);
    s = Math.fma(s, z, SIN1);
    s = Math.fma(s, z, SIN0);
    return Math.fma(r * z, s, r);
  }

  private static double nearCos(double r) {
    double z = r * r;
    double c = COS5;
    c = Math.fma(c, z, COS4);
    c = Math.fma(c, z, COS3);
    c = Math.fma(c, z, COS2);
    c = Math.fma(c, z, COS1);
    c = Math.fma(c, z, COS0);
    return Math.fma(z * z, c, Math.fma(z, -0.5, 1));
  }

  /** sin(x + quadrant pi/2). */
  private static double sinQuadrant(double x, long quadrant) {
    double t = Math.fma(x, TWO_OVER_PI, ROUND);
    double r = reduced(x, t - ROUND);
    double s = nearSin(r);
    double c = nearCos(r);
    long q = Double.doubleToRawLongBits(t) + quadrant;
    double v = (q & 1) != 0 ? c : s;
    return Double.longBitsToDouble(Double.doubleToRawLongBits(v) ^ ((q << 62) & SIGN));
  }

  public static double tanh(double x) {
    double e = expm1(Math.abs(x) * -2);
    return Math.copySign(e / (e + 2), x);
  }

  public static double sigmoid(double x) {
    double e = exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (e + 1);
  }

  public static double erf(double x) {
    double a = Math.abs(x);
    double z = x * x;
    double p = ERF11;
    p = Math.fma(p, z, ERF10);
    p = Math.fma(p, z, ERF9);
    p = Math.fma(p, z, ERF8);
    p = Math.fma(p, z, ERF7);
    p = Math.fma(p, z, ERF6);
    p = Math.fma(p, z, ERF5);
    p = Math.fma(p, z, ERF4);
    p = Math.fma(p, z, ERF3);
    p = Math.fma(p, z, ERF2);
    p = Math.fma(p, z, ERF1);
    p = Math.fma(p, z, ERF0);
    double far = Math.copySign(1 - erfcPositive(a), x);
    return a < 1 ? x * p : far;
  }

  public static double erfc(double x) {
    double v = erfcPositive(Math.abs(x));
    v = x < 0 ? 2 - v : v;
    double z = x * x;
    double p = ERF11;
    p = Math.fma(p, z, ERF10);
    p = Math.fma(p, z, ERF9);
    p = Math.fma(p, z, ERF8);
    p = Math.fma(p, z, ERF7);
    p = Math.fma(p, z, ERF6);
    p = Math.fma(p, z, ERF5);
    p = Math.fma(p, z, ERF4);
    p = Math.fma(p, z, ERF3);
    p = Math.fma(p, z, ERF2);
    p = Math.fma(p, z, ERF1);
    p = Math.fma(p, z, ERF0);
    return Math.abs(x) < 0.5 ? Math.fma(-x, p, 1) : v;
  }

  /** exp(-a^2) / (1 + 2a) times a polynomial in t = (a - c)/(a + c), for a >= 0. */
  private static double erfcPositive(double x) {
    double a = x > ERFC_MAX ? ERFC_MAX : x;
    double t = (a - ERFC_CENTRE) / (a + ERFC_CENTRE);
    double p = ERFC22;
    p = Math.fma(p, t, ERFC21);
    p = Math.fma(p, t, ERFC20);
    p = Math.fma(p, t, ERFC19);
    p = Math.fma(p, t, ERFC18);
    p = Math.fma(p, t, ERFC17);
    p = Math.fma(p, t, ERFC16);
    p = Math.fma(p, t, ERFC15);
    p = Math.fma(p, t, ERFC14);
    p = Math.fma(p, t, ERFC13);
    p = Math.fma(p, t, ERFC12);
    p = Math.fma(p, t, ERFC11);
    p = Math.fma(p, t, ERFC10);
    p = Math.fma(p, t, ERFC9);
    p = Math.fma(p, t, ERFC8);
    p = Math.fma(p, t, ERFC7);
    p = Math.fma(p, t, ERFC6);
    p = Math.fma(p, t, ERFC5);
    p = Math.fma(p, t, ERFC4);
    p = Math.fma(p, t, ERFC3);
    p = Math.fma(p, t, ERFC2);
    p = Math.fma(p, t, ERFC1);
    p = Math.fma(p, t, ERFC0);
    double square = a * a;
    double low = Math.fma(a, a, -square);
    double e = exp(-square);
    e = Math.fma(-e, low, e);
    return p / Math.fma(a, 2, 1) * e;
  }

  /** 2^(k + bias - 1023), where k is the integer in the low bits of t. */
  private static double power(double t, long bias) {
    return Double.longBitsToDouble((Double.doubleToRawLongBits(t) + bias) << 52);
  }

  public static double tan(double x) {
    if (Math.abs(x) > TRIG_MAX) {
      return StrictMath.tan(x);
    }
    double t = Math.fma(x, TWO_OVER_PI, ROUND);
    double r = reduced(x, t - ROUND);
    double s = nearSin(r);
    double c = nearCos(r);
    boolean odd = (Double.doubleToRawLongBits(t) & 1) != 0;
    double v = (odd ? -c : s) / (odd ? s : c);
    return x == 0 ? x : v;
  }

  public static double asin(double x) {
    return ScalarInverse.asin(x);
  }

  public static double acos(double x) {
    return ScalarInverse.acos(x);
  }

  public static double atan(double x) {
    return ScalarInverse.atan(x);
  }

  public static double sinh(double x) {
    double a = Math.abs(x);
    double t = Math.fma(a, LOG2_E, ROUND);
    double p = nearExpm1(a, t - ROUND);
    double h = power(t, 1021);
    // half of exp(a) - 1, which overflows where the result does
    double v = Math.fma(p, h, h - 0.25) * 2;
    v = v + v / (v * 2 + 1);
    v = a < TINY ? a : v;
    return Math.copySign(a > SINH_MAX ? Double.POSITIVE_INFINITY : v, x);
  }

  public static double cosh(double x) {
    double a = Math.abs(x);
    double t = Math.fma(a, LOG2_E, ROUND);
    double e = (1 + nearExpm1(a, t - ROUND)) * power(t, 1021);
    double v = Math.fma(e, 2, 0.125 / e);
    return a > SINH_MAX ? Double.POSITIVE_INFINITY : v;
  }

  /** As IEEE 754 and C have it: where Java gives NaN, 1^NaN = 1 and (-1)^inf = 1^inf = 1. */
  public static double pow(double a, double b) {
    boolean one = a == 1 || (a == -1 && Double.isInfinite(b));
    return one ? 1 : StrictMath.pow(a, b);
  }

  public static double atan2(double a, double b) {
    return ScalarInverse.atan2(a, b);
  }

  public static float exp(float x) {
    return ScalarFloat.exp(x);
  }

  public static float expm1(float x) {
    return ScalarFloat.expm1(x);
  }

  public static float log(float x) {
    return ScalarFloat.log(x);
  }

  public static float log1p(float x) {
    return ScalarFloat.log1p(x);
  }

  public static float sin(float x) {
    return ScalarFloat.sin(x);
  }

  public static float cos(float x) {
    return ScalarFloat.cos(x);
  }

  public static float tan(float x) {
    return ScalarFloat.tan(x);
  }

  public static float asin(float x) {
    return ScalarInverse.asin(x);
  }

  public static float acos(float x) {
    return ScalarInverse.acos(x);
  }

  public static float atan(float x) {
    return ScalarInverse.atan(x);
  }

  public static float sinh(float x) {
    return ScalarFloat.sinh(x);
  }

  public static float cosh(float x) {
    return ScalarFloat.cosh(x);
  }

  public static float tanh(float x) {
    return ScalarFloat.tanh(x);
  }

  public static float sigmoid(float x) {
    return ScalarFloat.sigmoid(x);
  }

  public static float erf(float x) {
    return ScalarFloat.erf(x);
  }

  public static float erfc(float x) {
    return ScalarFloat.erfc(x);
  }

  public static float pow(float a, float b) {
    return ScalarFloat.pow(a, b);
  }

  public static float atan2(float a, float b) {
    return ScalarInverse.atan2(a, b);
  }
}
