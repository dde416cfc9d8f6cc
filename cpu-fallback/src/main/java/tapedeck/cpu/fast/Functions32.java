package tapedeck.cpu.fast;

import java.util.List;
import tapedeck.ad.kir.ScalarOp;

/**
 * float32 functions as short polynomials without branches. Coefficients of exp, log, sin, cos and
 * tanh are those of the Cephes library (S. Moshier); erf splits the range as proposed by N. Juffa.
 * Largest errors are tested: 2 ulp for exp, log, sin and cos, 3 ulp for the others. Arguments of
 * sin and cos beyond 2^16 go to {@link Math}.
 */
// Published coefficients, as printed.
@SuppressWarnings("FloatingPointLiteralPrecision")
final class Functions32 {
  private static final Type T = Type.F32;
  private static final float MAGIC = 0x1.8p23f;
  private static final float[] EXP = {
    1.9875691500e-4f,
    1.3981999507e-3f,
    8.3334519073e-3f,
    4.1665795894e-2f,
    1.6666665459e-1f,
    5.0000001201e-1f
  };
  private static final float[] LOG = {
    7.0376836292e-2f,
    -1.1514610310e-1f,
    1.1676998740e-1f,
    -1.2420140846e-1f,
    1.4249322787e-1f,
    -1.6668057665e-1f,
    2.0000714765e-1f,
    -2.4999993993e-1f,
    3.3333331174e-1f
  };
  private static final float[] TANH = {
    -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f
  };
  private static final float[] SIN = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
  private static final float[] COS = {
    2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f
  };
  private static final float[] ERF_NEAR = {
    -5.96761703e-4f,
    4.99119423e-3f,
    -2.67681349e-2f,
    1.12819925e-1f,
    -3.76125336e-1f,
    1.28379166e-1f
  };
  private static final float[] ERF_FAR = {
    -1.72853470e-5f,
    3.83197126e-4f,
    -3.88396438e-3f,
    2.42546219e-2f,
    -1.06777877e-1f,
    -6.34846687e-1f,
    -1.28717512e-1f
  };

  private final Graph g;

  Functions32(Graph g) {
    this.g = g;
  }

  Node apply(ScalarOp op, Node x) {
    return switch (op) {
      case EXP -> exp(x);
      case LOG -> log(x);
      case TANH -> tanh(x);
      case SIGMOID -> sigmoid(x);
      case SIN -> trig(x, true);
      case COS -> trig(x, false);
      case ERF -> erf(x);
      default -> throw new IllegalArgumentException(op + " has no float32 polynomial");
    };
  }

  private Node c(double v) {
    return g.constant(T, v);
  }

  private Node i(int v) {
    return g.bits(Type.I32, v);
  }

  private Node add(Node a, Node b) {
    return g.op(Op.ADD, a.type, a, b);
  }

  private Node sub(Node a, Node b) {
    return g.op(Op.SUB, a.type, a, b);
  }

  private Node mul(Node a, Node b) {
    return g.op(Op.MUL, a.type, a, b);
  }

  private Node fma(Node a, Node b, Node c) {
    return g.op(Op.FMA, T, a, b, c);
  }

  private Node lt(Node a, Node b) {
    return g.op(Op.LT, Type.BOOL, a, b);
  }

  private Node poly(float[] k, Node x) {
    Node p = c(k[0]);
    for (int j = 1; j < k.length; j++) {
      p = fma(p, x, c(k[j]));
    }
    return p;
  }

  private Node asInt(Node x) {
    return g.op(Op.BITS, Type.I32, x);
  }

  private Node asFloat(Node x) {
    return g.op(Op.BITS, T, x);
  }

  /** 2^n for a normal result. */
  private Node pow2(Node n) {
    return asFloat(g.op(Op.SHL, Type.I32, add(n, i(127)), i(23)));
  }

  /** e^x = 2^n e^r with |r| at most ln(2)/2; the scale is applied in two steps for denormals. */
  private Node exp(Node x) {
    Node y = g.op(Op.MIN, T, g.op(Op.MAX, T, x, c(-104)), c(89));
    Node t = fma(y, c(1.4426950408889634), c(MAGIC));
    Node nf = sub(t, c(MAGIC));
    Node n = sub(asInt(t), i(Float.floatToRawIntBits(MAGIC)));
    Node r = fma(nf, c(-0.693359375), y);
    r = fma(nf, c(2.12194440e-4), r);
    Node p = add(fma(mul(r, r), poly(EXP, r), r), c(1));
    Node half = sub(g.op(Op.SHR, Type.I32, add(n, i(256)), i(1)), i(128));
    return mul(mul(p, pow2(half)), pow2(sub(n, half)));
  }

  private Node log(Node x) {
    Node small = lt(x, c(Float.MIN_NORMAL));
    Node y = g.select(small, mul(x, c(0x1p23)), x);
    Node bits = asInt(y);
    // Exponent such that the mantissa lies in [sqrt(1/2), sqrt(2)).
    Node e = sub(bits, i(0x3f3504f3));
    Node exponent = g.op(Op.AND, Type.I32, e, i(0xff800000));
    Node m = sub(asFloat(sub(bits, exponent)), c(1));
    Node k = mul(g.op(Op.CONVERT, T, exponent), c(0x1p-23));
    k = add(k, g.select(small, c(-23), c(0)));
    Node z = mul(m, m);
    Node p = mul(mul(m, z), poly(LOG, m));
    p = fma(k, c(-2.12194440e-4), p);
    p = fma(z, c(-0.5), p);
    Node r = fma(k, c(0.693359375), add(m, p));
    // Infinity and NaN give themselves, zero -infinity, negative numbers NaN.
    r = g.select(lt(x, c(Float.POSITIVE_INFINITY)), r, x);
    r = g.select(g.op(Op.EQ, Type.BOOL, x, c(0)), c(Float.NEGATIVE_INFINITY), r);
    return g.select(lt(x, c(0)), c(Float.NaN), r);
  }

  private Node tanh(Node x) {
    Node a = g.op(Op.ABS, T, x);
    Node z = mul(x, x);
    Node near = fma(mul(poly(TANH, z), z), x, x);
    Node e = add(exp(add(a, a)), c(1));
    Node far = sub(c(1), g.op(Op.DIV, T, c(2), e));
    return new Rounding(g, T).copySign(g.select(lt(a, c(0.625)), near, far), x);
  }

  private Node sigmoid(Node x) {
    Node e = exp(g.op(Op.NEG, T, g.op(Op.ABS, T, x)));
    return g.op(Op.DIV, T, g.select(lt(x, c(0)), e, c(1)), add(e, c(1)));
  }

  private Node trig(Node x, boolean sine) {
    Node t = fma(x, c(2 / Math.PI), c(MAGIC));
    Node j = sub(t, c(MAGIC));
    Node q = sine ? asInt(t) : add(asInt(t), i(1));
    Node r = fma(j, c(-1.57079637050628662109375), x);
    r = fma(j, c(4.37113900018624283e-8), r);
    Node z = mul(r, r);
    Node s = fma(mul(poly(SIN, z), z), r, r);
    Node k = add(fma(z, c(-0.5), c(1)), mul(poly(COS, z), mul(z, z)));
    Node odd = g.op(Op.NE, Type.BOOL, g.op(Op.AND, Type.I32, q, i(1)), i(0));
    Node v = g.select(odd, k, s);
    Node sign = g.op(Op.SHL, Type.I32, g.op(Op.AND, Type.I32, q, i(2)), i(30));
    Node y = asFloat(g.op(Op.XOR, Type.I32, asInt(v), sign));
    if (sine) {
      y = g.select(g.op(Op.EQ, Type.BOOL, x, c(0)), x, y);
    }
    return g.make(
        Op.REPAIR, T, List.of(x, y), Float.floatToRawIntBits(65536f), sine ? "sin" : "cos");
  }

  private Node erf(Node x) {
    Node a = g.op(Op.ABS, T, x);
    Node near = fma(poly(ERF_NEAR, mul(x, x)), x, x);
    Node far = exp(fma(poly(ERF_FAR, a), a, g.op(Op.NEG, T, a)));
    // Beyond 4 the result is 1 and the polynomial is no longer valid.
    far = g.select(lt(c(4), a), c(0), far);
    far = new Rounding(g, T).copySign(sub(c(1), far), x);
    return g.select(g.op(Op.LE, Type.BOOL, a, c(0.927734375)), near, nan(x, far));
  }

  private Node nan(Node x, Node otherwise) {
    return g.select(g.op(Op.NE, Type.BOOL, x, x), x, otherwise);
  }
}
