package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.type.Aval;

/** What an equation of a tape applies. Equal parameters make equal primitives. */
public sealed interface Primitive permits Op, CustomVjp {

  /** Name in printed tapes and messages. */
  String label();

  /**
   * Shape rule: types and shapes of the results.
   *
   * @throws tapedeck.ad.type.ShapeException if the operands' shapes do not fit
   * @throws tapedeck.ad.type.DTypeException if the operands' types do not fit
   */
  List<Aval> infer(List<Aval> operands);
}
