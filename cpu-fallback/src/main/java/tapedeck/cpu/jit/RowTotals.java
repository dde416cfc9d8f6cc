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
 * Which kernels reduce short rows that lie one after another, such as the squared distances of many
 * points in a few dimensions. One at a time, a row costs more to begin and to end than to sum; so a
 * vector loop walks many of them, and what follows is done for all of their results at once.
 */
final class RowTotals {
  /** Vectors from which on rows have several accumulators, and are worth a loop each. */
  private static final int LONG = 8;

  private RowTotals() {}

  static boolean suit(Kernel kernel) {
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
