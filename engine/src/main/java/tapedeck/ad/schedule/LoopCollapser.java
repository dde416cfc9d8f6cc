package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Substitution;

/**
 * Joins neighbouring loops that every index of a kernel walks as one, such as the rows and columns
 * of a contiguous matrix, and numbers loops in order, each phase its own. Backends see fewer and
 * longer loops, and equal kernels become equal records.
 */
final class LoopCollapser {
  private final Kernel kernel;
  private final Set<Index> indices = new HashSet<>();
  private final Map<Loop, Index> replacement = new LinkedHashMap<>();
  private final Substitution with = new Substitution(replacement);
  private int next;

  private LoopCollapser(Kernel kernel) {
    this.kernel = kernel;
    Set<Expr> seen = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
    for (Phase p : kernel.phases()) {
      switch (p) {
        case Phase.Reduce r -> r.accs().forEach(a -> collect(a.value(), seen));
        case Phase.Emit e -> e.stores().forEach(s -> collect(s, seen));
        case Phase.ScatterAdd s -> {
          s.bounds().forEach(b -> collect(b.index(), seen));
          collect(s.store(), seen);
        }
      }
    }
  }

  static Kernel collapse(Kernel kernel) {
    return new LoopCollapser(kernel).run();
  }

  private void collect(Phase.Store s, Set<Expr> seen) {
    collect(s.index(), seen);
    collect(s.value(), seen);
  }

  private void collect(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    switch (e) {
      case Expr.Const c -> {}
      case Expr.Acc a -> {}
      case Expr.Load l -> collect(l.index(), seen);
      case Expr.IndexValue v -> collect(v.index(), seen);
      case Expr.Apply a -> a.args().forEach(x -> collect(x, seen));
      case Expr.Guarded g -> {
        g.bounds().forEach(b -> collect(b.index(), seen));
        collect(g.value(), seen);
        collect(g.otherwise(), seen);
      }
    }
  }

  private void collect(Index index, Set<Expr> seen) {
    if (!indices.add(index)) {
      return;
    }
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {}
        case Index.Div d -> collect(d.arg(), seen);
        case Index.Mod m -> collect(m.arg(), seen);
        case Index.Dyn d -> collect(d.value(), seen);
      }
    }
  }

  private Kernel run() {
    List<Loop> grid = new ArrayList<>();
    Optional<Contraction> old = kernel.contraction();
    if (old.isPresent()) {
      Contraction c = old.get();
      List<Loop> batch = join(c.batch());
      List<Loop> m = join(c.m());
      List<Loop> n = join(c.n());
      grid.addAll(batch);
      grid.addAll(m);
      grid.addAll(n);
      List<Loop> k = join(c.k());
      List<Phase> phases = new ArrayList<>();
      phases.add(phase(kernel.phases().get(0), k));
      phases.add(phase(kernel.phases().get(1), List.of()));
      Contraction renewed =
          new Contraction(batch, m, n, k, with.expr(c.lhs()), with.expr(c.rhs()), c.precision());
      return new Kernel(kernel.params(), List.copyOf(grid), phases, Optional.of(renewed));
    }
    grid.addAll(join(kernel.grid()));
    List<Phase> phases = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      // Each phase gets loops of its own, and with them expressions of its own.
      with.forget();
      List<Loop> loops = join(p.loops());
      phases.add(phase(p, loops));
    }
    return new Kernel(kernel.params(), List.copyOf(grid), phases, Optional.empty());
  }

  /** Joins what can be joined in one loop nest and numbers the result. */
  private List<Loop> join(List<Loop> loops) {
    List<List<Loop>> runs = new ArrayList<>();
    for (Loop l : loops) {
      if (!runs.isEmpty() && walksAsOne(runs.getLast().getLast(), l)) {
        runs.getLast().add(l);
      } else {
        runs.add(new ArrayList<>(List.of(l)));
      }
    }
    List<Loop> out = new ArrayList<>();
    for (List<Loop> run : runs) {
      Loop whole = new Loop(next++, Contraction.extent(run));
      out.add(whole);
      long inner = 1;
      for (int i = run.size() - 1; i >= 0; i--) {
        long extent = run.get(i).extent();
        Index part = Index.of(whole).div(inner);
        replacement.put(run.get(i), i == 0 ? part : part.mod(extent));
        inner *= extent;
      }
    }
    return List.copyOf(out);
  }

  private boolean walksAsOne(Loop outer, Loop inner) {
    for (Index i : indices) {
      if (i.coef(outer) != i.coef(inner) * inner.extent()) {
        return false;
      }
    }
    return true;
  }

  private Phase phase(Phase p, List<Loop> loops) {
    return switch (p) {
      case Phase.Reduce r ->
          new Phase.Reduce(
              loops,
              r.accs().stream()
                  .map(
                      a ->
                          new Phase.Accumulator(
                              a.id(), a.reducer(), a.dtype(), with.expr(a.value())))
                  .toList());
      case Phase.Emit e -> new Phase.Emit(loops, e.stores().stream().map(with::store).toList());
      case Phase.ScatterAdd s ->
          new Phase.ScatterAdd(loops, with.bounds(s.bounds()), with.store(s.store()));
    };
  }
}
