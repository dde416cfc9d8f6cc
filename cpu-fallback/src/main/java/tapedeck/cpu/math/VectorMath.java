package tapedeck.cpu.math;

import tapedeck.ad.kir.ScalarOp;

/**
 * Elementary functions on blocks of native memory, with the Vector API where that pays; {@link
 * ScalarMath} gives the same bits one by one.
 *
 * <p>Largest errors, in units in the last place of the result: float64 exp, expm1, log, log1p, sin,
 * cos, sigmoid and erf 2, tanh 3, erfc 4 (to the end of its tail); the other functions are those of
 * {@link StrictMath}. float32 exp and log 1, expm1 and erf 1.5, sin and cos 2, log1p and sigmoid
 * 2.5, tanh 3, erfc 4; the other functions are computed in float64 and rounded once. NaN,
 * infinities, signed zeros, subnormal numbers and overflow are as in IEEE 754.
 *
 * <p>Arguments are reduced as Cody and Waite describe (Software Manual for the Elementary
 * Functions, 1980); sine and cosine beyond 1e5 are those of StrictMath. log is 2 atanh(f/(2+f)).
 * erfc is exp(-x^2)/(1+2x), or in float32 exp(-x^2)/(x+c), times a polynomial in (x-c)/(x+c), after
 * Shepherd and Laframboise (Mathematics of Computation 36, 1981).
 */
public final class VectorMath {
  private VectorMath() {}

  /**
   * {@code dst[i] = op(a[i], b[i])} for n elements at native addresses; b is ignored by functions
   * of one argument. dst may be a or b.
   *
   * @throws IllegalArgumentException if op is an instruction rather than a function
   */
  public static void apply(ScalarOp op, boolean f64, long a, long b, long dst, long n) {
    if (f64) {
      apply64(op, a, b, dst, n);
    } else {
      apply32(op, a, b, dst, n);
    }
  }

  private static void apply64(ScalarOp op, long a, long b, long dst, long n) {
    switch (op) {
      case EXP -> VectorExpLog64.exp(a, dst, n);
      case EXPM1 -> VectorExpLog64.expm1(a, dst, n);
      case LOG -> VectorExpLog64.log(a, dst, n);
      case LOG1P -> VectorExpLog64.log1p(a, dst, n);
      case SIN -> VectorTrigErf64.sin(a, dst, n);
      case COS -> VectorTrigErf64.cos(a, dst, n);
      case TANH -> VectorExpLog64.tanh(a, dst, n);
      case SIGMOID -> VectorExpLog64.sigmoid(a, dst, n);
      case ERF -> VectorTrigErf64.erf(a, dst, n);
      case ERFC -> VectorTrigErf64.erfc(a, dst, n);
      case POW, ATAN2, TAN, ASIN, ACOS, ATAN, SINH, COSH ->
          ScalarMath.apply(op, true, a, b, dst, n);
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          NEG,
          ABS,
          SIGN,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          UMULHI,
          SELECT,
          CAST ->
          throw new IllegalArgumentException(op + " is an instruction, no function");
    }
  }

  private static void apply32(ScalarOp op, long a, long b, long dst, long n) {
    switch (op) {
      case EXP -> VectorExpLog32.exp(a, dst, n);
      case EXPM1 -> VectorExpLog32.expm1(a, dst, n);
      case LOG -> VectorExpLog32.log(a, dst, n);
      case LOG1P -> VectorExpLog32.log1p(a, dst, n);
      case SIN -> VectorTrigErf32.sin(a, dst, n);
      case COS -> VectorTrigErf32.cos(a, dst, n);
      case TANH -> VectorExpLog32.tanh(a, dst, n);
      case SIGMOID -> VectorExpLog32.sigmoid(a, dst, n);
      case ERF -> VectorTrigErf32.erf(a, dst, n);
      case ERFC -> VectorTrigErf32.erfc(a, dst, n);
      case POW, ATAN2, TAN, ASIN, ACOS, ATAN, SINH, COSH ->
          ScalarMath.apply(op, false, a, b, dst, n);
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          NEG,
          ABS,
          SIGN,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          UMULHI,
          SELECT,
          CAST ->
          throw new IllegalArgumentException(op + " is an instruction, no function");
    }
  }

  public static void exp64(long src, long dst, long n) {
    VectorExpLog64.exp(src, dst, n);
  }

  public static void exp32(long src, long dst, long n) {
    VectorExpLog32.exp(src, dst, n);
  }

  public static void expm164(long src, long dst, long n) {
    VectorExpLog64.expm1(src, dst, n);
  }

  public static void expm132(long src, long dst, long n) {
    VectorExpLog32.expm1(src, dst, n);
  }

  public static void log64(long src, long dst, long n) {
    VectorExpLog64.log(src, dst, n);
  }

  public static void log32(long src, long dst, long n) {
    VectorExpLog32.log(src, dst, n);
  }

  public static void log1p64(long src, long dst, long n) {
    VectorExpLog64.log1p(src, dst, n);
  }

  public static void log1p32(long src, long dst, long n) {
    VectorExpLog32.log1p(src, dst, n);
  }

  public static void sin64(long src, long dst, long n) {
    VectorTrigErf64.sin(src, dst, n);
  }

  public static void sin32(long src, long dst, long n) {
    VectorTrigErf32.sin(src, dst, n);
  }

  public static void cos64(long src, long dst, long n) {
    VectorTrigErf64.cos(src, dst, n);
  }

  public static void cos32(long src, long dst, long n) {
    VectorTrigErf32.cos(src, dst, n);
  }

  public static void tanh64(long src, long dst, long n) {
    VectorExpLog64.tanh(src, dst, n);
  }

  public static void tanh32(long src, long dst, long n) {
    VectorExpLog32.tanh(src, dst, n);
  }

  public static void sigmoid64(long src, long dst, long n) {
    VectorExpLog64.sigmoid(src, dst, n);
  }

  public static void sigmoid32(long src, long dst, long n) {
    VectorExpLog32.sigmoid(src, dst, n);
  }

  public static void erf64(long src, long dst, long n) {
    VectorTrigErf64.erf(src, dst, n);
  }

  public static void erf32(long src, long dst, long n) {
    VectorTrigErf32.erf(src, dst, n);
  }

  public static void erfc64(long src, long dst, long n) {
    VectorTrigErf64.erfc(src, dst, n);
  }

  public static void erfc32(long src, long dst, long n) {
    VectorTrigErf32.erfc(src, dst, n);
  }
}
