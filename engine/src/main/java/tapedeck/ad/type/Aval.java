package tapedeck.ad.type;

/**
 * Abstract value: what is known of a tensor while tracing, its element type and its shape.
 *
 * @param dtype element type
 * @param shape extents, outermost axis first
 */
public record Aval(DType dtype, Shape shape) {
  /**
   * {@return the type of tensors with these extents}
   *
   * @param dtype element type
   * @param dims extents, none for a scalar
   * @throws ShapeException if an extent is negative or there are more than 2^63-1 elements
   */
  public static Aval of(DType dtype, int... dims) {
    return new Aval(dtype, Shape.of(dims));
  }

  /** {@return the number of axes, 0 for a scalar} */
  public int rank() {
    return shape.rank();
  }

  /** {@return the size of the elements in bytes, without any alignment} */
  public long bytes() {
    return shape.size() * dtype.bytes();
  }

  /**
   * {@return the same element type with another shape}
   *
   * @param s extents, of any number of elements
   */
  public Aval withShape(Shape s) {
    return new Aval(dtype, s);
  }

  /**
   * {@return the same shape with another element type}
   *
   * @param d element type
   */
  public Aval withDType(DType d) {
    return new Aval(d, shape);
  }

  /** As in {@code f32(2,3)}. */
  @Override
  public String toString() {
    return dtype.label() + shape;
  }
}
