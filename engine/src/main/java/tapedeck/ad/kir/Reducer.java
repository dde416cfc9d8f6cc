package tapedeck.ad.kir;

import tapedeck.ad.type.DType;

/**
 * How a reduction combines values. Order within one kernel is fixed, so results are reproducible.
 */
public enum Reducer {
  /** Sum, of floats or int32. */
  SUM(ScalarOp.ADD),
  /** Product, of floats or int32. */
  PROD(ScalarOp.MUL),
  /** Largest value; NaN if one is; for bool, whether any is true. */
  MAX(ScalarOp.MAX),
  /** Smallest value; NaN if one is; for bool, whether all are true. */
  MIN(ScalarOp.MIN);

  private final ScalarOp op;

  Reducer(ScalarOp op) {
    this.op = op;
  }

  /** {@return the instruction that combines two values} */
  public ScalarOp op() {
    return op;
  }

  /**
   * {@return the value of the empty reduction; for int32 the extreme integers stand for the
   * infinities}
   *
   * @param dtype type of the values; a bool maximum starts from false, a minimum from true
   */
  public double identity(DType dtype) {
    return switch (this) {
      case SUM -> 0;
      case PROD -> 1;
      case MAX ->
          dtype.isFloat() ? Double.NEGATIVE_INFINITY : dtype == DType.BOOL ? 0 : Integer.MIN_VALUE;
      case MIN ->
          dtype.isFloat() ? Double.POSITIVE_INFINITY : dtype == DType.BOOL ? 1 : Integer.MAX_VALUE;
    };
  }
}
