package tapedeck.cpu.reference;

import tapedeck.ad.tensor.Elementwise;

/** Elementwise primitives on float operands. */
final class FloatMath {
  private FloatMath() {}

  static double apply(Elementwise op, double[] x) {
    double a = x[0];
    double b = x.length > 1 ? x[1] : 0;
    return switch (op) {
      case ADD -> a + b;
      case SUB -> a - b;
      case MUL -> a * b;
      case DIV -> a / b;
      case REM -> a % b;
      case POW -> pow(a, b);
      case MIN -> Math.min(a, b);
      case MAX -> Math.max(a, b);
      case ATAN2 -> Math.atan2(a, b);
      case NEG -> -a;
      case ABS -> Math.abs(a);
      case SIGN -> a > 0 ? 1 : a < 0 ? -1 : a;
      case FLOOR -> Math.floor(a);
      case CEIL -> Math.ceil(a);
      case ROUND -> Math.rint(a);
      case SQRT -> Math.sqrt(a);
      case RSQRT -> 1 / Math.sqrt(a);
      case EXP -> StrictMath.exp(a);
      case EXPM1 -> StrictMath.expm1(a);
      case LOG -> StrictMath.log(a);
      case LOG1P -> StrictMath.log1p(a);
      case SIN -> StrictMath.sin(a);
      case COS -> StrictMath.cos(a);
      case TAN -> StrictMath.tan(a);
      case ASIN -> StrictMath.asin(a);
      case ACOS -> StrictMath.acos(a);
      case ATAN -> StrictMath.atan(a);
      case SINH -> StrictMath.sinh(a);
      case COSH -> StrictMath.cosh(a);
      case TANH -> StrictMath.tanh(a);
      case SIGMOID ->
          a < 0 ? StrictMath.exp(a) / (1 + StrictMath.exp(a)) : 1 / (1 + StrictMath.exp(-a));
      case ERF -> ErrorFunction.erf(a);
      case ERFC -> ErrorFunction.erfc(a);
      case LT -> a < b ? 1 : 0;
      case LE -> a <= b ? 1 : 0;
      case EQ -> a == b ? 1 : 0;
      case NE -> a != b ? 1 : 0;
      case SELECT -> a != 0 ? b : x[2];
      case AND, OR, XOR, NOT, SHL, SHR, UMULHI ->
          throw new IllegalArgumentException(op + " does not take floats");
    };
  }

  /**
   * pow as IEEE 754 defines it; Java's differs for a base of 1 or -1 with a NaN or infinite
   * exponent.
   */
  private static double pow(double a, double b) {
    if (a == 1) {
      return 1;
    }
    return a == -1 && Math.abs(b) == Double.POSITIVE_INFINITY ? 1 : StrictMath.pow(a, b);
  }
}
