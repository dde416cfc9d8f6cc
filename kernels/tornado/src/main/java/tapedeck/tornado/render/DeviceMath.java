package tapedeck.tornado.render;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * Scalar functions that TornadoVM's compiler has no intrinsic for, as formulas over those that it
 * has. Generated kernels call them and the compiler inlines them, so each is straight-line code.
 * Names must not be those of OpenCL built-ins.
 */
// NaN is tested for by comparing a value with itself, which becomes one instruction; coefficients
// are written with the digits that they were computed with.
@SuppressWarnings({"IdentityBinaryExpression", "FloatingPointLiteralPrecision"})
public final class DeviceMath {
  private DeviceMath() {}

  public static float tdSign(float x) {
    float s = x < 0f ? -1f : x;
    return x > 0f ? 1f : s;
  }

  public static double tdSign(double x) {
    double s = x < 0.0 ? -1.0 : x;
    return x > 0.0 ? 1.0 : s;
  }

  /** Ties to even: beyond 2^23 every float is an integer, and adding it rounds. */
  public static float tdRound(float x) {
    float a = TornadoMath.abs(x);
    float r = (a + 8388608f) - 8388608f;
    float s = x < 0f ? -r : r;
    float t = a < 8388608f ? s : x;
    return r == 0f ? x * 0f : t;
  }

  /** As the float version, with 2^52. */
  public static double tdRound(double x) {
    double a = TornadoMath.abs(x);
    double r = (a + 4503599627370496.0) - 4503599627370496.0;
    double s = x < 0.0 ? -r : r;
    double t = a < 4503599627370496.0 ? s : x;
    return r == 0.0 ? x * 0.0 : t;
  }

  /** Kahan: the error of log(exp(x)) against x cancels the error of exp(x) - 1. */
  public static float tdExpm1(float x) {
    float u = TornadoMath.exp(x);
    float v = u - 1f;
    float mid = v * x / TornadoMath.log(u);
    float low = v == -1f ? -1f : mid;
    float far = x > 20f ? v : low;
    return u == 1f ? x : far;
  }

  public static double tdExpm1(double x) {
    double u = TornadoMath.exp(x);
    double v = u - 1.0;
    double mid = v * x / TornadoMath.log(u);
    double low = v == -1.0 ? -1.0 : mid;
    double far = x > 40.0 ? v : low;
    return u == 1.0 ? x : far;
  }

  /**
   * The formula of {@link CpuMath#tdTanh}, which has no need of bits, without fused instructions.
   */
  public static float tdTanh(float x) {
    float low = x > 9f ? 9f : x;
    float c = low < -9f ? -9f : low;
    float z = c * c;
    float p = 1.33546398e-08f;
    p = p * z + 2.06090651e-05f;
    p = p * z + 3.49558702e-03f;
    p = p * z + 1.33810247e-01f;
    p = p * z + 0.999999979f;
    float q = 7.77654894e-07f;
    q = q * z + 3.28563305e-04f;
    q = q * z + 2.5876978e-02f;
    q = q * z + 4.67143403e-01f;
    q = q * z + 1f;
    float v = c * p / q;
    float top = v > 1f ? 1f : v;
    return top < -1f ? -1f : top;
  }

  /** Kahan: log(u) scaled by x over what was really added to 1. */
  public static float tdLog1p(float x) {
    float u = 1f + x;
    float l = TornadoMath.log(u);
    float mid = l * x / (u - 1f);
    float far = x > 1e30f ? l : mid;
    return u == 1f ? x : far;
  }

  public static double tdLog1p(double x) {
    double u = 1.0 + x;
    double l = TornadoMath.log(u);
    double mid = l * x / (u - 1.0);
    double far = x > 1e300 ? l : mid;
    return u == 1.0 ? x : far;
  }

  /** Beyond 20 through exp(x/2), which does not overflow before the result does. */
  public static float tdSinh(float x) {
    float a = TornadoMath.abs(x);
    float e = tdExpm1(a);
    float h = TornadoMath.exp(0.5f * a);
    float r = a > 20f ? 0.5f * h * h : 0.5f * (e + e / (e + 1f));
    float s = x < 0f ? -r : r;
    return x == 0f ? x : s;
  }

  public static double tdSinh(double x) {
    double a = TornadoMath.abs(x);
    double e = tdExpm1(a);
    double h = TornadoMath.exp(0.5 * a);
    double r = a > 40.0 ? 0.5 * h * h : 0.5 * (e + e / (e + 1.0));
    double s = x < 0.0 ? -r : r;
    return x == 0.0 ? x : s;
  }

  public static float tdCosh(float x) {
    float h = TornadoMath.exp(0.5f * TornadoMath.abs(x));
    float q = h * h;
    return q > 1e8f ? 0.5f * h * h : 0.5f * (q + 1f / q);
  }

  public static double tdCosh(double x) {
    double h = TornadoMath.exp(0.5 * TornadoMath.abs(x));
    double q = h * h;
    return q > 1e16 ? 0.5 * h * h : 0.5 * (q + 1.0 / q);
  }

  /** With e = exp(-|x|), which never overflows: 1/(1+e) for x >= 0, else e/(1+e). */
  public static float tdSigmoid(float x) {
    float e = TornadoMath.exp(-TornadoMath.abs(x));
    return (x < 0f ? e : 1f) / (1f + e);
  }

  public static double tdSigmoid(double x) {
    double e = TornadoMath.exp(-TornadoMath.abs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
  }

  /** The polynomial is of erf(x)/x in x^2, and of the scaled complement beyond 1. */
  public static float tdErf(float x) {
    float a = TornadoMath.abs(x);
    float z = x * x;
    float p = 7.875875e-05f;
    p = p * z - 8.0168643e-04f;
    p = p * z + 5.1890874e-03f;
    p = p * z - 2.6854212e-02f;
    p = p * z + 1.1283595e-01f;
    p = p * z - 3.7612627e-01f;
    p = p * z + 1.1283792f;
    float f = 1f - tail(a);
    float far = x < 0f ? -f : f;
    return a < 1f ? x * p : far;
  }

  public static float tdErfc(float x) {
    float v = tail(TornadoMath.abs(x));
    return x < 0f ? 2f - v : v;
  }

  private static float tail(float x) {
    float a = x > 10.3f ? 10.3f : x;
    float t = (a - 2.5f) / (a + 2.5f);
    float p = -6.14231e-05f;
    p = p * t - 5.1535213e-05f;
    p = p * t + 5.9660588e-04f;
    p = p * t + 4.5953903e-04f;
    p = p * t - 4.3720681e-03f;
    p = p * t + 9.4288182e-04f;
    p = p * t + 3.2759616e-02f;
    p = p * t - 1.0296465e-01f;
    p = p * t + 1.5762999e-01f;
    p = p * t - 9.9024456e-02f;
    p = p * t - 1.2235675e-01f;
    p = p * t + 1.2648382f;
    // exp amplifies the rounding error of the square a^2 times: a splits so that one part is exact.
    float h = (a + 32768f) - 32768f;
    float e = TornadoMath.exp(-h * h) * TornadoMath.exp((h - a) * (h + a));
    float v = p / (2f * a + 1f) * e;
    return x != x ? x : v;
  }

  public static double tdErf(double x) {
    double a = TornadoMath.abs(x);
    double f = 1.0 - tail(a);
    double far = x < 0.0 ? -f : f;
    return a < 1.0 ? x * near(x * x) : far;
  }

  public static double tdErfc(double x) {
    double a = TornadoMath.abs(x);
    double v = tail(a);
    double far = x < 0.0 ? 2.0 - v : v;
    return a < 0.5 ? 1.0 - x * near(x * x) : far;
  }

  private static double near(double z) {
    double p = -7.795898827002142e-10;
    p = p * z + 1.3720064546777686e-08;
    p = p * z - 1.6208483801871705e-07;
    p = p * z + 1.6447424703317362e-06;
    p = p * z - 1.492473690741966e-05;
    p = p * z + 0.00012055294904839707;
    p = p * z - 0.0008548325975389692;
    p = p * z + 0.0052239776071164225;
    p = p * z - 0.02686617064323777;
    p = p * z + 0.11283791670945006;
    p = p * z - 0.37612638903183543;
    return p * z + 1.1283791670955126;
  }

  private static double tail(double x) {
    double a = x > 28.0 ? 28.0 : x;
    double t = (a - 3.75) / (a + 3.75);
    double p = -2.4108215365422332e-09;
    p = p * t - 8.782125734803521e-10;
    p = p * t + 3.285083556233316e-08;
    p = p * t + 1.5996335215573707e-08;
    p = p * t - 2.5261465267715506e-07;
    p = p * t - 4.815839621672849e-08;
    p = p * t + 1.7481190468391965e-06;
    p = p * t - 9.801666755858578e-07;
    p = p * t - 1.1442990926805438e-05;
    p = p * t + 2.2387259638230133e-05;
    p = p * t + 5.1648913469599865e-05;
    p = p * t - 0.00029015496529570924;
    p = p * t + 0.00029371366631088616;
    p = p * t + 0.001755626017152004;
    p = p * t - 0.009746579553431873;
    p = p * t + 0.028362277400457724;
    p = p * t - 0.05869339859030941;
    p = p * t + 0.09230432116153116;
    p = p * t - 0.10880393014171236;
    p = p * t + 0.08227673849011204;
    p = p * t + 0.003585415485463779;
    p = p * t - 0.1402405985855467;
    p = p * t + 1.2375126308378275;
    double h = (a + 2147483648.0) - 2147483648.0;
    double e = TornadoMath.exp(-h * h) * TornadoMath.exp((h - a) * (h + a));
    double v = p / (2.0 * a + 1.0) * e;
    return x != x ? x : v;
  }

  public static int tdUmulhi(int a, int b) {
    return (int) (((a & 0xffffffffL) * (b & 0xffffffffL)) >>> 32);
  }

  /** Where dividing by b is undefined or may trap (0 and -1), 1 instead. */
  private static int safe(int b) {
    int nonzero = b == 0 ? 1 : b;
    return b == -1 ? 1 : nonzero;
  }

  public static int tdDivide(int a, int b) {
    int q = a / safe(b);
    int r = b == -1 ? -a : q;
    return b == 0 ? 0 : r;
  }

  public static int tdRemainder(int a, int b) {
    return a % safe(b);
  }

  /** As C's fmod, exactly: takes the largest doubling of |b| that fits away until none does. */
  public static float tdRemainder(float a, float b) {
    float x = TornadoMath.abs(a);
    float y = TornadoMath.abs(b);
    boolean none = y == 0f || y != y || x - x != 0f;
    float d = none ? 1f : y;
    float r = none ? 0f : x;
    while (r >= d) {
      float t = d;
      while (t <= 0.5f * r) {
        t = t + t;
      }
      r = r - t;
    }
    float s = a < 0f ? -r : r;
    float v = a == 0f ? a : s;
    return none ? (a * b) / (a * b) : v;
  }

  public static double tdRemainder(double a, double b) {
    double x = TornadoMath.abs(a);
    double y = TornadoMath.abs(b);
    boolean none = y == 0.0 || y != y || x - x != 0.0;
    double d = none ? 1.0 : y;
    double r = none ? 0.0 : x;
    while (r >= d) {
      double t = d;
      while (t <= 0.5 * r) {
        t = t + t;
      }
      r = r - t;
    }
    double s = a < 0.0 ? -r : r;
    double v = a == 0.0 ? a : s;
    return none ? (a * b) / (a * b) : v;
  }

  /** Truncates and saturates; NaN gives 0. */
  public static int tdToInt(float x) {
    float low = x < -2147483648f ? -2147483648f : x;
    boolean huge = low >= 2147483648f;
    float in = huge ? 0f : low;
    int i = (int) (x != x ? 0f : in);
    return huge ? 2147483647 : i;
  }

  public static int tdToInt(double x) {
    double low = x < -2147483648.0 ? -2147483648.0 : x;
    boolean huge = low >= 2147483648.0;
    double in = huge ? 0.0 : low;
    int i = (int) (x != x ? 0.0 : in);
    return huge ? 2147483647 : i;
  }

  // NB: TornadoVM writes the JVM's unsigned shift of an int as a signed one.
  public static int tdShiftRight(int a, int b) {
    return (int) ((a & 0xffffffffL) >> b);
  }

  public static int tdMin(int a, int b) {
    return a < b ? a : b;
  }

  public static int tdMax(int a, int b) {
    return a > b ? a : b;
  }

  /** The first operand where it is less or NaN: NaN in either comes through. */
  public static float tdMin(float a, float b) {
    float m = a < b ? a : b;
    return a != a ? a : m;
  }

  public static double tdMin(double a, double b) {
    double m = a < b ? a : b;
    return a != a ? a : m;
  }

  public static float tdMax(float a, float b) {
    float m = a > b ? a : b;
    return a != a ? a : m;
  }

  public static double tdMax(double a, double b) {
    double m = a > b ? a : b;
    return a != a ? a : m;
  }

  public static int tdLt(float a, float b) {
    return a < b ? 1 : 0;
  }

  public static int tdLt(double a, double b) {
    return a < b ? 1 : 0;
  }

  public static int tdLt(int a, int b) {
    return a < b ? 1 : 0;
  }

  // NB: as two comparisons, because the compiler turns a <= b into !(b < a), which holds for NaN.
  public static int tdLe(float a, float b) {
    int less = a < b ? 1 : 0;
    int equal = a == b ? 1 : 0;
    return less | equal;
  }

  public static int tdLe(double a, double b) {
    int less = a < b ? 1 : 0;
    int equal = a == b ? 1 : 0;
    return less | equal;
  }

  public static int tdLe(int a, int b) {
    return a <= b ? 1 : 0;
  }

  public static int tdEq(float a, float b) {
    return a == b ? 1 : 0;
  }

  public static int tdEq(double a, double b) {
    return a == b ? 1 : 0;
  }

  public static int tdEq(int a, int b) {
    return a == b ? 1 : 0;
  }

  public static int tdNe(float a, float b) {
    return a == b ? 0 : 1;
  }

  public static int tdNe(double a, double b) {
    return a == b ? 0 : 1;
  }

  public static int tdNe(int a, int b) {
    return a == b ? 0 : 1;
  }

  public static float tdSelect(int c, float a, float b) {
    return c != 0 ? a : b;
  }

  public static double tdSelect(int c, double a, double b) {
    return c != 0 ? a : b;
  }

  public static int tdSelect(int c, int a, int b) {
    return c != 0 ? a : b;
  }

  public static int tdIntSign(int x) {
    int s = x < 0 ? -1 : 0;
    return x > 0 ? 1 : s;
  }
}
