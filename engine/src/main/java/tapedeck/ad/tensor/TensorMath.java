package tapedeck.ad.tensor;

import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;

/**
 * The arithmetic of {@link Tensor}: elementwise operations, reductions, and what is composed of
 * them. Shapes broadcast and errors are thrown as described there.
 */
public abstract sealed class TensorMath extends TensorViews permits Tensor {
  TensorMath() {}

  private Tensor unary(Elementwise op) {
    return Tensor.apply(op, self());
  }

  private Tensor binary(Elementwise op, Tensor o) {
    return binary(op, self(), o);
  }

  private Tensor binary(Elementwise op, double v) {
    return Tensor.apply(op, self(), like(v));
  }

  private static Tensor binary(Elementwise op, Tensor a, Tensor b) {
    Shape s = joint(op.label(), a, b);
    return Tensor.apply(op, a.broadcastTo(s), b.broadcastTo(s));
  }

  private static Shape joint(String op, Tensor a, Tensor b) {
    Shape s = Shape.broadcast(a.shape(), b.shape());
    if (s == null) {
      throw SourceLine.at(
          new ShapeException(
              "[" + op + "] shapes do not broadcast: " + a.shape() + " and " + b.shape()));
    }
    return s;
  }

  private Tensor like(double v) {
    return Tensor.full(dtype(), shape(), v);
  }

  /** Zeros of this shape and type. */
  public Tensor zerosLike() {
    return like(0);
  }

  /** Ones of this shape and type. */
  public Tensor onesLike() {
    return like(1);
  }

  // ---- arithmetic -----------------------------------------------------------------------------

  public Tensor add(Tensor o) {
    return binary(Elementwise.ADD, o);
  }

  public Tensor add(double v) {
    return binary(Elementwise.ADD, v);
  }

  public Tensor sub(Tensor o) {
    return binary(Elementwise.SUB, o);
  }

  public Tensor sub(double v) {
    return binary(Elementwise.SUB, v);
  }

  /** {@code v - this}. */
  public Tensor rsub(double v) {
    return binary(Elementwise.SUB, like(v), self());
  }

  public Tensor mul(Tensor o) {
    return binary(Elementwise.MUL, o);
  }

  public Tensor mul(double v) {
    return binary(Elementwise.MUL, v);
  }

  public Tensor div(Tensor o) {
    return binary(Elementwise.DIV, o);
  }

  public Tensor div(double v) {
    return binary(Elementwise.DIV, v);
  }

  /** {@code v / this}. */
  public Tensor rdiv(double v) {
    return binary(Elementwise.DIV, like(v), self());
  }

  /** Remainder with the sign of this tensor, as Java's %. */
  public Tensor rem(Tensor o) {
    return binary(Elementwise.REM, o);
  }

  public Tensor rem(double v) {
    return binary(Elementwise.REM, v);
  }

  public Tensor pow(Tensor o) {
    return binary(Elementwise.POW, o);
  }

  /** Small whole powers are multiplications, so they are exact where those are. */
  public Tensor pow(double v) {
    if (v == 2) {
      return square();
    }
    if (v == 3) {
      return square().mul(self());
    }
    return v == 1 ? self() : v == 0.5 ? sqrt() : binary(Elementwise.POW, v);
  }

  /** The smaller of two elements; NaN if one is. At a tie each gets half of the derivative. */
  public Tensor minimum(Tensor o) {
    return binary(Elementwise.MIN, o);
  }

  public Tensor minimum(double v) {
    return binary(Elementwise.MIN, v);
  }

  /** The larger of two elements; NaN if one is. At a tie each gets half of the derivative. */
  public Tensor maximum(Tensor o) {
    return binary(Elementwise.MAX, o);
  }

  public Tensor maximum(double v) {
    return binary(Elementwise.MAX, v);
  }

  /** Angle of the point (o, this), in radians. */
  public Tensor atan2(Tensor o) {
    return binary(Elementwise.ATAN2, o);
  }

  /** Limited to [lo, hi]; the derivative is that of max and min. */
  public Tensor clamp(double lo, double hi) {
    return maximum(lo).minimum(hi);
  }

  public Tensor neg() {
    return unary(Elementwise.NEG);
  }

  /** Derivative 0 at 0. */
  public Tensor abs() {
    return unary(Elementwise.ABS);
  }

  public Tensor sign() {
    return unary(Elementwise.SIGN);
  }

  public Tensor floor() {
    return unary(Elementwise.FLOOR);
  }

  public Tensor ceil() {
    return unary(Elementwise.CEIL);
  }

  /** To the nearest integer, ties to even. */
  public Tensor round() {
    return unary(Elementwise.ROUND);
  }

  /** Derivative infinite at 0. */
  public Tensor sqrt() {
    return unary(Elementwise.SQRT);
  }

  public Tensor rsqrt() {
    return unary(Elementwise.RSQRT);
  }

  public Tensor exp() {
    return unary(Elementwise.EXP);
  }

  /** exp(x) - 1, accurate near 0. */
  public Tensor expm1() {
    return unary(Elementwise.EXPM1);
  }

  public Tensor log() {
    return unary(Elementwise.LOG);
  }

  /** log(1 + x), accurate near 0. */
  public Tensor log1p() {
    return unary(Elementwise.LOG1P);
  }

  public Tensor sin() {
    return unary(Elementwise.SIN);
  }

  public Tensor cos() {
    return unary(Elementwise.COS);
  }

  public Tensor tan() {
    return unary(Elementwise.TAN);
  }

  public Tensor asin() {
    return unary(Elementwise.ASIN);
  }

  public Tensor acos() {
    return unary(Elementwise.ACOS);
  }

  public Tensor atan() {
    return unary(Elementwise.ATAN);
  }

  public Tensor sinh() {
    return unary(Elementwise.SINH);
  }

  public Tensor cosh() {
    return unary(Elementwise.COSH);
  }

  public Tensor tanh() {
    return unary(Elementwise.TANH);
  }

  /** 1/(1+exp(-x)). */
  public Tensor sigmoid() {
    return unary(Elementwise.SIGMOID);
  }

  public Tensor erf() {
    return unary(Elementwise.ERF);
  }

  public Tensor erfc() {
    return unary(Elementwise.ERFC);
  }

  public Tensor square() {
    return mul(self());
  }

  public Tensor reciprocal() {
    return rdiv(1);
  }

  // ---- comparison and logic: bool results -----------------------------------------------------

  public Tensor lt(Tensor o) {
    return binary(Elementwise.LT, o);
  }

  public Tensor lt(double v) {
    return binary(Elementwise.LT, v);
  }

  public Tensor le(Tensor o) {
    return binary(Elementwise.LE, o);
  }

  public Tensor le(double v) {
    return binary(Elementwise.LE, v);
  }

  public Tensor gt(Tensor o) {
    return binary(Elementwise.LT, o, self());
  }

  public Tensor gt(double v) {
    return binary(Elementwise.LT, like(v), self());
  }

  public Tensor ge(Tensor o) {
    return binary(Elementwise.LE, o, self());
  }

  public Tensor ge(double v) {
    return binary(Elementwise.LE, like(v), self());
  }

  public Tensor eq(Tensor o) {
    return binary(Elementwise.EQ, o);
  }

  public Tensor eq(double v) {
    return binary(Elementwise.EQ, v);
  }

  public Tensor ne(Tensor o) {
    return binary(Elementwise.NE, o);
  }

  public Tensor ne(double v) {
    return binary(Elementwise.NE, v);
  }

  public Tensor isNan() {
    return ne(self());
  }

  /** Logical on bool, bitwise on int32. */
  public Tensor and(Tensor o) {
    return binary(Elementwise.AND, o);
  }

  public Tensor or(Tensor o) {
    return binary(Elementwise.OR, o);
  }

  public Tensor xor(Tensor o) {
    return binary(Elementwise.XOR, o);
  }

  public Tensor not() {
    return unary(Elementwise.NOT);
  }

  /** int32 shifted left by 0 to 31 bits. */
  public Tensor shl(Tensor bits) {
    return binary(Elementwise.SHL, bits);
  }

  /** int32 shifted right by 0 to 31 bits, zeros coming in. */
  public Tensor shr(Tensor bits) {
    return binary(Elementwise.SHR, bits);
  }

  /** High 32 bits of the unsigned product of two int32. */
  public Tensor umulhi(Tensor o) {
    return binary(Elementwise.UMULHI, o);
  }

  /**
   * {@code a} where this bool tensor is true, else {@code b}. The branch that is not chosen gets
   * derivative 0 times whatever its own derivative is: keep that finite (0 times infinity is NaN)
   * by choosing a safe operand first.
   */
  public Tensor where(Tensor a, Tensor b) {
    Shape s = Shape.broadcast(joint("where", a, b), shape());
    if (s == null) {
      throw SourceLine.at(
          new ShapeException(
              "[where] shapes do not broadcast: "
                  + shape()
                  + ", "
                  + a.shape()
                  + " and "
                  + b.shape()));
    }
    return Tensor.apply(
        Elementwise.SELECT, self().broadcastTo(s), a.broadcastTo(s), b.broadcastTo(s));
  }

  // ---- reductions -----------------------------------------------------------------------------

  /** Sum over the given axes, or over all. */
  public Tensor sum(int... axes) {
    return self().reduce(Reducer.SUM, false, axes);
  }

  public Tensor sum(boolean keepDims, int... axes) {
    return self().reduce(Reducer.SUM, keepDims, axes);
  }

  public Tensor prod(int... axes) {
    return self().reduce(Reducer.PROD, false, axes);
  }

  public Tensor prod(boolean keepDims, int... axes) {
    return self().reduce(Reducer.PROD, keepDims, axes);
  }

  /** Largest element; of an empty axis, minus infinity. Ties share the derivative equally. */
  public Tensor max(int... axes) {
    return self().reduce(Reducer.MAX, false, axes);
  }

  public Tensor max(boolean keepDims, int... axes) {
    return self().reduce(Reducer.MAX, keepDims, axes);
  }

  public Tensor min(int... axes) {
    return self().reduce(Reducer.MIN, false, axes);
  }

  public Tensor min(boolean keepDims, int... axes) {
    return self().reduce(Reducer.MIN, keepDims, axes);
  }

  public Tensor mean(int... axes) {
    return mean(false, axes);
  }

  public Tensor mean(boolean keepDims, int... axes) {
    return sum(keepDims, axes).div(count("mean", axes));
  }

  private double count(String op, int... axes) {
    double n = 1;
    for (int a : self().axesOf(op, axes)) {
      n *= shape().dim(a);
    }
    return n;
  }

  /** Whether any element of a bool tensor is true. */
  public Tensor any(int... axes) {
    return logic("any").max(axes);
  }

  /** Whether all elements of a bool tensor are true. */
  public Tensor all(int... axes) {
    return logic("all").min(axes);
  }

  private Tensor logic(String op) {
    if (dtype() != DType.BOOL) {
      throw SourceLine.at(new DTypeException("[" + op + "] needs bool, not " + dtype()));
    }
    return self();
  }

  /** int32 position of the first largest element along an axis; the first NaN, if there is one. */
  public Tensor argmax(int axis) {
    return argExtremum("argmax", Reducer.MAX, axis);
  }

  /** int32 position of the first smallest element along an axis; the first NaN, if there is one. */
  public Tensor argmin(int axis) {
    return argExtremum("argmin", Reducer.MIN, axis);
  }

  private Tensor argExtremum(String op, Reducer reducer, int axis) {
    int a = Tensor.axisOf(op, self(), axis);
    int n = shape().dim(a);
    if (n == 0) {
      throw SourceLine.at(
          new ShapeException("[" + op + "] axis " + axis + " of " + shape() + " is empty"));
    }
    Tensor x = self().stopGradient();
    Tensor hit = x.eq(x.reduce(reducer, true, a));
    Tensor found = dtype().isFloat() ? hit.or(x.isNan()) : hit;
    Tensor at = Tensor.iota(DType.INT32, shape(), a);
    return found.where(at, Tensor.full(DType.INT32, shape(), n)).min(a);
  }

  /** log(sum(exp(x))) over axes, shifted by the largest element so that nothing overflows. */
  public Tensor logSumExp(int... axes) {
    return logSumExp(false, axes);
  }

  public Tensor logSumExp(boolean keepDims, int... axes) {
    Tensor m = self().stopGradient().max(true, axes);
    Tensor shift = m.abs().lt(Double.POSITIVE_INFINITY).where(m, m.zerosLike());
    Tensor r = sub(shift).exp().sum(true, axes).log().add(shift);
    return keepDims ? r : r.reshape(sum(axes).shape());
  }

  /** Mean squared distance from the mean (divided by n). */
  public Tensor variance(int... axes) {
    return sub(mean(true, axes)).square().mean(axes);
  }

  /** Square root of {@link #variance}. */
  public Tensor std(int... axes) {
    return variance(axes).sqrt();
  }

  /** Euclidean norm; its derivative at 0 is NaN, as that of sqrt(0) times 0. */
  public Tensor norm(int... axes) {
    return square().sum(axes).sqrt();
  }

  /** Sum of absolute values. */
  public Tensor norm1(int... axes) {
    return abs().sum(axes);
  }

  // ---- products -------------------------------------------------------------------------------

  /** Sum of products of two vectors. */
  public Tensor dot(Tensor o) {
    if (shape().rank() != 1 || o.rank() != 1) {
      throw SourceLine.at(
          new ShapeException("[dot] needs two vectors: " + shape() + " and " + o.shape()));
    }
    return self().matmul(o);
  }

  /** (m) and (n) give (m, n). */
  public Tensor outer(Tensor o) {
    if (shape().rank() != 1 || o.rank() != 1) {
      throw SourceLine.at(
          new ShapeException("[outer] needs two vectors: " + shape() + " and " + o.shape()));
    }
    return self().expandDims(1).mul(o.expandDims(0));
  }

  /** int32 classes to a new last axis that is 1 at the class and 0 elsewhere. */
  public Tensor oneHot(int classes, DType as) {
    if (dtype() != DType.INT32) {
      throw SourceLine.at(new DTypeException("[oneHot] needs i32, not " + dtype()));
    }
    Shape s = shape().with(shape().rank(), classes);
    return self().expandDims(-1).eq(Tensor.iota(DType.INT32, s, -1)).cast(as);
  }

  // ---- neural networks and statistics ---------------------------------------------------------

  /** max(x, 0), with derivative 0 at 0. */
  public Tensor relu() {
    return le(0).where(zerosLike(), self());
  }

  /** x times the normal distribution function of x (Hendrycks and Gimpel 2016, exact form). */
  public Tensor gelu() {
    return mul(normalCdf());
  }

  /** log(1 + exp(x)), without overflow. */
  public Tensor softplus() {
    return relu().add(abs().neg().exp().log1p());
  }

  /** x * sigmoid(x). */
  public Tensor silu() {
    return mul(sigmoid());
  }

  public Tensor softmax(int axis) {
    Tensor e = sub(self().stopGradient().max(true, axis)).exp();
    return e.div(e.sum(true, axis));
  }

  public Tensor logSoftmax(int axis) {
    Tensor shifted = sub(self().stopGradient().max(true, axis));
    return shifted.sub(shifted.exp().sum(true, axis).log());
  }

  /** Standard normal distribution function, erfc(-x/sqrt(2))/2. */
  public Tensor normalCdf() {
    return mul(-Math.sqrt(0.5)).erfc().mul(0.5);
  }

  /** Standard normal density. */
  public Tensor normalPdf() {
    return square().mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI));
  }

  /** Mean over the batch of -log softmax(logits)[label]: logits (n, classes), int32 labels (n). */
  public static Tensor crossEntropy(Tensor logits, Tensor labels) {
    if (logits.rank() != 2 || labels.rank() != 1 || labels.dim(0) != logits.dim(0)) {
      throw SourceLine.at(
          new ShapeException(
              "[crossEntropy] needs logits (n,classes) and labels (n): "
                  + logits.shape()
                  + " and "
                  + labels.shape()));
    }
    Tensor logp = logits.logSoftmax(1);
    Tensor hit = labels.expandDims(1).eq(Tensor.iota(DType.INT32, logits.shape(), 1));
    return hit.where(logp, logp.zerosLike()).sum(1).mean().neg();
  }
}
