package tapedeck.ad.kir;

import tapedeck.ad.type.DType;

/**
 * How a reduction combines values. Order within one kernel is fixed, so results are reproducible.
 */
public enum Reducer {
  SUM(ScalarOp.ADD),
  PROD(ScalarOp.MUL),
  MAX(ScalarOp.MAX),
  MIN(ScalarOp.MIN);

  private final ScalarOp op;

  Reducer(ScalarOp op) {
    this.op = op;
  }

  public ScalarOp op() {
    return op;
  }

  /** Value of the empty reduction; for int32 the extreme integers stand for the infinities. */
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
