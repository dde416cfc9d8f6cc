package tapedeck.tornado.render;

import java.lang.constant.ClassDesc;
import java.util.List;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.vectors.Double4;
import uk.ac.manchester.tornado.api.types.vectors.Double8;
import uk.ac.manchester.tornado.api.types.vectors.Float16;
import uk.ac.manchester.tornado.api.types.vectors.Float4;
import uk.ac.manchester.tornado.api.types.vectors.Float8;

/**
 * float32 functions for CPU devices with extended instructions, in place of those of the device's
 * library, which become calls or code that device compilers make poor vectors of. They are
 * straight-line code with selects, like {@link DeviceMath}, so a loop over them becomes vectors.
 * The formulas are those of the CPU backend. NaN is never a literal, which TornadoVM cannot write.
 */
// A zero divided by itself is NaN; coefficients are written with the digits that they were computed
// with.
@SuppressWarnings({"IdentityBinaryExpression", "FloatingPointLiteralPrecision"})
public final class CpuMath {
  /** Beyond it the quarter turns of sin, cos and tan are not exact. */
  static final float TRIG_MAX = 1e5f;

  /** Rounds what it is added to, whose value is then in the low bits. */
  private static final float ROUND = 0x1.8p23f;

  private static final int SIGN = 0x80000000;
  private static final float LOG2_E = 0x1.715476p0f;
  private static final float LN2_HI = 0x1.62e430p-1f;
  private static final float LN2_LO = -0x1.05c610p-29f;
  private static final float EXP_MAX = 88.72284f;
  private static final float EXP_OVER = 89f;
  private static final float EXP_UNDER = -105f;
  private static final float EXPM1_MIN = -17.4f;
  private static final float TINY = 0x1p-25f;
  private static final int SQRT_HALF = 0x3f3504f3;
  private static final int CARRY = 0x3f800000 - SQRT_HALF;
  private static final int MANTISSA = 0x007fffff;

  /** Types of vectors that have {@code fma}. */
  public static final List<ClassDesc> VECTORS =
      List.of(
          Types.desc(Float4.class),
          Types.desc(Float8.class),
          Types.desc(Float16.class),
          Types.desc(Double4.class),
          Types.desc(Double8.class));

  private CpuMath() {}

  // Vectors of fused multiply-adds. What is written here is what they are for people and without
  // the driver's extension, which takes their place in a kernel.

  public static Float4 fma(Float4 a, Float4 b, Float4 sum) {
    return Float4.add(Float4.mult(a, b), sum);
  }

  public static Float8 fma(Float8 a, Float8 b, Float8 sum) {
    return Float8.add(Float8.mult(a, b), sum);
  }

  public static Float16 fma(Float16 a, Float16 b, Float16 sum) {
    return Float16.add(Float16.mult(a, b), sum);
  }

  public static Double4 fma(Double4 a, Double4 b, Double4 sum) {
    return Double4.add(Double4.mult(a, b), sum);
  }

  public static Double8 fma(Double8 a, Double8 b, Double8 sum) {
    return Double8.add(Double8.mult(a, b), sum);
  }

  /** The larger of a number and the bits of |x|, which are in the order of the values. */
  public static int tdLargest(int most, float x) {
    int bits = Float.floatToRawIntBits(x) & 0x7fffffff;
    return most > bits ? most : bits;
  }

  /** A power of two; of the exponent, the lowest 9 bits matter. */
  private static float power(int exponent) {
    return Float.intBitsToFloat((exponent + 127) << 23);
  }

  private static float withSign(float magnitude, float sign) {
    return Float.intBitsToFloat(
        Float.floatToRawIntBits(magnitude) | (Float.floatToRawIntBits(sign) & SIGN));
  }

  private static float whole(float x) {
    return Math.fma(x, LOG2_E, ROUND);
  }

  /** What {@link #whole} leaves of x. */
  private static float rest(float x, float t) {
    float minus = ROUND - t;
    return Math.fma(minus, LN2_LO, Math.fma(minus, LN2_HI, x));
  }

  /** exp(r) - 1 near 0. */
  private static float nearExpm1(float r) {
    float w = 0x1.6a4f8cp-10f;
    w = Math.fma(w, r, 0x1.123988p-7f);
    w = Math.fma(w, r, 0x1.5558aep-5f);
    w = Math.fma(w, r, 0x1.555492p-3f);
    w = Math.fma(w, r, 0x1.fffffcp-2f);
    return Math.fma(r * r, w, r);
  }

  /** p times a power of two whose exponent is in the low bits of t; rounds subnormals once. */
  private static float scaled(float p, float t) {
    int whole = Float.floatToRawIntBits(t);
    int half = whole >> 1;
    return (p * power(half)) * power(whole - half);
  }

  /** Beyond the limits its last product is infinite, or 0. */
  public static float tdExp(float x) {
    float low = x > EXP_OVER ? EXP_OVER : x;
    float c = low < EXP_UNDER ? EXP_UNDER : low;
    float t = whole(c);
    return scaled(nearExpm1(rest(c, t)) + 1f, t);
  }

  /** expm1 where it does not overflow. */
  private static float expm1InRange(float x) {
    float t = whole(x);
    float p = nearExpm1(rest(x, t));
    float half = power(Float.floatToRawIntBits(t) - 1);
    float e = Math.fma(p, half, half - 0.5f) * 2f;
    return TornadoMath.abs(x) < TINY ? x : e;
  }

  public static float tdExpm1(float x) {
    float e = expm1InRange(x);
    float finite = x > EXP_MAX ? Float.POSITIVE_INFINITY : e;
    return x < EXPM1_MIN ? -1f : finite;
  }

  /** With e = exp(-|x|): 1/(1+e) for x >= 0, else e/(1+e). */
  public static float tdSigmoid(float x) {
    float minus = -TornadoMath.abs(x);
    float a = minus < EXP_UNDER ? EXP_UNDER : minus;
    float t = whole(a);
    float e = scaled(nearExpm1(rest(a, t)) + 1f, t);
    return (x < 0f ? e : 1f) / (e + 1f);
  }

  public static float tdSinh(float x) {
    float a = TornadoMath.abs(x);
    float e = tdExpm1(a);
    float h = tdExp(0.5f * a);
    float r = a > 20f ? 0.5f * h * h : 0.5f * (e + e / (e + 1f));
    return withSign(r, x);
  }

  public static float tdCosh(float x) {
    float h = tdExp(0.5f * TornadoMath.abs(x));
    float q = h * h;
    return q > 1e8f ? 0.5f * h * h : 0.5f * (q + 1f / q);
  }

  /** x P(x^2) / Q(x^2), of least relative error up to 9, where tanh rounds to 1. */
  public static float tdTanh(float x) {
    float low = x > 9f ? 9f : x;
    float c = low < -9f ? -9f : low;
    float z = c * c;
    float p = 1.33546398e-08f;
    p = Math.fma(p, z, 2.06090651e-05f);
    p = Math.fma(p, z, 3.49558702e-03f);
    p = Math.fma(p, z, 1.33810247e-01f);
    p = Math.fma(p, z, 0.999999979f);
    float q = 7.77654894e-07f;
    q = Math.fma(q, z, 3.28563305e-04f);
    q = Math.fma(q, z, 2.5876978e-02f);
    q = Math.fma(q, z, 4.67143403e-01f);
    q = Math.fma(q, z, 1f);
    float v = c * p / q;
    float top = v > 1f ? 1f : v;
    return top < -1f ? -1f : top;
  }

  /** The logarithm of (1 + f) 2^k plus a correction. */
  private static float log(float k, float f, float correction) {
    float s = f / (f + 2f);
    float z = s * s;
    float p = 0x1.31e134p-2f;
    p = Math.fma(p, z, 0x1.995ed2p-2f);
    p = Math.fma(p, z, 0x1.55557ap-1f);
    float h = (f * 0.5f) * f;
    float tail = Math.fma(s, Math.fma(z, p, h), correction);
    return Math.fma(k, LN2_HI, f - (h - tail));
  }

  /** The exponent of a positive number whose bits have had {@code CARRY} added. */
  private static float exponent(int u) {
    return Float.intBitsToFloat((u >> 23) | 0x4b000000) - (0x1p23f + 127);
  }

  /** Its significand, from sqrt(1/2) to sqrt(2). */
  private static float significand(int u) {
    return Float.intBitsToFloat((u & MANTISSA) + SQRT_HALF);
  }

  public static float tdLog(float x) {
    float y = x < Float.MIN_NORMAL ? x * 0x1p25f : x;
    int u = Float.floatToRawIntBits(y) + CARRY;
    float k = exponent(u) - (x < Float.MIN_NORMAL ? 25f : 0f);
    float v = log(k, significand(u) - 1f, k * LN2_LO);
    float finite = x < Float.POSITIVE_INFINITY ? v : x;
    float nonzero = x == 0f ? Float.NEGATIVE_INFINITY : finite;
    float none = x * 0f;
    return x < 0f ? none / none : nonzero;
  }

  public static float tdLog1p(float x) {
    float w = x + 1f;
    int u = Float.floatToRawIntBits(w) + CARRY;
    float k = exponent(u);
    float lost = k > 0f ? 1f - (w - x) : x - (w - 1f);
    float f = k == 0f ? x : significand(u) - 1f;
    float c = k == 0f ? 0f : lost / w;
    float v = log(k, f, Math.fma(k, LN2_LO, c));
    float far = TornadoMath.abs(x) < TINY ? x : v;
    float finite = x < Float.POSITIVE_INFINITY ? far : x;
    float nonzero = x == -1f ? Float.NEGATIVE_INFINITY : finite;
    float none = x * 0f;
    return x < -1f ? none / none : nonzero;
  }

  /** x less quarter turns, of which t has the number in its low bits. */
  private static float reduced(float x, float t) {
    float minus = ROUND - t;
    float r = Math.fma(minus, 0x1.921fb6p0f, x);
    r = Math.fma(minus, -0x1.777a5cp-25f, r);
    return Math.fma(minus, -0x1.ee59dap-50f, r);
  }

  private static float quarters(float x) {
    return Math.fma(x, 0x1.45f306p-1f, ROUND);
  }

  private static float nearSin(float r) {
    float z = r * r;
    float s = -0x1.9955cap-13f;
    s = Math.fma(s, z, 0x1.11077cp-7f);
    s = Math.fma(s, z, -0x1.555546p-3f);
    return Math.fma(r * z, s, r);
  }

  private static float nearCos(float r) {
    float z = r * r;
    float c = 0x1.99e0ecp-16f;
    c = Math.fma(c, z, -0x1.6c0c1ap-10f);
    c = Math.fma(c, z, 0x1.55554ap-5f);
    return Math.fma(z * z, c, Math.fma(z, -0.5f, 1f));
  }

  /** The sine of x and so many quarter turns. */
  private static float turned(float x, int quarters) {
    float t = quarters(x);
    float r = reduced(x, t);
    float s = nearSin(r);
    float c = nearCos(r);
    int q = Float.floatToRawIntBits(t) + quarters;
    float v = (q & 1) != 0 ? c : s;
    return Float.intBitsToFloat(Float.floatToRawIntBits(v) ^ ((q << 30) & SIGN));
  }

  /** For |x| up to {@link #TRIG_MAX}. */
  public static float tdSin(float x) {
    return x == 0f ? x : turned(x, 0);
  }

  /** For |x| up to {@link #TRIG_MAX}. */
  public static float tdCos(float x) {
    return turned(x, 1);
  }

  /** For |x| up to {@link #TRIG_MAX}. */
  public static float tdTan(float x) {
    float t = quarters(x);
    float r = reduced(x, t);
    float s = nearSin(r);
    float c = nearCos(r);
    int q = Float.floatToRawIntBits(t) & 1;
    float v = (q != 0 ? -c : s) / (q != 0 ? s : c);
    return x == 0f ? x : v;
  }

  /** erfc(a) exp(a^2) for a of 0 and more. */
  private static float scaledErfc(float a) {
    float inv = 1f / (a + 3f);
    float y = (a - 3f) * inv;
    float g = -0x1.4b2be6p-12f;
    g = Math.fma(g, y, -0x1.eecb94p-12f);
    g = Math.fma(g, y, 0x1.92763cp-9f);
    g = Math.fma(g, y, -0x1.44ea52p-10f);
    g = Math.fma(g, y, -0x1.b7b30ap-6f);
    g = Math.fma(g, y, 0x1.e99bdcp-4f);
    g = Math.fma(g, y, -0x1.3deadep-2f);
    g = Math.fma(g, y, 0x1.2e3258p-1f);
    g = Math.fma(g, y, -0x1.c44c48p-1f);
    g = Math.fma(g, y, 0x1.12f21ep+0f);
    return g * inv;
  }

  /** erf(x) / x - 1 for x below 1. */
  private static float nearErf(float x) {
    float z = x * x;
    float q = 0x1.4771fep-14f;
    q = Math.fma(q, z, -0x1.a3515ep-11f);
    q = Math.fma(q, z, 0x1.53f224p-8f);
    q = Math.fma(q, z, -0x1.b7f71ap-6f);
    q = Math.fma(q, z, 0x1.ce2ce6p-4f);
    q = Math.fma(q, z, -0x1.81273ep-2f);
    return Math.fma(q, z, 0x1.06eba8p-3f);
  }

  public static float tdErf(float x) {
    float m = TornadoMath.abs(x);
    float a = m > 4f ? 4f : m;
    float square = -(a * a);
    float t = whole(square);
    float e = (nearExpm1(rest(square, t)) + 1f) * power(Float.floatToRawIntBits(t));
    float far = withSign(1f - scaledErfc(a) * e, x);
    return m < 1f ? Math.fma(x, nearErf(x), x) : far;
  }

  public static float tdErfc(float x) {
    float m = TornadoMath.abs(x);
    float a = m > 10.2f ? 10.2f : m;
    float square = -(a * a);
    float low = Math.fma(a, a, square);
    float t = whole(square);
    float p = nearExpm1(rest(square, t) - low) + 1f;
    float tail = scaled(p * scaledErfc(a), t);
    float far = x < 0f ? 2f - tail : tail;
    return m < 1f ? Math.fma(-x, nearErf(x), 1f - x) : far;
  }

  /** 2^(b log2|a|), with the logarithm in float64, whose error b would make large. */
  private static float powerOf(float m, float b) {
    float y = m < Float.MIN_NORMAL ? m * 0x1p25f : m;
    int u = Float.floatToRawIntBits(y) + CARRY;
    float k = exponent(u) - (m < Float.MIN_NORMAL ? 25f : 0f);
    float zero = m == 0f ? Float.NEGATIVE_INFINITY : k;
    float whole = m < Float.POSITIVE_INFINITY ? zero : m;
    double f = (double) significand(u) - 1.0;
    double s = f / (f + 2.0);
    double z = s * s;
    double p = 1.0 / 11;
    p = Math.fma(p, z, 1.0 / 9);
    p = Math.fma(p, z, 1.0 / 7);
    p = Math.fma(p, z, 1.0 / 5);
    p = Math.fma(p, z, 1.0 / 3);
    p = Math.fma(p, z, 1.0);
    double e = (double) b * Math.fma(s * 2.8853900817779268, p, (double) whole);
    double low = e > 140.0 ? 140.0 : e;
    double c = low < -160.0 ? -160.0 : low;
    float t = (float) c + ROUND;
    float r = (float) ((c - (double) (t - ROUND)) * 0.6931471805599453);
    return scaled(nearExpm1(r) + 1f, t);
  }

  /** As IEEE 754 and C have it: 1 for any power of 1, and for exponent 0. */
  public static float tdPow(float a, float b) {
    float m = TornadoMath.abs(a);
    float power = powerOf(m, b);
    float unit = b == b ? 1f : b;
    float v = m == 1f ? unit : power;
    float floor = TornadoMath.floor(b);
    float half = 0.5f * b;
    // An integer from 2^24 on is even.
    float turned = TornadoMath.floor(half) == half ? v : -v;
    float signed = floor == b ? turned : v;
    // A zero from both operands: where one is known, the compiler must not know the quotient.
    float none = a * 0f * b;
    float real = floor == b ? turned : none / none;
    float finite = a > Float.NEGATIVE_INFINITY ? real : signed;
    float below = a < 0f ? finite : signed;
    float any = Float.floatToRawIntBits(a) < 0 ? below : v;
    float number = a == a ? any : a;
    float one = a == 1f ? 1f : number;
    return b == 0f ? 1f : one;
  }
}
