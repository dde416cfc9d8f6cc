package tapedeck.tornado.render;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * float32 functions for CPU devices, in place of those of the device whose scalar forms branch or
 * are calls: loops over these become vectors. They are straight-line code with selects, like {@link
 * DeviceMath}, and take no bits of a number apart, for which TornadoVM has no instruction.
 */
// A quotient of a zero by itself is NaN; coefficients are written with the digits that they were
// computed with.
@SuppressWarnings({"IdentityBinaryExpression", "FloatingPointLiteralPrecision"})
public final class CpuMath {
  private CpuMath() {}

  /** x P(x^2) / Q(x^2), of least relative error up to 9, where tanh rounds to 1. */
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

  /** exp(x) - 1 = tanh(x/2) (exp(x) + 1), which keeps its digits where both are small. */
  public static float tdExpm1(float x) {
    return tdTanh(0.5f * x) * (TornadoMath.exp(x) + 1f);
  }

  /** The logarithm of x scaled by powers of two, and inverted if below 1, to sqrt(1/2)..sqrt(2). */
  public static float tdLog(float x) {
    boolean tiny = x < 5.421010862427522e-20f;
    float y = tiny ? x * 18446744073709551616f : x;
    float k = tiny ? -64f : 0f;
    boolean below = y < 0.70710678f;
    float w = below ? 1f / y : y;
    float sign = below ? -1f : 1f;
    boolean b = w >= 1.3043817825332783e19f;
    w = b ? w * 5.421010862427522e-20f : w;
    float e = b ? 64f : 0f;
    b = w >= 3.0370005e9f;
    w = b ? w * 2.3283064365386963e-10f : w;
    e = b ? e + 32f : e;
    b = w >= 46340.95f;
    w = b ? w * 1.52587890625e-5f : w;
    e = b ? e + 16f : e;
    b = w >= 181.01933598f;
    w = b ? w * 0.00390625f : w;
    e = b ? e + 8f : e;
    b = w >= 11.3137085f;
    w = b ? w * 0.0625f : w;
    e = b ? e + 4f : e;
    b = w >= 2.82842712f;
    w = b ? w * 0.25f : w;
    e = b ? e + 2f : e;
    b = w >= 1.41421356f;
    w = b ? w * 0.5f : w;
    e = b ? e + 1f : e;
    float f = w - 1f;
    float s = f / (f + 2f);
    float z = s * s;
    float p = 0.29871067f;
    p = p * z + 0.39977577f;
    p = p * z + 0.66666777f;
    float h = 0.5f * f * f;
    float near = f - (h - s * (z * p + h));
    float n = k + sign * e;
    float v = n * 0.6931472f + (sign * near + n * -1.9046543e-9f);
    float finite = x > 3.4028235e38f ? x : v;
    float nonzero = x == 0f ? Float.NEGATIVE_INFINITY : finite;
    float none = x * 0f;
    return x < 0f ? none / none : nonzero;
  }

  /** Kahan: log(u) scaled by x over what was really added to 1. */
  public static float tdLog1p(float x) {
    float u = 1f + x;
    float l = tdLog(u);
    float mid = l * x / (u - 1f);
    float far = x > 1e30f ? l : mid;
    return u == 1f ? x : far;
  }
}
