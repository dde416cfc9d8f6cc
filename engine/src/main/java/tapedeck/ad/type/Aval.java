package tapedeck.ad.type;

/** Abstract value: what is known of a tensor while tracing, its element type and its shape. */
public record Aval(DType dtype, Shape shape) {
  public static Aval of(DType dtype, int... dims) {
    return new Aval(dtype, Shape.of(dims));
  }

  public int rank() {
    return shape.rank();
  }

  public long bytes() {
    return shape.size() * dtype.bytes();
  }

  public Aval withShape(Shape s) {
    return new Aval(dtype, s);
  }

  public Aval withDType(DType d) {
    return new Aval(d, shape);
  }

  /** As in {@code f32(2,3)}. */
  @Override
  public String toString() {
    return dtype.label() + shape;
  }
}
