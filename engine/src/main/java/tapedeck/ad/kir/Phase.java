package tapedeck.ad.kir;

import java.util.List;
import tapedeck.ad.type.DType;

/** A step of a kernel, done once per grid point, after the phases before it. */
public sealed interface Phase {

  /** Loops of this phase, outermost first; may be empty. */
  List<Loop> loops();

  /** For all points of the loops, in order: {@code acc = op(acc, value)} for every accumulator. */
  record Reduce(List<Loop> loops, List<Accumulator> accs) implements Phase {}

  /**
   * For all points of the loops: {@code buffer[index] = value} for every store. All values of a
   * point are evaluated before its first store, so a store may overwrite what another store of the
   * point reads.
   */
  record Emit(List<Loop> loops, List<Store> stores) implements Phase {}

  /**
   * For all points of the loops, one after the other: {@code buffer[index] += value} where the
   * bounds hold. No two grid points touch the same element.
   */
  record ScatterAdd(List<Loop> loops, List<Expr.Bound> bounds, Store store) implements Phase {}

  /**
   * A running reduction that starts from the reducer's identity. Values have the accumulator's
   * type.
   */
  record Accumulator(int id, Reducer reducer, DType dtype, Expr value) {}

  /** A write of one element; the value has the parameter's type. */
  record Store(int param, Index index, Expr value) {}
}
