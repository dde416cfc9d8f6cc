package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/**
 * Merges adjacent loops that every index steps through as one, and drops loops of extent 1: a contiguous tensor of any
 * rank becomes one long loop, which vectorises better and needs no division to find a point.
 */
final class Collapse {
  private final Map<Integer, Loop> renamed;
  private final List<Integer> dropped;
  private final IdentityHashMap<Expr, Expr> done = new IdentityHashMap<>();

  private Collapse(Map<Integer, Loop> renamed, List<Integer> dropped) {
    this.renamed = renamed;
    this.dropped = dropped;
  }

  /** An equal kernel with fewer loops; a contraction annotation does not survive. */
  static Kernel apply(Kernel k) {
    List<Index> indices = new Facts(k).indices();
    Map<Integer, Loop> renamed = new java.util.HashMap<>();
    List<Integer> dropped = new ArrayList<>();
    List<Loop> grid = merge(k.grid(), indices, renamed, dropped);
    List<List<Loop>> loops = new ArrayList<>();
    for (Phase p : k.phases()) {
      loops.add(merge(p.loops(), indices, renamed, dropped));
    }
    if (renamed.isEmpty() && dropped.isEmpty()) {
      return new Kernel(k.params(), k.grid(), k.phases(), Optional.empty());
    }
    Collapse c = new Collapse(renamed, dropped);
    List<Phase> phases = new ArrayList<>();
    for (int i = 0; i < k.phases().size(); i++) {
      phases.add(c.phase(k.phases().get(i), loops.get(i)));
    }
    return new Kernel(k.params(), grid, phases, Optional.empty());
  }

  private static List<Loop> merge(
      List<Loop> loops, List<Index> indices, Map<Integer, Loop> renamed, List<Integer> dropped) {
    List<Loop> out = new ArrayList<>();
    for (Loop l : loops) {
      if (l.extent() == 1) {
        dropped.add(l.id());
        continue;
      }
      Loop last = out.isEmpty() ? null : out.getLast();
      if (last != null && together(last, l, indices)) {
        dropped.add(last.id());
        renamed.remove(last.id());
        Loop joined = new Loop(l.id(), last.extent() * l.extent());
        renamed.put(l.id(), joined);
        out.set(out.size() - 1, joined);
      } else {
        out.add(l);
      }
    }
    return out;
  }

  private static boolean together(
      Loop outer, Loop inner, List<Index> indices) {
    for (Index i : indices) {
      long a = coef(i, outer.id());
      long b = coef(i, inner.id());
      if (a != b * inner.extent()) {
        return false;
      }
    }
    return true;
  }

  private static long coef(Index index, int loop) {
    for (Index.Term t : index.terms()) {
      if (t.atom() instanceof Index.Var v && v.loop().id() == loop) {
        return t.coef();
      }
    }
    return 0;
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
    Expr known = done.get(e);
    if (known != null) {
      return known;
    }
    Expr out =
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
    done.put(e, out);
    return out;
  }

  private Index index(Index i) {
    List<Index.Term> terms = new ArrayList<>();
    for (Index.Term t : i.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {
          Loop l = renamed.get(v.loop().id());
          if (l != null) {
            terms.add(new Index.Term(t.coef(), new Index.Var(l)));
          } else if (!dropped.contains(v.loop().id())) {
            terms.add(t);
          }
        }
        case Index.Div d -> terms.add(new Index.Term(t.coef(), new Index.Div(index(d.arg()), d.by())));
        case Index.Mod m -> terms.add(new Index.Term(t.coef(), new Index.Mod(index(m.arg()), m.by())));
        case Index.Dyn d -> terms.add(new Index.Term(t.coef(), new Index.Dyn(expr(d.value()), d.extent())));
      }
    }
    return new Index(i.base(), List.copyOf(terms));
  }
}
