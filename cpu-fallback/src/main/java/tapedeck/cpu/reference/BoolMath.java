package tapedeck.cpu.reference;

import tapedeck.ad.tensor.Elementwise;

/** Elementwise primitives on bool operands, with false below true. */
final class BoolMath {
  private BoolMath() {}

  static double apply(Elementwise op, double[] x) {
    boolean a = x[0] != 0;
    boolean b = x.length > 1 && x[1] != 0;
    boolean r =
        switch (op) {
          case MIN, AND -> a && b;
          case MAX, OR -> a || b;
          case XOR, NE -> a != b;
          case EQ -> a == b;
          case LT -> !a && b;
          case LE -> !a || b;
          case NOT -> !a;
          case SELECT -> a ? b : x[2] != 0;
          case ADD,
              SUB,
              MUL,
              DIV,
              REM,
              NEG,
              ABS,
              SIGN,
              POW,
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
              ERFC,
              SHL,
              SHR,
              UMULHI ->
              throw new IllegalArgumentException(op + " does not take bool");
        };
    return r ? 1 : 0;
  }
}
