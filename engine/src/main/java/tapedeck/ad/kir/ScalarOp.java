package tapedeck.ad.kir;

/**
 * Scalar instructions. Floating-point arithmetic follows IEEE 754 in the operand's type; NaN
 * propagates through MIN and MAX. Integers wrap. Booleans are 0 or 1.
 */
public enum ScalarOp {
  // float or int32 arithmetic
  ADD(2),
  SUB(2),
  MUL(2),
  /** Float division, or int32 division truncating towards zero (x/0 = 0 for int32). */
  DIV(2),
  /** Remainder with the sign of the dividend (C fmod, Java %); x%0 = 0 for int32. */
  REM(2),
  MIN(2),
  MAX(2),
  NEG(1),
  ABS(1),
  /** -1, 0 (with its sign, for floats) or 1; NaN stays NaN. */
  SIGN(1),
  // float only
  /**
   * As in IEEE 754 (C's pow): pow(1, NaN) = pow(x, 0) = 1 and pow(-1, inf) = 1, where Java's
   * Math.pow gives NaN.
   */
  POW(2),
  ATAN2(2),
  FLOOR(1),
  CEIL(1),
  /** Nearest integer, ties to even. */
  ROUND(1),
  SQRT(1),
  RSQRT(1),
  EXP(1),
  EXPM1(1),
  LOG(1),
  LOG1P(1),
  SIN(1),
  COS(1),
  TAN(1),
  ASIN(1),
  ACOS(1),
  ATAN(1),
  SINH(1),
  COSH(1),
  TANH(1),
  /** 1/(1+exp(-x)), without overflow. */
  SIGMOID(1),
  ERF(1),
  ERFC(1),
  // comparisons: two operands of one type, boolean result; any comparison with NaN but NE is false
  LT(2),
  LE(2),
  EQ(2),
  NE(2),
  // bool: logic; int32: bitwise
  AND(2),
  OR(2),
  XOR(2),
  NOT(1),
  // int32 only; shift distances are in [0, 31]
  SHL(2),
  /** Logical (unsigned) shift right. */
  SHR(2),
  /** High 32 bits of the unsigned 64-bit product. */
  UMULHI(2),
  /** (bool, a, b): a where true, else b. Both operands may be evaluated. */
  SELECT(3),
  /**
   * To the expression's own type. Float to int32 truncates and saturates, NaN gives 0; anything to
   * bool is x != 0; bool to a number gives 0 or 1.
   */
  CAST(1);

  private final int arity;

  ScalarOp(int arity) {
    this.arity = arity;
  }

  public int arity() {
    return arity;
  }

  /** Rough cost in cheap instructions; the scheduler decides with it what to recompute. */
  public int cost() {
    return switch (this) {
      case ADD,
          SUB,
          MUL,
          MIN,
          MAX,
          NEG,
          ABS,
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
          SELECT,
          CAST ->
          1;
      case SIGN, FLOOR, CEIL, ROUND, UMULHI -> 2;
      case DIV, SQRT, RSQRT -> 4;
      case EXP, EXPM1, LOG, LOG1P, SIN, COS, SIGMOID, TANH, REM -> 12;
      case POW, ATAN2, TAN, ASIN, ACOS, ATAN, SINH, COSH, ERF, ERFC -> 24;
    };
  }

  /** Whether the result is a boolean whatever the operands are. */
  public boolean isComparison() {
    return this == LT || this == LE || this == EQ || this == NE;
  }
}
