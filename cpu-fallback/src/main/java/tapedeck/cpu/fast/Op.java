package tapedeck.cpu.fast;

/** What a node computes; operands and result have one type unless said otherwise. */
enum Op {
  /** Literal: {@link Node#value} holds its bits (see {@link Graph}). */
  CONST,
  /** Address of a kernel parameter. */
  PARAM,
  /** Loop variable. */
  VAR,
  /** Memory at an address; with a second operand, zero where that is false. */
  LOAD,
  /** Result of a reduction. */
  ACC,
  ADD,
  SUB,
  MUL,
  DIV,
  REM,
  MIN,
  MAX,
  NEG,
  ABS,
  SQRT,
  /** a * b + c, rounded once. */
  FMA,
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
  /** Change of type by value. */
  CONVERT,
  /** Change of type that keeps the bits. */
  BITS,
  /** A function of {@link ScalarMath}, lane by lane. */
  CALL,
  /** (x, y): y where |x| is at most a limit, else the function of {@link ScalarMath} at x. */
  REPAIR
}
