package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashMap;
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

/**
 * Joins neighbouring loops that every index of a kernel walks as one, such as the rows and columns
 * of a contiguous matrix, and numbers loops in order, each phase its own. Backends see fewer and
 * longer loops, and equal kernels become equal records.
 */
final class LoopCollapser {
  private final Kernel kernel;
  private final Set<Index> indices = new HashSet<>();
  private final Map<Loop, Index> replacement = new LinkedHashMap<>();
  private final IdentityHashMap<Expr, Expr> rewritten = new IdentityHashMap<>();
  private final Map<Expr, Expr> shared = new HashMap<>();
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
          new Contraction(batch, m, n, k, expr(c.lhs()), expr(c.rhs()), c.precision());
      return new Kernel(kernel.params(), List.copyOf(grid), phases, Optional.of(renewed));
    }
    grid.addAll(join(kernel.grid()));
    List<Phase> phases = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      // Each phase gets loops of its own, and with them expressions of its own.
      rewritten.clear();
      shared.clear();
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
                  .map(a -> new Phase.Accumulator(a.id(), a.reducer(), a.dtype(), expr(a.value())))
                  .toList());
      case Phase.Emit e -> new Phase.Emit(loops, e.stores().stream().map(this::store).toList());
      case Phase.ScatterAdd s -> new Phase.ScatterAdd(loops, bounds(s.bounds()), store(s.store()));
    };
  }

  private Phase.Store store(Phase.Store s) {
    return new Phase.Store(s.param(), index(s.index()), expr(s.value()));
  }

  private List<Expr.Bound> bounds(List<Expr.Bound> bounds) {
    return bounds.stream().map(b -> new Expr.Bound(index(b.index()), b.lo(), b.hi())).toList();
  }

  private Expr expr(Expr e) {
    Expr known = rewritten.get(e);
    if (known == null) {
      known =
          switch (e) {
            case Expr.Const c -> c;
            case Expr.Acc a -> a;
            case Expr.Load l -> new Expr.Load(l.param(), l.dtype(), index(l.index()));
            case Expr.IndexValue v -> new Expr.IndexValue(index(v.index()));
            case Expr.Apply a ->
                new Expr.Apply(a.op(), a.dtype(), a.args().stream().map(this::expr).toList());
            case Expr.Guarded g ->
                new Expr.Guarded(bounds(g.bounds()), expr(g.value()), expr(g.otherwise()));
          };
      // Equal expressions become one node, which backends evaluate once.
      Expr before = shared.putIfAbsent(known, known);
      known = before == null ? known : before;
      rewritten.put(e, known);
    }
    return known;
  }

  private Index index(Index i) {
    Index out = Index.of(i.base());
    for (Index.Term t : i.terms()) {
      Index atom =
          switch (t.atom()) {
            case Index.Var v -> replacement.get(v.loop());
            case Index.Div d -> index(d.arg()).div(d.by());
            case Index.Mod m -> index(m.arg()).mod(m.by());
            case Index.Dyn d -> Index.of(expr(d.value()), d.extent());
          };
      out = out.plus(atom.times(t.coef()));
    }
    return out;
  }
}
