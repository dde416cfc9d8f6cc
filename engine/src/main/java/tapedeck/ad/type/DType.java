package tapedeck.ad.type;

/** Element type of a tensor. Booleans are stored as one byte each, 0 or 1. */
public enum DType {
  FLOAT32("f32", 4),
  FLOAT64("f64", 8),
  INT32("i32", 4),
  BOOL("bool", 1);

  private final String label;
  private final int bytes;

  DType(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /** Short name used in printed tapes and error messages, such as {@code f32}. */
  public String label() {
    return label;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether this is FLOAT32 or FLOAT64; only such values are differentiable. */
  public boolean isFloat() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /** Rounds a value held in float64 to the nearest value that this type represents. */
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
