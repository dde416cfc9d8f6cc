package tapedeck.ad.kir;

/**
 * Scalar instructions. Floating-point arithmetic follows IEEE 754 in the operand's type; NaN
 * propagates through MIN and MAX. Integers wrap. Booleans are 0 or 1.
 */
public enum ScalarOp {
  // float or int32 arithmetic
  /** x + y. */
  ADD(2),
  /** x - y. */
  SUB(2),
  /** x * y. */
  MUL(2),
  /** Float division, or int32 division truncating towards zero (x/0 = 0 for int32). */
  DIV(2),
  /** Remainder with the sign of the dividend (C fmod, Java %); x%0 = 0 for int32. */
  REM(2),
  /** The smaller operand, NaN if one is; on bool, x and y. */
  MIN(2),
  /** The larger operand, NaN if one is; on bool, x or y. */
  MAX(2),
  /** -x. */
  NEG(1),
  /** |x|; the smallest int32 stays as it is. */
  ABS(1),
  /** -1, 0 (with its sign, for floats) or 1; NaN stays NaN. */
  SIGN(1),
  // float only
  /**
   * As in IEEE 754 (C's pow): pow(1, NaN) = pow(x, 0) = 1 and pow(-1, inf) = 1, where Java's
   * Math.pow gives NaN.
   */
  POW(2),
  /** Angle in [-pi, pi], in radians, of the point with abscissa y and ordinate x. */
  ATAN2(2),
  /** Largest integer not above x. */
  FLOOR(1),
  /** Smallest integer not below x. */
  CEIL(1),
  /** Nearest integer, ties to even. */
  ROUND(1),
  /** Square root; NaN below 0. */
  SQRT(1),
  /** 1/sqrt(x). */
  RSQRT(1),
  /** e to the power of x. */
  EXP(1),
  /** exp(x) - 1, accurate near 0. */
  EXPM1(1),
  /** Natural logarithm; NaN below 0. */
  LOG(1),
  /** log(1 + x), accurate near 0. */
  LOG1P(1),
  /** Sine of an angle in radians. */
  SIN(1),
  /** Cosine of an angle in radians. */
  COS(1),
  /** Tangent of an angle in radians. */
  TAN(1),
  /** Arc sine in [-pi/2, pi/2]; NaN outside of [-1, 1]. */
  ASIN(1),
  /** Arc cosine in [0, pi]; NaN outside of [-1, 1]. */
  ACOS(1),
  /** Arc tangent in [-pi/2, pi/2]. */
  ATAN(1),
  /** Hyperbolic sine. */
  SINH(1),
  /** Hyperbolic cosine. */
  COSH(1),
  /** Hyperbolic tangent. */
  TANH(1),
  /** 1/(1+exp(-x)), without overflow. */
  SIGMOID(1),
  /** 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x (DLMF 7.2.1). */
  ERF(1),
  /** 1 - erf(x) without cancellation for large x (DLMF 7.2.2). */
  ERFC(1),
  // comparisons: two operands of one type, boolean result; any comparison with NaN but NE is false
  /** {@code x < y}; false is below true. */
  LT(2),
  /** {@code x <= y}; false is below true. */
  LE(2),
  /** Whether x equals y; -0 equals 0. */
  EQ(2),
  /** Whether x differs from y; true where one is NaN. */
  NE(2),
  // bool: logic; int32: bitwise
  /** x and y. */
  AND(2),
  /** x or y. */
  OR(2),
  /** Either x or y. */
  XOR(2),
  /** Not x, or all its bits inverted. */
  NOT(1),
  // int32 only; shift distances are in [0, 31]
  /** x shifted left by y bits. */
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

  /** {@return the number of operands, 1 to 3} */
  public int arity() {
    return arity;
  }

  /**
   * {@return the rough cost in cheap instructions; the scheduler decides with it what to recompute}
   */
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

  /** {@return whether it takes as long as the functions of a mathematical library} */
  public boolean isFunction() {
    return cost() >= 12;
  }

  /** {@return whether the result is a boolean whatever the operands are} */
  public boolean isComparison() {
    return this == LT || this == LE || this == EQ || this == NE;
  }
}
