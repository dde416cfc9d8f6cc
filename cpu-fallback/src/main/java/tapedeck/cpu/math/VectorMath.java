package tapedeck.cpu.math;

import tapedeck.ad.kir.ScalarOp;

/**
 * Elementary functions on blocks of native memory, with the Vector API where that pays; {@link
 * ScalarMath} gives the same bits one by one.
 *
 * <p>Largest errors, in units in the last place of the result: float64 exp, expm1, log, log1p, sin,
 * cos, sigmoid and erf 2, acos 2.5, asin, atan, cosh and tanh 3, atan2 and sinh 4, erfc 4 (to the
 * end of its tail), tan 5; pow is that of {@link StrictMath}. float32 exp, log and pow 1, acos,
 * cosh, expm1 and erf 1.5, sin, cos and atan 2, asin, atan2, log1p, sigmoid and sinh 2.5, tanh 3,
 * tan and erfc 4. NaN, infinities, signed zeros, subnormal numbers and overflow are as in IEEE 754.
 *
 * <p>Arguments are reduced as Cody and Waite describe (Software Manual for the Elementary
 * Functions, 1980); sine, cosine and tangent beyond 1e5 are those of StrictMath. log is 2
 * atanh(f/(2+f)). erfc is exp(-x^2)/(1+2x), or in float32 exp(-x^2)/(x+c), times a polynomial in
 * (x-c)/(x+c), after Shepherd and Laframboise (Mathematics of Computation 36, 1981).
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
      case TAN -> VectorTrigErf64.tan(a, dst, n);
      case ASIN -> VectorInverse64.asin(a, dst, n);
      case ACOS -> VectorInverse64.acos(a, dst, n);
      case ATAN -> VectorInverse64.atan(a, dst, n);
      case ATAN2 -> VectorInverse64.atan2(a, b, dst, n);
      case SINH -> VectorExpLog64.sinh(a, dst, n);
      case COSH -> VectorExpLog64.cosh(a, dst, n);
      case POW -> ScalarMath.apply(op, true, a, b, dst, n);
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
      case TAN -> VectorTrigErf32.tan(a, dst, n);
      case ASIN -> VectorInverse32.asin(a, dst, n);
      case ACOS -> VectorInverse32.acos(a, dst, n);
      case ATAN -> VectorInverse32.atan(a, dst, n);
      case ATAN2 -> VectorInverse32.atan2(a, b, dst, n);
      case SINH -> VectorExpLog32.sinh(a, dst, n);
      case COSH -> VectorExpLog32.cosh(a, dst, n);
      case POW -> VectorPow32.pow(a, b, dst, n);
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
}
