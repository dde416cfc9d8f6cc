package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.Precision;

/**
 * How a primitive becomes kernel IR. The scheduler knows these four forms and no primitive by name.
 */
public sealed interface Lowering {

  /**
   * One output element from operand elements.
   *
   * @param elements the rule
   * @param cost of one element, in about as many cheap instructions
   */
  record Map(Elements elements, int cost) implements Lowering {}

  /**
   * A reduction of the only operand over some axes.
   *
   * @param reducer how elements are combined
   * @param axes distinct axes in ascending order
   */
  record Reduction(Reducer reducer, List<Integer> axes) implements Lowering {}

  /**
   * A matrix product of (batch..., m, k) and (batch..., k, n).
   *
   * @param precision of float32 products
   */
  record Product(Precision precision) implements Lowering {}

  /**
   * Zeros into which slices of operand 0 along {@code axis} are added at the rows that operand 1
   * names.
   *
   * @param axis axis of operand 0 and of the result
   */
  record Scatter(int axis) implements Lowering {}

  /** The element rule of a {@link Map}. */
  @FunctionalInterface
  interface Elements {
    /**
     * {@return the expression of one element of the result}
     *
     * @param in the primitive's operands
     * @param result type and shape of the result
     * @param index position of the element, one index per axis of the result
     */
    Expr at(Operands in, Aval result, List<Index> index);
  }

  /** Access to operand elements while lowering. */
  interface Operands {
    /**
     * {@return the expression of one element of an operand}
     *
     * @param operand position among the operands
     * @param index position of the element, one index per axis of the operand
     */
    Expr at(int operand, List<Index> index);

    /**
     * {@return type and shape of an operand}
     *
     * @param operand position among the operands
     */
    Aval aval(int operand);

    /** {@return the number of operands} */
    int count();
  }
}
