package tapedeck.cpu.jit;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;

/**
 * Which kernels have short rows that lie one after another, such as the squared distances of many
 * points in a few dimensions. One at a time, a row costs more to begin and to end than what is done
 * in it; so a vector loop walks many of them.
 */
final class ShortRows {
  /** Most elements of a row of an elementwise kernel. */
  private static final int SHORT_AXIS = 256;

  /** Grid points from which on rows of two or three are worth vectors. */
  static final long MANY_POINTS = 4096;

  /** Vectors from which on rows have several accumulators, and are worth a loop each. */
  private static final int LONG = 8;

  private ShortRows() {}

  /**
   * Loops around a short axis, for which blocks of one row each would be mostly overhead; none
   * unless the kernel is a single vector loop.
   */
  static List<Loop> walked(Kernel kernel, Dependences dependences) {
    if (kernel.grid().size() < 2
        || kernel.grid().getLast().extent() > SHORT_AXIS
        || kernel.phases().size() != 1
        || !(kernel.phases().get(0) instanceof Phase.Emit e)
        || !e.loops().isEmpty()) {
      return List.of();
    }
    Loop axis = kernel.grid().getLast();
    List<Loop> outer = kernel.grid().subList(0, kernel.grid().size() - 1);
    List<Loop> inner = outer.subList(Math.max(0, outer.size() - 2), outer.size());
    List<Sink> sinks = e.stores().stream().<Sink>map(Sink.ToParam::new).toList();
    BlockPlan plan = new BlockPlan(axis, inner, sinks, dependences, new ScratchSpace(), 0);
    return plan.walksRows() ? inner : List.of();
  }

  /** Whether an elementwise kernel with rows too short for anything else goes by vectors. */
  static boolean areWorthVectors(Kernel kernel) {
    return Optimisation.SHORT_ROWS.isOn()
        && kernel.points() >= MANY_POINTS
        && Transposes.of(kernel) == null
        && !walked(kernel, new Dependences()).isEmpty();
  }

  /**
   * Whether all reductions go along short rows, one for each grid point, so that what follows can
   * be done for a block of their results at once.
   */
  static boolean haveTotals(Kernel kernel) {
    if (!Optimisation.SHORT_ROWS.isOn() || kernel.grid().isEmpty()) {
      return false;
    }
    KernelShape shape = new KernelShape(kernel);
    int lanes = VectorCode.lanes(shape.hasFloat64());
    Loop axis = kernel.grid().getLast();
    return axis.extent() >= lanes
        && kernel.phases().stream().anyMatch(p -> p instanceof Phase.Reduce)
        && shape.liesInRows()
        && kernel.phases().stream()
            .allMatch(
                p ->
                    switch (p) {
                      case Phase.Reduce r -> suits(r, axis, lanes);
                      case Phase.Emit e -> e.loops().isEmpty();
                      case Phase.ScatterAdd s -> false;
                    });
  }

  private static boolean suits(Phase.Reduce r, Loop axis, int lanes) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    if (r.loops().size() != 1
        || r.loops().getFirst().extent() >= (long) LONG * lanes
        || r.accs().stream().anyMatch(a -> a.dtype() == DType.BOOL)
        || r.accs().stream().anyMatch(a -> usesAccumulators(a.value(), seen))) {
      return false;
    }
    List<Sink> sinks =
        r.accs().stream().<Sink>map(a -> new Sink.Total(a.value(), a.reducer(), 0)).toList();
    BlockPlan plan =
        new BlockPlan(
            r.loops().getFirst(), List.of(axis), sinks, new Dependences(), new ScratchSpace(), 0);
    return plan.walksRows();
  }

  private static boolean usesAccumulators(Expr e, Set<Expr> seen) {
    return e instanceof Expr.Acc
        || (seen.add(e) && e.children().stream().anyMatch(c -> usesAccumulators(c, seen)));
  }
}
