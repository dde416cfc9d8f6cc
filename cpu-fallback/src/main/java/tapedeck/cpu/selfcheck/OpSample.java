package tapedeck.cpu.selfcheck;

import java.util.List;
import java.util.Optional;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;

/**
 * One row of the table of operations.
 *
 * @param name the operation, unique
 * @param primitive the primitive that this row is for, as {@link OpSamples#key} names it; empty for
 *     a composite
 * @param methods tensor methods that the row exercises
 * @param dtypes element types to test
 * @param order how often it may be differentiated here; 0 for results that are not float
 * @param slack factor on the tolerances, 1 for an operation of a few correctly rounded steps
 * @param notes choices at kinks and the like, for the coverage table
 * @param variants what to apply to which operands
 * @param specials operand tuples with infinities, NaN, zeros and extremes, for elementwise
 *     operations
 */
public record OpSample(
    String name,
    String primitive,
    List<String> methods,
    List<DType> dtypes,
    int order,
    double slack,
    String notes,
    List<Variant> variants,
    List<double[]> specials) {

  /** The operation on its operands. */
  @FunctionalInterface
  public interface Fn {
    /**
     * {@return the operation applied to some operands}
     *
     * @param x one tensor per operand of the variant
     */
    Tensor apply(Tensor[] x);
  }

  /**
   * An operand.
   *
   * @param domain where its values lie
   * @param fixed its type; empty for the one under test
   * @param shape its extents
   */
  public record Operand(Domain domain, Optional<DType> fixed, Shape shape) {
    static Operand of(Domain domain, int... dims) {
      return new Operand(domain, Optional.empty(), Shape.of(dims));
    }

    static Operand of(DType fixed, Domain domain, int... dims) {
      return new Operand(domain, Optional.of(fixed), Shape.of(dims));
    }

    Aval aval(DType dtype) {
      return new Aval(fixed.orElse(dtype), shape);
    }
  }

  /**
   * One application.
   *
   * @param label what is special, such as a shape; part of results
   * @param fn the operation, with its parameters
   * @param operands what it is applied to
   */
  public record Variant(String label, Fn fn, List<Operand> operands) {
    List<Aval> avals(DType dtype) {
      return operands.stream().map(o -> o.aval(dtype)).toList();
    }
  }

  private static final List<DType> FLOATS = List.of(DType.FLOAT32, DType.FLOAT64);

  /** A row for float operands, differentiable twice, that is named like its method. */
  static OpSample of(String name, String primitive, List<Variant> variants) {
    return new OpSample(name, primitive, List.of(name), FLOATS, 2, 1, "", variants, List.of());
  }

  OpSample covers(String... m) {
    return new OpSample(
        name, primitive, List.of(m), dtypes, order, slack, notes, variants, specials);
  }

  OpSample types(DType... d) {
    return new OpSample(
        name, primitive, methods, List.of(d), order, slack, notes, variants, specials);
  }

  OpSample order(int o) {
    return new OpSample(name, primitive, methods, dtypes, o, slack, notes, variants, specials);
  }

  OpSample slack(double s) {
    return new OpSample(name, primitive, methods, dtypes, order, s, notes, variants, specials);
  }

  OpSample notes(String n) {
    return new OpSample(name, primitive, methods, dtypes, order, slack, n, variants, specials);
  }

  /** Special operand tuples, one after the other. */
  OpSample at(double[]... tuples) {
    return new OpSample(
        name, primitive, methods, dtypes, order, slack, notes, variants, List.of(tuples));
  }
}
