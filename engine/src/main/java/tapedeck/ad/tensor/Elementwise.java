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
 * has 0 for the base.
 */
public enum Elementwise implements Op {
  ADD(ScalarOp.ADD, Domain.NUMBER, (x, y, g) -> g, (x, y, g) -> g),
  SUB(ScalarOp.SUB, Domain.NUMBER, (x, y, g) -> g, (x, y, g) -> g.neg()),
  MUL(ScalarOp.MUL, Domain.NUMBER, (x, y, g) -> g.mul(x[1]), (x, y, g) -> g.mul(x[0])),
  DIV(ScalarOp.DIV, Domain.NUMBER, (x, y, g) -> g.div(x[1]), (x, y, g) -> g.mul(y).div(x[1]).neg()),
  REM(
      ScalarOp.REM,
      Domain.NUMBER,
      (x, y, g) -> g,
      (x, y, g) -> g.mul(truncate(x[0].div(x[1]))).neg()),
  POW(
      ScalarOp.POW,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[1].mul(nonZeroBase(x[0], x[1]).pow(x[1].sub(1)))),
      (x, y, g) -> {
        Tensor zero = x[0].eq(0);
        return g.mul(zero.where(y.zerosLike(), y.mul(zero.where(y.onesLike(), x[0]).log())));
      }),
  MIN(
      ScalarOp.MIN,
      Domain.ORDERED,
      (x, y, g) -> g.mul(share(x[0], x[1])),
      (x, y, g) -> g.mul(share(x[1], x[0]))),
  MAX(
      ScalarOp.MAX,
      Domain.ORDERED,
      (x, y, g) -> g.mul(share(x[1], x[0])),
      (x, y, g) -> g.mul(share(x[0], x[1]))),
  ATAN2(
      ScalarOp.ATAN2,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[1].div(x[0].square().add(x[1].square()))),
      (x, y, g) -> g.mul(x[0].div(x[0].square().add(x[1].square()))).neg()),
  NEG(ScalarOp.NEG, Domain.NUMBER, (x, y, g) -> g.neg()),
  ABS(ScalarOp.ABS, Domain.NUMBER, (x, y, g) -> g.mul(x[0].sign())),
  SIGN(ScalarOp.SIGN, Domain.NUMBER),
  FLOOR(ScalarOp.FLOOR, Domain.FLOAT),
  CEIL(ScalarOp.CEIL, Domain.FLOAT),
  ROUND(ScalarOp.ROUND, Domain.FLOAT),
  SQRT(ScalarOp.SQRT, Domain.FLOAT, (x, y, g) -> g.mul(0.5).div(y)),
  RSQRT(ScalarOp.RSQRT, Domain.FLOAT, (x, y, g) -> g.mul(-0.5).mul(y.div(x[0]))),
  EXP(ScalarOp.EXP, Domain.FLOAT, (x, y, g) -> g.mul(y)),
  EXPM1(ScalarOp.EXPM1, Domain.FLOAT, (x, y, g) -> g.mul(y.add(1))),
  LOG(ScalarOp.LOG, Domain.FLOAT, (x, y, g) -> g.div(x[0])),
  LOG1P(ScalarOp.LOG1P, Domain.FLOAT, (x, y, g) -> g.div(x[0].add(1))),
  SIN(ScalarOp.SIN, Domain.FLOAT, (x, y, g) -> g.mul(x[0].cos())),
  COS(ScalarOp.COS, Domain.FLOAT, (x, y, g) -> g.mul(x[0].sin()).neg()),
  TAN(ScalarOp.TAN, Domain.FLOAT, (x, y, g) -> g.mul(y.square().add(1))),
  ASIN(ScalarOp.ASIN, Domain.FLOAT, (x, y, g) -> g.mul(x[0].square().rsub(1).rsqrt())),
  ACOS(ScalarOp.ACOS, Domain.FLOAT, (x, y, g) -> g.mul(x[0].square().rsub(1).rsqrt()).neg()),
  ATAN(ScalarOp.ATAN, Domain.FLOAT, (x, y, g) -> g.div(x[0].square().add(1))),
  SINH(ScalarOp.SINH, Domain.FLOAT, (x, y, g) -> g.mul(x[0].cosh())),
  COSH(ScalarOp.COSH, Domain.FLOAT, (x, y, g) -> g.mul(x[0].sinh())),
  TANH(ScalarOp.TANH, Domain.FLOAT, (x, y, g) -> g.mul(y.square().rsub(1))),
  SIGMOID(ScalarOp.SIGMOID, Domain.FLOAT, (x, y, g) -> g.mul(y.mul(y.rsub(1)))),
  ERF(
      ScalarOp.ERF,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[0].square().neg().exp().mul(2 / Math.sqrt(Math.PI)))),
  ERFC(
      ScalarOp.ERFC,
      Domain.FLOAT,
      (x, y, g) -> g.mul(x[0].square().neg().exp().mul(-2 / Math.sqrt(Math.PI)))),
  LT(ScalarOp.LT, Domain.ORDERED),
  LE(ScalarOp.LE, Domain.ORDERED),
  EQ(ScalarOp.EQ, Domain.ANY),
  NE(ScalarOp.NE, Domain.ANY),
  AND(ScalarOp.AND, Domain.BITS),
  OR(ScalarOp.OR, Domain.BITS),
  XOR(ScalarOp.XOR, Domain.BITS),
  NOT(ScalarOp.NOT, Domain.BITS),
  SHL(ScalarOp.SHL, Domain.INT),
  SHR(ScalarOp.SHR, Domain.INT),
  UMULHI(ScalarOp.UMULHI, Domain.INT),
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

  /** The scalar instruction that is applied to each element. */
  public ScalarOp op() {
    return op;
  }

  /** Whether the derivative is zero everywhere (comparisons, rounding, logic). */
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
