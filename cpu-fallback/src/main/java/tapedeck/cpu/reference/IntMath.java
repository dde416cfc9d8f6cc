package tapedeck.cpu.reference;

import tapedeck.ad.tensor.Elementwise;

/** Elementwise primitives on int32 operands, which wrap; comparisons give 0 or 1. */
final class IntMath {
  private IntMath() {}

  static double apply(Elementwise op, double[] x) {
    int a = (int) x[0];
    int b = x.length > 1 ? (int) x[1] : 0;
    return switch (op) {
      case ADD -> a + b;
      case SUB -> a - b;
      case MUL -> a * b;
      case DIV -> b == 0 ? 0 : a / b;
      case REM -> b == 0 ? 0 : a % b;
      case MIN -> Math.min(a, b);
      case MAX -> Math.max(a, b);
      case NEG -> -a;
      case ABS -> Math.abs(a);
      case SIGN -> Integer.signum(a);
      case LT -> a < b ? 1 : 0;
      case LE -> a <= b ? 1 : 0;
      case EQ -> a == b ? 1 : 0;
      case NE -> a != b ? 1 : 0;
      case AND -> a & b;
      case OR -> a | b;
      case XOR -> a ^ b;
      case NOT -> ~a;
      case SHL -> a << b;
      case SHR -> a >>> b;
      case UMULHI -> (int) ((Integer.toUnsignedLong(a) * Integer.toUnsignedLong(b)) >>> 32);
      case SELECT -> x[0] != 0 ? b : x[2];
      case POW,
          ATAN2,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          EXP,
          EXPM1,
          LOG,
          LOG1P,
          SIN,
          COS,
          TAN,
          ASIN,
          ACOS,
          ATAN,
          SINH,
          COSH,
          TANH,
          SIGMOID,
          ERF,
          ERFC ->
          throw new IllegalArgumentException(op + " does not take int32");
    };
  }
}
