package tapedeck.ad.kir;

import java.util.List;
import tapedeck.ad.type.DType;

/** A step of a kernel, done once per grid point, after the phases before it. */
public sealed interface Phase {

  /** {@return the loops of this phase, outermost first; may be empty} */
  List<Loop> loops();

  /**
   * For all points of the loops, in order: {@code acc = op(acc, value)} for every accumulator.
   *
   * @param loops what is reduced over, outermost first
   * @param accs accumulators, which later phases read with {@link Expr.Acc}
   */
  record Reduce(List<Loop> loops, List<Accumulator> accs) implements Phase {}

  /**
   * For all points of the loops: {@code buffer[index] = value} for every store. All values of a
   * point are evaluated before its first store, so a store may overwrite what another store of the
   * point reads.
   *
   * @param loops loops inside the grid point, outermost first; none for one round
   * @param stores writes of each round
   */
  record Emit(List<Loop> loops, List<Store> stores) implements Phase {}

  /**
   * For all points of the loops, one after the other: {@code buffer[index] += value} where the
   * bounds hold. No two grid points touch the same element.
   *
   * @param loops loops inside the grid point, outermost first
   * @param bounds conditions under which a round adds
   * @param store element and what is added to it
   */
  record ScatterAdd(List<Loop> loops, List<Expr.Bound> bounds, Store store) implements Phase {}

  /**
   * A running reduction that starts from the reducer's identity.
   *
   * @param id unique within a kernel
   * @param reducer how values are combined
   * @param dtype type of the result
   * @param value what a round contributes, of that type
   */
  record Accumulator(int id, Reducer reducer, DType dtype, Expr value) {}

  /**
   * A write of one element.
   *
   * @param param position of the buffer among the kernel's parameters
   * @param index element of the buffer, counted from 0
   * @param value of the parameter's type
   */
  record Store(int param, Index index, Expr value) {}
}
