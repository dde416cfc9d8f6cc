package tapedeck.ad.type;

/** Element type of a tensor. Booleans are stored as one byte each, 0 or 1. */
public enum DType {
  /** IEEE 754 binary32; differentiable. */
  FLOAT32("f32", 4),
  /** IEEE 754 binary64; differentiable. */
  FLOAT64("f64", 8),
  /** Two's complement integers of 32 bits, which wrap. */
  INT32("i32", 4),
  /** False or true. */
  BOOL("bool", 1);

  private final String label;
  private final int bytes;

  DType(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /** {@return the short name used in printed tapes and error messages, such as {@code f32}} */
  public String label() {
    return label;
  }

  /** {@return the size of one element in bytes} */
  public int bytes() {
    return bytes;
  }

  /** {@return whether this is FLOAT32 or FLOAT64; only such values are differentiable} */
  public boolean isFloat() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /**
   * {@return a value that this type represents: the nearest one for float types, for INT32 the
   * value without its fraction, for BOOL 1 unless it is 0}
   *
   * @param v value in float64; for INT32 the extreme integers stand for what is beyond them, and 0
   *     for NaN
   */
  public double round(double v) {
    return switch (this) {
      case FLOAT32 -> (double) (float) v;
      case FLOAT64 -> v;
      case INT32 -> (double) (int) v;
      case BOOL -> v != 0 ? 1 : 0;
    };
  }

  @Override
  public String toString() {
    return label;
  }
}
