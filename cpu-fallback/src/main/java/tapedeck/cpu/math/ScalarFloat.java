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
import static tapedeck.cpu.math.Coefficients.LN2_HI_F;
import static tapedeck.cpu.math.Coefficients.LN2_LO_F;
import static tapedeck.cpu.math.Coefficients.LOG2_E_F;
import static tapedeck.cpu.math.Coefficients.LOG_CARRY_F;
import static tapedeck.cpu.math.Coefficients.MANTISSA_F;
import static tapedeck.cpu.math.Coefficients.PIO2_F1;
import static tapedeck.cpu.math.Coefficients.PIO2_F2;
import static tapedeck.cpu.math.Coefficients.PIO2_F3;
import static tapedeck.cpu.math.Coefficients.ROUND_BITS;
import static tapedeck.cpu.math.Coefficients.ROUND_F;
import static tapedeck.cpu.math.Coefficients.SIGN_F;
import static tapedeck.cpu.math.Coefficients.SIN_F0;
import static tapedeck.cpu.math.Coefficients.SIN_F1;
import static tapedeck.cpu.math.Coefficients.SIN_F2;
import static tapedeck.cpu.math.Coefficients.SQRT_HALF_F;
import static tapedeck.cpu.math.Coefficients.TINY_F;
import static tapedeck.cpu.math.Coefficients.TRIG_MAX_F;
import static tapedeck.cpu.math.Coefficients.TWO23;
import static tapedeck.cpu.math.Coefficients.TWO23_BIAS;
import static tapedeck.cpu.math.Coefficients.TWO_OVER_PI_F;

/**
 * The functions of {@link ScalarMath} in float32 throughout. What matters for accuracy: reduced
 * arguments come from fused multiply-adds with constants in two or three parts; what is large and
 * exact is added last; powers of two are multiplied in two steps, the second of which rounds
 * subnormal results once.
 */
final class ScalarFloat {
  private ScalarFloat() {}

  static float exp(float x) {
    float t = Math.fma(x, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, x));
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r) + 1;
    int whole = Float.floatToRawIntBits(t) - ROUND_BITS;
    int half = whole >> 1;
    float e =
        (p * Float.intBitsToFloat((half + BIAS) << 23))
            * Float.intBitsToFloat(((whole - half) + BIAS) << 23);
    e = x > EXP_F_MAX ? Float.POSITIVE_INFINITY : e;
    return x < EXP_F_MIN ? 0 : e;
  }

  static float expm1(float x) {
    float t = Math.fma(x, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, x));
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r);
    float half = Float.intBitsToFloat((Float.floatToRawIntBits(t) + BIAS - 1) << 23);
    float e = Math.fma(p, half, (half - 0.5f)) * 2;
    e = Math.abs(x) < TINY_F ? x : e;
    e = x > EXP_F_MAX ? Float.POSITIVE_INFINITY : e;
    return x < EXPM1_F_MIN ? -1 : e;
  }

  static float sigmoid(float x) {
    float a = -Math.abs(x);
    float t = Math.fma(a, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, a));
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r) + 1;
    int whole = Float.floatToRawIntBits(t) - ROUND_BITS;
    int half = whole >> 1;
    float e =
        (p * Float.intBitsToFloat((half + BIAS) << 23))
            * Float.intBitsToFloat(((whole - half) + BIAS) << 23);
    e = a < EXP_F_MIN ? 0 : e;
    return (x < 0 ? e : 1) / (e + 1);
  }

  static float tanh(float x) {
    float a = Math.abs(x) * -2;
    float t = Math.fma(a, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, a));
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r);
    float half = Float.intBitsToFloat((Float.floatToRawIntBits(t) + BIAS - 1) << 23);
    float e = Math.fma(p, half, (half - 0.5f)) * 2;
    e = Math.abs(a) < TINY_F ? a : e;
    e = a < EXPM1_F_MIN ? -1 : e;
    float v = e / (e + 2);
    return Math.copySign(v, x);
  }

  static float log(float x) {
    boolean small = x < Float.MIN_NORMAL;
    float y = small ? (x * 0x1p25f) : x;
    int u = Float.floatToRawIntBits(y) + LOG_CARRY_F;
    float k = Float.intBitsToFloat((u >>> 23) | TWO23) - TWO23_BIAS;
    float f = Float.intBitsToFloat((u & MANTISSA_F) + SQRT_HALF_F) - 1;
    k = small ? (k - 25) : k;
    float s = f / (f + 2);
    float z = s * s;
    float p = LG_F2;
    p = Math.fma(p, z, LG_F1);
    p = Math.fma(p, z, LG_F0);
    float h = (f * 0.5f) * f;
    float tail = Math.fma(s, Math.fma(z, p, h), (k * LN2_LO_F));
    float v = Math.fma(k, LN2_HI_F, (f - (h - tail)));
    v = x < Float.POSITIVE_INFINITY ? v : x;
    v = x == 0 ? Float.NEGATIVE_INFINITY : v;
    return x < 0 ? Float.NaN : v;
  }

  static float log1p(float x) {
    float w = x + 1;
    int u = Float.floatToRawIntBits(w) + LOG_CARRY_F;
    float k = Float.intBitsToFloat((u >>> 23) | TWO23) - TWO23_BIAS;
    float f = Float.intBitsToFloat((u & MANTISSA_F) + SQRT_HALF_F) - 1;
    float c = k > 0 ? (1 - (w - x)) : (x - (w - 1));
    boolean near = k == 0;
    f = near ? x : f;
    c = near ? 0 : (c / w);
    float s = f / (f + 2);
    float z = s * s;
    float p = LG_F2;
    p = Math.fma(p, z, LG_F1);
    p = Math.fma(p, z, LG_F0);
    float h = (f * 0.5f) * f;
    float tail = Math.fma(s, Math.fma(z, p, h), Math.fma(k, LN2_LO_F, c));
    float v = Math.fma(k, LN2_HI_F, (f - (h - tail)));
    v = Math.abs(x) < TINY_F ? x : v;
    v = x < Float.POSITIVE_INFINITY ? v : x;
    v = x == -1 ? Float.NEGATIVE_INFINITY : v;
    return x < -1 ? Float.NaN : v;
  }

  static float sin(float x) {
    if (Math.abs(x) > TRIG_MAX_F) {
      return (float) StrictMath.sin(x);
    }
    float t = Math.fma(x, TWO_OVER_PI_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, PIO2_F1, x);
    r = Math.fma(minus, PIO2_F2, r);
    r = Math.fma(minus, PIO2_F3, r);
    float z = r * r;
    float s = SIN_F2;
    s = Math.fma(s, z, SIN_F1);
    s = Math.fma(s, z, SIN_F0);
    s = Math.fma(r * z, s, r);
    float c = COS_F2;
    c = Math.fma(c, z, COS_F1);
    c = Math.fma(c, z, COS_F0);
    c = Math.fma(z * z, c, Math.fma(z, -0.5f, 1));
    int q = Float.floatToRawIntBits(t);
    float v = (q & 1) != 0 ? c : s;
    v = Float.intBitsToFloat(Float.floatToRawIntBits(v) ^ ((q << 30) & SIGN_F));
    return x == 0 ? x : v;
  }

  static float cos(float x) {
    if (Math.abs(x) > TRIG_MAX_F) {
      return (float) StrictMath.cos(x);
    }
    float t = Math.fma(x, TWO_OVER_PI_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, PIO2_F1, x);
    r = Math.fma(minus, PIO2_F2, r);
    r = Math.fma(minus, PIO2_F3, r);
    float z = r * r;
    float s = SIN_F2;
    s = Math.fma(s, z, SIN_F1);
    s = Math.fma(s, z, SIN_F0);
    s = Math.fma(r * z, s, r);
    float c = COS_F2;
    c = Math.fma(c, z, COS_F1);
    c = Math.fma(c, z, COS_F0);
    c = Math.fma(z * z, c, Math.fma(z, -0.5f, 1));
    int q = Float.floatToRawIntBits(t) + 1;
    float v = (q & 1) != 0 ? c : s;
    v = Float.intBitsToFloat(Float.floatToRawIntBits(v) ^ ((q << 30) & SIGN_F));
    return v;
  }

  static float erf(float x) {
    float m = Math.abs(x);
    float a = m > ERF_F_MAX ? ERF_F_MAX : m;
    float b = a + ERFC_F_CENTRE;
    float d = a - ERFC_F_CENTRE;
    float inv = 1 / b;
    float y = d * inv;
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
    g = g * inv;
    float square = -(a * a);
    float t = Math.fma(square, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, square));
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r) + 1;
    float far = 1 - (g * p * Float.intBitsToFloat((Float.floatToRawIntBits(t) + BIAS) << 23));
    far = Math.copySign(far, x);
    float z = x * x;
    float q = ERF_F6;
    q = Math.fma(q, z, ERF_F5);
    q = Math.fma(q, z, ERF_F4);
    q = Math.fma(q, z, ERF_F3);
    q = Math.fma(q, z, ERF_F2);
    q = Math.fma(q, z, ERF_F1);
    q = Math.fma(q, z, ERF_F0);
    return m < 1 ? Math.fma(x, q, x) : far;
  }

  static float erfc(float x) {
    float m = Math.abs(x);
    float a = m > ERFC_F_MAX ? ERFC_F_MAX : m;
    float b = a + ERFC_F_CENTRE;
    float d = a - ERFC_F_CENTRE;
    float inv = 1 / b;
    float y = d * inv;
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
    g = g * inv;
    float square = -(a * a);
    float low = Math.fma(a, a, square);
    float t = Math.fma(square, LOG2_E_F, ROUND_F);
    float minus = ROUND_F - t;
    float r = Math.fma(minus, LN2_LO_F, Math.fma(minus, LN2_HI_F, square)) - low;
    float w = EXP_F4;
    w = Math.fma(w, r, EXP_F3);
    w = Math.fma(w, r, EXP_F2);
    w = Math.fma(w, r, EXP_F1);
    w = Math.fma(w, r, EXP_F0);
    float p = Math.fma(r * r, w, r) + 1;
    int whole = Float.floatToRawIntBits(t) - ROUND_BITS;
    int half = whole >> 1;
    float far =
        ((p * Float.intBitsToFloat((half + BIAS) << 23)) * g)
            * Float.intBitsToFloat(((whole - half) + BIAS) << 23);
    far = x < 0 ? (2 - far) : far;
    float z = x * x;
    float q = ERF_F6;
    q = Math.fma(q, z, ERF_F5);
    q = Math.fma(q, z, ERF_F4);
    q = Math.fma(q, z, ERF_F3);
    q = Math.fma(q, z, ERF_F2);
    q = Math.fma(q, z, ERF_F1);
    q = Math.fma(q, z, ERF_F0);
    return m < 1 ? Math.fma(-x, q, (1 - x)) : far;
  }
}
