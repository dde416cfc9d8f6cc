package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/**
 * How the memory accesses of some phases step along a loop.
 *
 * @param contiguous accesses to consecutive elements
 * @param strided accesses that move in any other way
 * @param blocked whether the loop cannot become lanes of a vector at all
 * @param work rough number of instructions of one grid point
 */
record Access(int contiguous, int strided, boolean blocked, long work) {

  /**
   * @param accs whether accumulators would be lanes as well
   */
  static Access of(Writer w, List<Phase> phases, Loop loop, boolean accs) {
    int good = 0;
    int bad = 0;
    boolean blocked = false;
    long work = 0;
    for (Phase p : phases) {
      blocked |= p instanceof Phase.ScatterAdd;
      Reach reach = new Reach();
      Facts.roots(p).forEach(reach::walk);
      Facts.indices(p).forEach(i -> Graph.dynamic(i).forEach(reach::walk));
      List<Index> indices = new ArrayList<>();
      for (Expr e : reach.exprs) {
        switch (e) {
          case Expr.Load l -> indices.add(l.index());
          case Expr.Guarded g -> blocked |= w.laneDependent(g.bounds(), loop, accs);
          case Expr.Const c -> {}
          case Expr.Acc a -> {}
          case Expr.IndexValue v -> {}
          case Expr.Apply a -> {}
        }
      }
      if (p instanceof Phase.Emit e) {
        e.stores().forEach(s -> indices.add(s.index()));
      }
      work += Contraction.extent(p.loops()) * reach.cost();
      for (Index i : indices) {
        long c = i.coef(loop);
        boolean depends = w.graph.dependsOn(i, loop) || (accs && w.graph.dependsOnAccs(i));
        if (depends && (c == 1 || c == -1)) {
          good++;
        } else if (depends) {
          bad++;
        }
      }
    }
    return new Access(good, bad, blocked, work);
  }

  boolean mostlyContiguous() {
    return contiguous > strided;
  }

  boolean worthLanes() {
    return !blocked && mostlyContiguous();
  }

  /** Expressions reachable from some roots, each once. */
  private static final class Reach {
    final List<Expr> exprs = new ArrayList<>();
    private final Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    void walk(Expr e) {
      if (seen.add(e)) {
        exprs.add(e);
        e.children().forEach(this::walk);
      }
    }

    long cost() {
      long c = 1;
      for (Expr e : exprs) {
        c += e instanceof Expr.Apply a ? a.op().cost() : 1;
      }
      return c;
    }
  }
}
