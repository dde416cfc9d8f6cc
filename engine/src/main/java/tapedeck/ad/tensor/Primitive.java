package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.type.Aval;

/** What an equation of a tape applies. Equal parameters make equal primitives. */
public sealed interface Primitive permits Op, CustomVjp {

  /**
   * {@return the name in printed tapes and messages, with parameters that matter, such as {@code
   * iota<0>}}
   */
  String label();

  /**
   * {@return types and shapes of the results}
   *
   * @param operands types and shapes of the operands
   * @throws tapedeck.ad.type.ShapeException if the operands' shapes do not fit
   * @throws tapedeck.ad.type.DTypeException if the operands' types do not fit
   */
  List<Aval> infer(List<Aval> operands);
}
