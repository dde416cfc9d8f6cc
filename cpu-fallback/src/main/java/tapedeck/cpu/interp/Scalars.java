package tapedeck.cpu.interp;

import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.reference.ErrorFunction;

/**
 * Meaning of every scalar instruction. Values of all types travel as float64, in which float32,
 * int32 and bool are exact; a float32 result is rounded once from the float64 one.
 */
final class Scalars {
  private Scalars() {}

  interface Unary {
    double at(double x);
  }

  interface Binary {
    double at(double a, double b);
  }

  /**
   * One-operand instruction on operands of type {@code in}, giving {@code out}; they differ only
   * for CAST.
   */
  static Unary unary(ScalarOp op, DType in, DType out) {
    return switch (op) {
      case NEG -> in == DType.INT32 ? x -> -(int) x : x -> -x;
      case ABS -> in == DType.INT32 ? x -> Math.abs((int) x) : Math::abs;
      case SIGN -> Math::signum;
      case FLOOR -> Math::floor;
      case CEIL -> Math::ceil;
      case ROUND -> Math::rint;
      case SQRT -> rounded(out, Math::sqrt);
      case RSQRT -> rounded(out, x -> 1 / Math.sqrt(x));
      case EXP -> rounded(out, Math::exp);
      case EXPM1 -> rounded(out, Math::expm1);
      case LOG -> rounded(out, Math::log);
      case LOG1P -> rounded(out, Math::log1p);
      case SIN -> rounded(out, Math::sin);
      case COS -> rounded(out, Math::cos);
      case TAN -> rounded(out, Math::tan);
      case ASIN -> rounded(out, Math::asin);
      case ACOS -> rounded(out, Math::acos);
      case ATAN -> rounded(out, Math::atan);
      case SINH -> rounded(out, Math::sinh);
      case COSH -> rounded(out, Math::cosh);
      case TANH -> rounded(out, Math::tanh);
      case SIGMOID -> rounded(out, Scalars::sigmoid);
      case ERF -> rounded(out, ErrorFunction::erf);
      case ERFC -> rounded(out, ErrorFunction::erfc);
      case NOT -> in == DType.BOOL ? x -> x == 0 ? 1 : 0 : x -> ~(int) x;
      case CAST -> cast(out);
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          POW,
          ATAN2,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          SHL,
          SHR,
          UMULHI,
          SELECT ->
          throw new IllegalArgumentException(op + " does not have one operand");
    };
  }

  /** Two-operand instruction on operands of type {@code in}. */
  static Binary binary(ScalarOp op, DType in) {
    boolean integer = in == DType.INT32;
    return switch (op) {
      case ADD -> integer ? (a, b) -> (int) a + (int) b : rounded(in, (a, b) -> a + b);
      case SUB -> integer ? (a, b) -> (int) a - (int) b : rounded(in, (a, b) -> a - b);
      case MUL -> integer ? (a, b) -> (int) a * (int) b : rounded(in, (a, b) -> a * b);
      case DIV -> integer ? (a, b) -> b == 0 ? 0 : (int) a / (int) b : rounded(in, (a, b) -> a / b);
      case REM -> integer ? (a, b) -> b == 0 ? 0 : (int) a % (int) b : rounded(in, (a, b) -> a % b);
      case MIN -> Math::min;
      case MAX -> Math::max;
      case POW -> rounded(in, Scalars::pow);
      case ATAN2 -> rounded(in, Math::atan2);
      case LT -> (a, b) -> a < b ? 1 : 0;
      case LE -> (a, b) -> a <= b ? 1 : 0;
      case EQ -> (a, b) -> a == b ? 1 : 0;
      case NE -> (a, b) -> a != b ? 1 : 0;
      case AND -> (a, b) -> (int) a & (int) b;
      case OR -> (a, b) -> (int) a | (int) b;
      case XOR -> (a, b) -> (int) a ^ (int) b;
      case SHL -> (a, b) -> (int) a << distance(b);
      case SHR -> (a, b) -> (int) a >>> distance(b);
      case UMULHI -> (a, b) -> (int) ((((int) a & 0xffffffffL) * ((int) b & 0xffffffffL)) >>> 32);
      case NEG,
          ABS,
          SIGN,
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
          ERFC,
          NOT,
          SELECT,
          CAST ->
          throw new IllegalArgumentException(op + " does not have two operands");
    };
  }

  private static Unary cast(DType to) {
    return switch (to) {
      case FLOAT64 -> x -> x;
      case FLOAT32 -> x -> (float) x;
      case INT32 -> x -> (int) x;
      case BOOL -> x -> x != 0 ? 1 : 0;
    };
  }

  private static Unary rounded(DType type, Unary f) {
    return type == DType.FLOAT32 ? x -> (float) f.at(x) : f;
  }

  private static Binary rounded(DType type, Binary f) {
    return type == DType.FLOAT32 ? (a, b) -> (float) f.at(a, b) : f;
  }

  private static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (1 + e);
  }

  /** IEEE 754 pow, which unlike Java's is 1 for 1^NaN and (+-1)^(+-inf). */
  private static double pow(double x, double y) {
    return x == 1 || (x == -1 && Double.isInfinite(y)) ? 1 : Math.pow(x, y);
  }

  private static int distance(double d) {
    if (d < 0 || d > 31) {
      throw new Violation("shift distance " + (int) d + " is outside [0, 31]");
    }
    return (int) d;
  }
}
