package tapedeck.cpu.fast;

import java.util.List;
import tapedeck.ad.kir.ScalarOp;

/**
 * float64 functions without branches: exp by its series, log, sin and cos with the polynomials of
 * FDLIBM (Sun Microsystems, 1993), tanh with those of Cephes (S. Moshier). Largest errors are
 * tested: 2 ulp, 3 ulp for tanh and sigmoid. Arguments of sin and cos beyond 2^20 go to {@link
 * Math}; erf is {@link ScalarMath#erf}, lane by lane.
 */
// Published coefficients, as printed.
@SuppressWarnings("FloatingPointLiteralPrecision")
final class Functions64 {
  private static final Type T = Type.F64;
  private static final double MAGIC = 0x1.8p52;
  private static final double[] LOG = {
    1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
    2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
    6.666666666666735130e-01
  };
  private static final double[] SIN = {
    1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
    -1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01
  };
  private static final double[] COS = {
    -1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
    2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02
  };
  private static final double[] TANH_P = {
    -9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3
  };
  private static final double[] TANH_Q = {
    1, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3
  };
  private static final double LN2_HI = 6.93147180369123816490e-01;
  private static final double LN2_LO = 1.90821492927058770002e-10;

  private final Graph g;

  Functions64(Graph g) {
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
      case ERF -> g.call("erf", T, x);
      default -> throw new IllegalArgumentException(op + " has no float64 polynomial");
    };
  }

  private Node c(double v) {
    return g.constant(T, v);
  }

  private Node i(long v) {
    return g.bits(Type.I64, v);
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

  private Node poly(double[] k, Node x) {
    Node p = c(k[0]);
    for (int j = 1; j < k.length; j++) {
      p = fma(p, x, c(k[j]));
    }
    return p;
  }

  private Node asLong(Node x) {
    return g.op(Op.BITS, Type.I64, x);
  }

  private Node asDouble(Node x) {
    return g.op(Op.BITS, T, x);
  }

  private Node shl(Node x, int by) {
    return g.op(Op.SHL, Type.I64, x, i(by));
  }

  private Node shr(Node x, int by) {
    return g.op(Op.SHR, Type.I64, x, i(by));
  }

  private Node exp(Node x) {
    Node y = g.op(Op.MIN, T, g.op(Op.MAX, T, x, c(-746)), c(710));
    Node t = fma(y, c(1.4426950408889634074), c(MAGIC));
    Node nf = sub(t, c(MAGIC));
    Node n = sub(asLong(t), i(Double.doubleToRawLongBits(MAGIC)));
    Node r = fma(nf, c(-LN2_HI), y);
    r = fma(nf, c(-LN2_LO), r);
    double[] k = new double[12];
    double factorial = 1;
    for (int j = 2; j <= 13; j++) {
      factorial *= j;
      k[13 - j] = 1 / factorial;
    }
    Node p = add(fma(mul(r, r), poly(k, r), r), c(1));
    Node half = sub(shr(add(n, i(4096)), 1), i(2048));
    return mul(mul(p, pow2(half)), pow2(sub(n, half)));
  }

  private Node pow2(Node n) {
    return asDouble(shl(add(n, i(1023)), 52));
  }

  private Node log(Node x) {
    Node small = lt(x, c(Double.MIN_NORMAL));
    Node y = g.select(small, mul(x, c(0x1p54)), x);
    Node bits = asLong(y);
    // The biased exponent of y relative to sqrt(1/2), so that the mantissa is in [0.7, 1.42).
    Node up = add(bits, i(0x3ff0000000000000L - 0x3fe6a09e667f3bcdL));
    Node biased = shr(up, 52);
    Node m = asDouble(sub(bits, shl(sub(biased, i(1023)), 52)));
    // An integer below 2^51 becomes a double in the low bits of the magic number.
    Node k = sub(asDouble(add(biased, i(Double.doubleToRawLongBits(MAGIC)))), c(MAGIC));
    k = add(k, g.select(small, c(-1023 - 54), c(-1023)));
    Node f = sub(m, c(1));
    Node s = g.op(Op.DIV, T, f, add(f, c(2)));
    Node z = mul(s, s);
    Node rest = mul(poly(LOG, z), z);
    Node half = mul(mul(f, f), c(0.5));
    Node tail = fma(s, add(half, rest), mul(k, c(LN2_LO)));
    Node r = fma(k, c(LN2_HI), sub(f, sub(half, tail)));
    r = g.select(lt(x, c(Double.POSITIVE_INFINITY)), r, x);
    r = g.select(g.op(Op.EQ, Type.BOOL, x, c(0)), c(Double.NEGATIVE_INFINITY), r);
    return g.select(lt(x, c(0)), c(Double.NaN), r);
  }

  private Node tanh(Node x) {
    Node a = g.op(Op.ABS, T, x);
    Node z = mul(x, x);
    Node ratio = g.op(Op.DIV, T, poly(TANH_P, z), poly(TANH_Q, z));
    Node near = fma(mul(x, z), ratio, x);
    Node far = sub(c(1), g.op(Op.DIV, T, c(2), add(exp(add(a, a)), c(1))));
    return new Rounding(g, T).copySign(g.select(lt(a, c(0.625)), near, far), x);
  }

  private Node sigmoid(Node x) {
    Node e = exp(g.op(Op.NEG, T, g.op(Op.ABS, T, x)));
    return g.op(Op.DIV, T, g.select(lt(x, c(0)), e, c(1)), add(e, c(1)));
  }

  private Node trig(Node x, boolean sine) {
    Node t = fma(x, c(2 / Math.PI), c(MAGIC));
    Node j = sub(t, c(MAGIC));
    Node q = sine ? asLong(t) : add(asLong(t), i(1));
    Node r = fma(j, c(-Math.PI / 2), x);
    Node low = mul(j, c(-6.123233995736766e-17));
    Node high = add(r, low);
    // What rounding took from the sum; it matters for the sine near multiples of pi/2.
    Node lost = add(sub(r, high), low);
    Node z = mul(high, high);
    Node s = add(high, fma(mul(poly(SIN, z), z), high, lost));
    Node hz = mul(z, c(0.5));
    Node w = sub(c(1), hz);
    Node rest = sub(mul(mul(z, z), poly(COS, z)), mul(high, lost));
    Node k = add(w, add(sub(sub(c(1), w), hz), rest));
    Node odd = g.op(Op.NE, Type.BOOL, g.op(Op.AND, Type.I64, q, i(1)), i(0));
    Node v = g.select(odd, k, s);
    Node sign = shl(g.op(Op.AND, Type.I64, q, i(2)), 62);
    Node y = asDouble(g.op(Op.XOR, Type.I64, asLong(v), sign));
    if (sine) {
      y = g.select(g.op(Op.EQ, Type.BOOL, x, c(0)), x, y);
    }
    return g.make(
        Op.REPAIR, T, List.of(x, y), Double.doubleToRawLongBits(0x1p20), sine ? "sin" : "cos");
  }
}
