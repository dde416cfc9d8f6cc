package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.Aval;

/**
 * How a primitive becomes kernel IR. The scheduler knows these four forms and no primitive by name.
 */
public sealed interface Lowering {

  /**
   * One output element from operand elements, at a cost of about {@code cost} cheap instructions.
   */
  record Map(Elements elements, int cost) implements Lowering {}

  /** A reduction of the only operand over some axes. */
  record Reduction(Reducer reducer, List<Integer> axes) implements Lowering {}

  /** A matrix product of (batch..., m, k) and (batch..., k, n). */
  record Product() implements Lowering {}

  /**
   * Zeros into which slices of operand 0 along {@code axis} are added at the rows that operand 1
   * names.
   */
  record Scatter(int axis) implements Lowering {}

  /** The element rule of a {@link Map}. */
  @FunctionalInterface
  interface Elements {
    Expr at(Operands in, Aval result, List<Index> index);
  }

  /** Access to operand elements while lowering. */
  interface Operands {
    Expr at(int operand, List<Index> index);

    Aval aval(int operand);

    /** Number of operands. */
    int count();
  }
}
