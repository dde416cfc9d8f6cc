package tapedeck.ad.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.ShapeException;

/**
 * Elementwise primitives on operands of one shape (tensor methods insert the broadcasts). A
 * constant is a scalar instruction, the operand types it takes, and for each operand the product of
 * a tangent or cotangent g with the partial derivative; everything else is inherited. Derivatives
 * at kinks: abs and relu have 0 at 0, max and min give each of two equal operands one half, floor,
 * ceil, round, sign and comparisons have 0 everywhere, pow(0, y) has 0 for the exponent, pow(x, 0)
 * has 0 for the base. Derivatives multiply by a reciprocal, which all that divide by the same
 * operand share, where a division would round once less.
 */
public enum Elementwise implements Op {
  /** x + y. */
  ADD(ScalarOp.ADD, Domain.NUMBER, (x, y, g) -> g, (x, y, g) -> g),
  /** x - y. */
  SUB(ScalarOp.SUB, Domain.NUMBER, (x, y, g) -> g, (x, y, g) -> g.neg()),
  /** x * y. */
  MUL(ScalarOp.MUL, Domain.NUMBER, (x, y, g) -> g.mul(x[1]), (x, y, g) -> g.mul(x[0])),
  /** x / y; for int32 towards zero, and 0 where y is 0. */
  DIV(
      ScalarOp.DIV,
      Domain.NUMBER,
      (x, y, g) -> g.mul(x[1].reciprocal()),
      (x, y, g) -> g.mul(x[1].reciprocal()).mul(y).neg()),
  /** Remainder with the sign of x; derivatives 1 and -trunc(x/y). */
  REM(
      ScalarOp.REM,
      Domain.NUMBER,
      (x, y, g) -> g,
      (x, y, g) -> g.mul(truncate(x[0].div(x[1]))).neg()),
  /** x to the power of y, by IEEE 754. */
  POW(
      ScalarOp.POW,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[1].mul(nonZeroBase(x[0], x[1]).pow(x[1].sub(1)))),
      (x, y, g) -> {
        Tensor zero = x[0].eq(0);
        return g.mul(zero.where(y.zerosLike(), y.mul(zero.where(y.onesLike(), x[0]).log())));
      }),
  /** The smaller operand, NaN if one is. */
  MIN(
      ScalarOp.MIN,
      Domain.ORDERED,
      (x, y, g) -> g.mul(share(x[0], x[1])),
      (x, y, g) -> g.mul(share(x[1], x[0]))),
  /** The larger operand, NaN if one is. */
  MAX(
      ScalarOp.MAX,
      Domain.ORDERED,
      (x, y, g) -> g.mul(share(x[1], x[0])),
      (x, y, g) -> g.mul(share(x[0], x[1]))),
  /** Angle in [-pi, pi], in radians, of the point with abscissa y and ordinate x. */
  ATAN2(
      ScalarOp.ATAN2,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[1].div(x[0].square().add(x[1].square()))),
      (x, y, g) -> g.mul(x[0].div(x[0].square().add(x[1].square()))).neg()),
  /** -x. */
  NEG(ScalarOp.NEG, Domain.NUMBER, (x, y, g) -> g.neg()),
  /** |x|; derivative sign(x). */
  ABS(ScalarOp.ABS, Domain.NUMBER, (x, y, g) -> g.mul(x[0].sign())),
  /** -1, 0 or 1; floats keep -0 and NaN. */
  SIGN(ScalarOp.SIGN, Domain.NUMBER),
  /** Largest integer not above x. */
  FLOOR(ScalarOp.FLOOR, Domain.FLOAT),
  /** Smallest integer not below x. */
  CEIL(ScalarOp.CEIL, Domain.FLOAT),
  /** Nearest integer, ties to even. */
  ROUND(ScalarOp.ROUND, Domain.FLOAT),
  /** Square root; derivative 1/(2 sqrt(x)), infinite at 0. */
  SQRT(ScalarOp.SQRT, Domain.FLOAT, (x, y, g) -> g.mul(y.reciprocal()).mul(0.5)),
  /** 1/sqrt(x); derivative -1/(2 x sqrt(x)). */
  RSQRT(ScalarOp.RSQRT, Domain.FLOAT, (x, y, g) -> g.mul(y.mul(-0.5)).mul(y.square())),
  /** e to the power of x. */
  EXP(ScalarOp.EXP, Domain.FLOAT, (x, y, g) -> g.mul(y)),
  /** exp(x) - 1, accurate near 0. */
  EXPM1(ScalarOp.EXPM1, Domain.FLOAT, (x, y, g) -> g.mul(y.add(1))),
  /** Natural logarithm; derivative 1/x, also below 0 where the value is NaN. */
  LOG(ScalarOp.LOG, Domain.FLOAT, (x, y, g) -> g.mul(x[0].reciprocal())),
  /** log(1 + x), accurate near 0; derivative 1/(1 + x). */
  LOG1P(ScalarOp.LOG1P, Domain.FLOAT, (x, y, g) -> g.div(x[0].add(1))),
  /** Sine, of radians. */
  SIN(ScalarOp.SIN, Domain.FLOAT, (x, y, g) -> g.mul(x[0].cos())),
  /** Cosine, of radians. */
  COS(ScalarOp.COS, Domain.FLOAT, (x, y, g) -> g.mul(x[0].sin()).neg()),
  /** Tangent, of radians; derivative 1 + tan(x)^2. */
  TAN(ScalarOp.TAN, Domain.FLOAT, (x, y, g) -> g.mul(y.square().add(1))),
  /** Arc sine; derivative 1/sqrt(1 - x^2), infinite at -1 and 1. */
  ASIN(ScalarOp.ASIN, Domain.FLOAT, (x, y, g) -> g.mul(x[0].square().rsub(1).rsqrt())),
  /** Arc cosine; derivative -1/sqrt(1 - x^2), infinite at -1 and 1. */
  ACOS(ScalarOp.ACOS, Domain.FLOAT, (x, y, g) -> g.mul(x[0].square().rsub(1).rsqrt()).neg()),
  /** Arc tangent; derivative 1/(1 + x^2). */
  ATAN(ScalarOp.ATAN, Domain.FLOAT, (x, y, g) -> g.div(x[0].square().add(1))),
  /** Hyperbolic sine; derivative cosh(x). */
  SINH(ScalarOp.SINH, Domain.FLOAT, (x, y, g) -> g.mul(x[0].cosh())),
  /** Hyperbolic cosine; derivative sinh(x). */
  COSH(ScalarOp.COSH, Domain.FLOAT, (x, y, g) -> g.mul(x[0].sinh())),
  /** Hyperbolic tangent; derivative 1 - tanh(x)^2. */
  TANH(ScalarOp.TANH, Domain.FLOAT, (x, y, g) -> g.mul(y.square().rsub(1))),
  /** 1/(1+exp(-x)), without overflow; derivative s(x) (1 - s(x)). */
  SIGMOID(ScalarOp.SIGMOID, Domain.FLOAT, (x, y, g) -> g.mul(y.mul(y.rsub(1)))),
  /** Error function (DLMF 7.2.1); derivative 2/sqrt(pi) exp(-x^2). */
  ERF(
      ScalarOp.ERF,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[0].square().neg().exp().mul(2 / Math.sqrt(Math.PI)))),
  /** 1 - erf(x) without cancellation (DLMF 7.2.2); derivative -2/sqrt(pi) exp(-x^2). */
  ERFC(
      ScalarOp.ERFC,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[0].square().neg().exp().mul(-2 / Math.sqrt(Math.PI)))),
  /** {@code x < y}, a bool; false is below true. */
  LT(ScalarOp.LT, Domain.ORDERED),
  /** {@code x <= y}, a bool; false is below true. */
  LE(ScalarOp.LE, Domain.ORDERED),
  /** Whether x equals y, a bool. */
  EQ(ScalarOp.EQ, Domain.ANY),
  /** Whether x differs from y, a bool; true where one is NaN. */
  NE(ScalarOp.NE, Domain.ANY),
  /** x and y: logical on bool, bitwise on int32. */
  AND(ScalarOp.AND, Domain.BITS),
  /** x or y: logical on bool, bitwise on int32. */
  OR(ScalarOp.OR, Domain.BITS),
  /** Either x or y: logical on bool, bitwise on int32. */
  XOR(ScalarOp.XOR, Domain.BITS),
  /** Not x: logical on bool, bitwise on int32. */
  NOT(ScalarOp.NOT, Domain.BITS),
  /** int32 shifted left by 0 to 31 bits. */
  SHL(ScalarOp.SHL, Domain.INT),
  /** int32 shifted right by 0 to 31 bits, zeros coming in. */
  SHR(ScalarOp.SHR, Domain.INT),
  /** High 32 bits of the unsigned 64-bit product of two int32. */
  UMULHI(ScalarOp.UMULHI, Domain.INT),
  /** (bool, a, b): a where true, else b. */
  SELECT(
      ScalarOp.SELECT,
      Domain.ANY,
      (x, y, g) -> null,
      (x, y, g) -> x[0].where(g, g.zerosLike()),
      (x, y, g) -> x[0].where(g.zerosLike(), g));

  /**
   * Product of g, shaped like the result, with one partial derivative at operands x and result y.
   */
  @FunctionalInterface
  interface Partial {
    Tensor times(Tensor[] x, Tensor y, Tensor g);
  }

  /** Operand types that an instruction takes. */
  enum Domain {
    FLOAT("float operands"),
    NUMBER("float or int32 operands"),
    ORDERED("operands of one type"),
    ANY("operands of one type"),
    BITS("bool or int32 operands"),
    INT("int32 operands");

    private final String wants;

    Domain(String wants) {
      this.wants = wants;
    }

    boolean accepts(DType d) {
      return switch (this) {
        case FLOAT -> d.isFloat();
        case NUMBER -> d != DType.BOOL;
        case ORDERED, ANY -> true;
        case BITS -> !d.isFloat();
        case INT -> d == DType.INT32;
      };
    }
  }

  private final ScalarOp op;
  private final Domain domain;
  private final Partial[] partials;
  private final Lowering lowering;

  Elementwise(ScalarOp op, Domain domain, Partial... partials) {
    this.op = op;
    this.domain = domain;
    this.partials = partials;
    this.lowering =
        new Lowering.Map(
            (in, result, index) -> {
              Expr[] args = new Expr[op.arity()];
              for (int i = 0; i < args.length; i++) {
                args[i] = in.at(i, index);
              }
              return Expr.apply(op, result.dtype(), args);
            },
            op.cost());
  }

  /** {@return the scalar instruction that is applied to each element} */
  public ScalarOp op() {
    return op;
  }

  /** {@return whether the derivative is zero everywhere (comparisons, rounding, logic)} */
  public boolean isFlat() {
    return partials.length == 0;
  }

  /** Derivative of max(other, x) for x: 1 where it is larger, one half at a tie. */
  private static Tensor share(Tensor other, Tensor x) {
    Tensor half = Tensor.full(x.dtype(), x.shape(), 0.5);
    return other.lt(x).where(x.onesLike(), other.eq(x).where(half, x.zerosLike()));
  }

  /** The base, but 1 where base and exponent are 0, so that 0 * 0^-1 becomes 0 and not NaN. */
  private static Tensor nonZeroBase(Tensor x, Tensor y) {
    return x.eq(0).and(y.eq(0)).where(x.onesLike(), x);
  }

  private static Tensor truncate(Tensor q) {
    return q.lt(0).where(q.ceil(), q.floor());
  }

  @Override
  public Aval result(List<Aval> in) {
    if (in.size() != op.arity()) {
      throw new ShapeException(
          "[" + this + "] takes " + op.arity() + " operands, not " + in.size());
    }
    int first = this == SELECT ? 1 : 0;
    if (this == SELECT && in.get(0).dtype() != DType.BOOL) {
      throw new DTypeException("[where] condition must be bool, not " + in.get(0));
    }
    for (Aval a : in) {
      if (!a.shape().equals(in.get(0).shape())) {
        throw new ShapeException("[" + this + "] operands must have one shape: " + in);
      }
    }
    DType d = in.get(first).dtype();
    for (int i = first; i < in.size(); i++) {
      if (in.get(i).dtype() != d) {
        throw new DTypeException(
            "[" + this + "] operands must have one type: " + in + "; use cast");
      }
    }
    if (!domain.accepts(d)) {
      throw new DTypeException("[" + this + "] takes " + domain.wants + ", not " + in.get(first));
    }
    return new Aval(op.isComparison() ? DType.BOOL : d, in.get(first).shape());
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    if (isFlat()) {
      return null;
    }
    Tensor[] xs = x.toArray(Tensor[]::new);
    Tensor sum = null;
    for (int i = 0; i < xs.length; i++) {
      Tensor part = t.get(i) == null ? null : partials[i].times(xs, y, t.get(i));
      sum = sum == null ? part : part == null ? sum : sum.add(part);
    }
    return sum;
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    Tensor[] out = new Tensor[x.size()];
    if (!isFlat()) {
      Tensor[] xs = x.toArray(Tensor[]::new);
      for (int i = 0; i < out.length; i++) {
        out[i] = wanted[i] ? partials[i].times(xs, y, ct) : null;
      }
    }
    return Arrays.asList(out);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    Tensor[] in = new Tensor[x.size()];
    for (int i = 0; i < in.length; i++) {
      in[i] = batched[i] ? x.get(i) : x.get(i).broadcastTo(x.get(i).shape().with(0, size));
    }
    return Tensor.apply(this, in);
  }

  @Override
  public Lowering lower() {
    return lowering;
  }

  /** Lower-case name; {@code where} for SELECT. */
  @Override
  public String label() {
    return this == SELECT ? "where" : name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return label();
  }
}
