package tapedeck.ad.tensor;

import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;

/**
 * The elementwise operations of {@link Tensor}. Shapes broadcast and errors are thrown as described
 * there. Sums, products, quotients, remainders, {@link #neg}, {@link #abs} and {@link #sign} take
 * float or int32 tensors; comparisons, {@link #minimum} and {@link #maximum} any type, with false
 * below true; the rest floats, unless it says otherwise. int32 wraps, and division by 0 gives 0. In
 * the formulas x is this tensor; {@link Elementwise} lists the derivatives at kinks.
 *
 * <p>A number becomes this tensor's type first, as {@link tapedeck.ad.type.DType#round} does it.
 * For int32 it must be a whole number in range: {@code x.lt(0.5)} throws a {@link DTypeException}.
 */
public abstract sealed class TensorMath extends TensorViews permits TensorReductions {
  TensorMath() {}

  private Tensor unary(Elementwise op) {
    return Tensor.apply(op, self());
  }

  private Tensor binary(Elementwise op, Tensor o) {
    return binary(op, self(), o);
  }

  private Tensor binary(Elementwise op, double v) {
    return Tensor.apply(op, self(), like(op, v));
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

  /** A number as operand; int32 takes whole ones only, for what it would drop changes results. */
  private Tensor like(Elementwise op, double v) {
    if (dtype() == DType.INT32 && dtype().round(v) != v) {
      throw SourceLine.at(
          new DTypeException(
              "[" + op + "] " + v + " is no int32: cast " + self().aval() + " to a float type"));
    }
    return like(v);
  }

  /** {@return zeros of this shape and type} */
  public Tensor zerosLike() {
    return like(0);
  }

  /** {@return ones of this shape and type} */
  public Tensor onesLike() {
    return like(1);
  }

  // ---- arithmetic -----------------------------------------------------------------------------

  /**
   * {@return x + o}
   *
   * @param o float or int32, of this type
   */
  public Tensor add(Tensor o) {
    return binary(Elementwise.ADD, o);
  }

  /**
   * {@return x + v}
   *
   * @param v summand in this tensor's type
   */
  public Tensor add(double v) {
    return binary(Elementwise.ADD, v);
  }

  /**
   * {@return x - o}
   *
   * @param o float or int32, of this type
   */
  public Tensor sub(Tensor o) {
    return binary(Elementwise.SUB, o);
  }

  /**
   * {@return x - v}
   *
   * @param v subtrahend in this tensor's type
   */
  public Tensor sub(double v) {
    return binary(Elementwise.SUB, v);
  }

  /**
   * {@return v - x}
   *
   * @param v minuend in this tensor's type
   */
  public Tensor rsub(double v) {
    return binary(Elementwise.SUB, like(Elementwise.SUB, v), self());
  }

  /**
   * {@return x * o, element by element}
   *
   * @param o float or int32, of this type
   */
  public Tensor mul(Tensor o) {
    return binary(Elementwise.MUL, o);
  }

  /**
   * {@return x * v}
   *
   * @param v factor in this tensor's type
   */
  public Tensor mul(double v) {
    return binary(Elementwise.MUL, v);
  }

  /**
   * {@return x / o; for int32 towards zero, and 0 where o is 0}
   *
   * @param o float or int32, of this type
   */
  public Tensor div(Tensor o) {
    return binary(Elementwise.DIV, o);
  }

  /**
   * {@return x / v; for int32 towards zero, and 0 if v is 0}
   *
   * @param v divisor in this tensor's type
   */
  public Tensor div(double v) {
    return binary(Elementwise.DIV, v);
  }

  /**
   * {@return v / x; for int32 towards zero, and 0 where x is 0}
   *
   * @param v dividend in this tensor's type
   */
  public Tensor rdiv(double v) {
    return binary(Elementwise.DIV, like(Elementwise.DIV, v), self());
  }

  /**
   * {@return the remainder of x / o with the sign of x, as Java's %; for int32 0 where o is 0}
   *
   * @param o float or int32, of this type
   */
  public Tensor rem(Tensor o) {
    return binary(Elementwise.REM, o);
  }

  /**
   * {@return the remainder of x / v with the sign of x, as Java's %; for int32 0 if v is 0}
   *
   * @param v divisor in this tensor's type
   */
  public Tensor rem(double v) {
    return binary(Elementwise.REM, v);
  }

  /**
   * {@return x to the power of o, by IEEE 754: pow(1, NaN) and pow(x, 0) are 1, and NaN where x is
   * finite and below 0 and o no integer}
   *
   * @param o exponent, a float tensor of this type
   */
  public Tensor pow(Tensor o) {
    return binary(Elementwise.POW, o);
  }

  /**
   * {@return x to the power of v} 2 and 3 are multiplications, which int32 has too; 1 is x itself,
   * and 0.5 is {@link #sqrt}.
   *
   * @param v exponent in this tensor's type
   */
  public Tensor pow(double v) {
    if (v == 2) {
      return square();
    }
    if (v == 3) {
      return square().mul(self());
    }
    return v == 1 ? self() : v == 0.5 ? sqrt() : binary(Elementwise.POW, v);
  }

  /**
   * {@return the smaller of two elements; NaN if one is} At a tie each gets half of the derivative.
   *
   * @param o any type, equal to this one
   */
  public Tensor minimum(Tensor o) {
    return binary(Elementwise.MIN, o);
  }

  /**
   * {@return x, but at most v; NaN if x is} Half of the derivative where they are equal.
   *
   * @param v upper bound in this tensor's type
   */
  public Tensor minimum(double v) {
    return binary(Elementwise.MIN, v);
  }

  /**
   * {@return the larger of two elements; NaN if one is} At a tie each gets half of the derivative.
   *
   * @param o any type, equal to this one
   */
  public Tensor maximum(Tensor o) {
    return binary(Elementwise.MAX, o);
  }

  /**
   * {@return x, but at least v; NaN if x is} Half of the derivative where they are equal.
   *
   * @param v lower bound in this tensor's type
   */
  public Tensor maximum(double v) {
    return binary(Elementwise.MAX, v);
  }

  /**
   * {@return the angle of the point (o, x) in [-pi, pi], in radians}
   *
   * @param o abscissa, a float tensor of this type; x is the ordinate
   */
  public Tensor atan2(Tensor o) {
    return binary(Elementwise.ATAN2, o);
  }

  /**
   * {@return x limited to [lo, hi]} The derivative is 1 inside, 0 outside and one half at a bound.
   *
   * @param lo lower bound in this tensor's type
   * @param hi upper bound, which wins if it is below {@code lo}
   */
  public Tensor clamp(double lo, double hi) {
    return maximum(lo).minimum(hi);
  }

  /** {@return -x} */
  public Tensor neg() {
    return unary(Elementwise.NEG);
  }

  /** {@return |x|, with derivative 0 at 0; the smallest int32 stays as it is} */
  public Tensor abs() {
    return unary(Elementwise.ABS);
  }

  /** {@return -1, 0 or 1; floats keep -0 and NaN} Derivative 0 everywhere. */
  public Tensor sign() {
    return unary(Elementwise.SIGN);
  }

  /** {@return the largest integer not above x} Derivative 0 everywhere. */
  public Tensor floor() {
    return unary(Elementwise.FLOOR);
  }

  /** {@return the smallest integer not below x} Derivative 0 everywhere. */
  public Tensor ceil() {
    return unary(Elementwise.CEIL);
  }

  /** {@return the nearest integer, ties to even} Derivative 0 everywhere. */
  public Tensor round() {
    return unary(Elementwise.ROUND);
  }

  /** {@return the square root, NaN below 0} Derivative infinite at 0. */
  public Tensor sqrt() {
    return unary(Elementwise.SQRT);
  }

  /** {@return 1/sqrt(x), infinite at 0 and NaN below} */
  public Tensor rsqrt() {
    return unary(Elementwise.RSQRT);
  }

  /** {@return e to the power of x} */
  public Tensor exp() {
    return unary(Elementwise.EXP);
  }

  /** {@return exp(x) - 1, accurate near 0} */
  public Tensor expm1() {
    return unary(Elementwise.EXPM1);
  }

  /** {@return the natural logarithm, minus infinity at 0 and NaN below} */
  public Tensor log() {
    return unary(Elementwise.LOG);
  }

  /** {@return log(1 + x), accurate near 0; minus infinity at -1 and NaN below} */
  public Tensor log1p() {
    return unary(Elementwise.LOG1P);
  }

  /** {@return the sine of x in radians} */
  public Tensor sin() {
    return unary(Elementwise.SIN);
  }

  /** {@return the cosine of x in radians} */
  public Tensor cos() {
    return unary(Elementwise.COS);
  }

  /** {@return the tangent of x in radians} */
  public Tensor tan() {
    return unary(Elementwise.TAN);
  }

  /**
   * {@return the arc sine in [-pi/2, pi/2], NaN outside of [-1, 1]} Derivative infinite at -1 and
   * 1.
   */
  public Tensor asin() {
    return unary(Elementwise.ASIN);
  }

  /**
   * {@return the arc cosine in [0, pi], NaN outside of [-1, 1]} Derivative infinite at -1 and 1.
   */
  public Tensor acos() {
    return unary(Elementwise.ACOS);
  }

  /** {@return the arc tangent in [-pi/2, pi/2]} */
  public Tensor atan() {
    return unary(Elementwise.ATAN);
  }

  /** {@return the hyperbolic sine, (exp(x) - exp(-x))/2} */
  public Tensor sinh() {
    return unary(Elementwise.SINH);
  }

  /** {@return the hyperbolic cosine, (exp(x) + exp(-x))/2} */
  public Tensor cosh() {
    return unary(Elementwise.COSH);
  }

  /** {@return the hyperbolic tangent, sinh(x)/cosh(x)} */
  public Tensor tanh() {
    return unary(Elementwise.TANH);
  }

  /** {@return 1/(1+exp(-x)), without overflow} */
  public Tensor sigmoid() {
    return unary(Elementwise.SIGMOID);
  }

  /**
   * {@return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x (DLMF
   * 7.2.1)}
   */
  public Tensor erf() {
    return unary(Elementwise.ERF);
  }

  /** {@return 1 - erf(x) without cancellation for large x (DLMF 7.2.2)} */
  public Tensor erfc() {
    return unary(Elementwise.ERFC);
  }

  /** {@return x * x, also for int32} */
  public Tensor square() {
    return mul(self());
  }

  /** {@return 1 / x, also for int32} */
  public Tensor reciprocal() {
    return rdiv(1);
  }

  // ---- comparison and logic: bool results -----------------------------------------------------

  /**
   * {@return whether x is below o; false where one is NaN}
   *
   * @param o any type, equal to this one
   */
  public Tensor lt(Tensor o) {
    return binary(Elementwise.LT, o);
  }

  /**
   * {@return whether x is below v; false where x is NaN}
   *
   * @param v bound in this tensor's type
   */
  public Tensor lt(double v) {
    return binary(Elementwise.LT, v);
  }

  /**
   * {@return whether x is at most o; false where one is NaN}
   *
   * @param o any type, equal to this one
   */
  public Tensor le(Tensor o) {
    return binary(Elementwise.LE, o);
  }

  /**
   * {@return whether x is at most v; false where x is NaN}
   *
   * @param v bound in this tensor's type
   */
  public Tensor le(double v) {
    return binary(Elementwise.LE, v);
  }

  /**
   * {@return whether x is above o; false where one is NaN}
   *
   * @param o any type, equal to this one
   */
  public Tensor gt(Tensor o) {
    return binary(Elementwise.LT, o, self());
  }

  /**
   * {@return whether x is above v; false where x is NaN}
   *
   * @param v bound in this tensor's type
   */
  public Tensor gt(double v) {
    return binary(Elementwise.LT, like(Elementwise.LT, v), self());
  }

  /**
   * {@return whether x is at least o; false where one is NaN}
   *
   * @param o any type, equal to this one
   */
  public Tensor ge(Tensor o) {
    return binary(Elementwise.LE, o, self());
  }

  /**
   * {@return whether x is at least v; false where x is NaN}
   *
   * @param v bound in this tensor's type
   */
  public Tensor ge(double v) {
    return binary(Elementwise.LE, like(Elementwise.LE, v), self());
  }

  /**
   * {@return whether x equals o; -0 equals 0, and NaN nothing}
   *
   * @param o any type, equal to this one
   */
  public Tensor eq(Tensor o) {
    return binary(Elementwise.EQ, o);
  }

  /**
   * {@return whether x equals v; -0 equals 0, and NaN nothing}
   *
   * @param v number in this tensor's type
   */
  public Tensor eq(double v) {
    return binary(Elementwise.EQ, v);
  }

  /**
   * {@return whether x differs from o; true where one is NaN}
   *
   * @param o any type, equal to this one
   */
  public Tensor ne(Tensor o) {
    return binary(Elementwise.NE, o);
  }

  /**
   * {@return whether x differs from v; true where x is NaN}
   *
   * @param v number in this tensor's type
   */
  public Tensor ne(double v) {
    return binary(Elementwise.NE, v);
  }

  /** {@return whether x is NaN, which only floats can be} */
  public Tensor isNan() {
    return ne(self());
  }

  /**
   * {@return x and o: logical on bool, bitwise on int32}
   *
   * @param o bool or int32, of this type
   */
  public Tensor and(Tensor o) {
    return binary(Elementwise.AND, o);
  }

  /**
   * {@return x or o: logical on bool, bitwise on int32}
   *
   * @param o bool or int32, of this type
   */
  public Tensor or(Tensor o) {
    return binary(Elementwise.OR, o);
  }

  /**
   * {@return either x or o: logical on bool, bitwise on int32}
   *
   * @param o bool or int32, of this type
   */
  public Tensor xor(Tensor o) {
    return binary(Elementwise.XOR, o);
  }

  /** {@return not x: logical on bool, bitwise on int32} */
  public Tensor not() {
    return unary(Elementwise.NOT);
  }

  /**
   * {@return int32 x shifted left}
   *
   * @param bits int32 distances in [0, 31]; the result for others is undefined
   */
  public Tensor shl(Tensor bits) {
    return binary(Elementwise.SHL, bits);
  }

  /**
   * {@return int32 x shifted right, zeros coming in}
   *
   * @param bits int32 distances in [0, 31]; the result for others is undefined
   */
  public Tensor shr(Tensor bits) {
    return binary(Elementwise.SHR, bits);
  }

  /**
   * {@return the high 32 bits of the unsigned 64-bit product of two int32}
   *
   * @param o int32
   */
  public Tensor umulhi(Tensor o) {
    return binary(Elementwise.UMULHI, o);
  }

  /**
   * {@return {@code a} where this bool tensor is true, else {@code b}} The branch that is not
   * chosen gets derivative 0 times whatever its own derivative is: keep that finite (0 times
   * infinity is NaN) by choosing a safe operand first.
   *
   * @param a any type; all three shapes broadcast
   * @param b of the type of {@code a}
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
}
