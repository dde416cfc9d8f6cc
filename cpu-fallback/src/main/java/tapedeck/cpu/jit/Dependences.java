package tapedeck.cpu.jit;

import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;

/** The loops with which expressions of a kernel change. */
final class Dependences {
  private final Map<Integer, Set<Loop>> accs = new HashMap<>();
  private final IdentityHashMap<Expr, Set<Loop>> known = new IdentityHashMap<>();

  /** The loops with which an accumulator of an earlier phase changes; none unless said. */
  void acc(int id, Set<Loop> loops) {
    accs.put(id, loops);
  }

  Set<Loop> of(Expr e) {
    Set<Loop> d = known.get(e);
    if (d == null) {
      d = new HashSet<>();
      switch (e) {
        case Expr.Const c -> {}
        case Expr.Acc a -> d.addAll(accs.getOrDefault(a.id(), Set.of()));
        case Expr.Load l -> add(l.index(), d);
        case Expr.IndexValue v -> add(v.index(), d);
        case Expr.Apply a -> {
          for (Expr x : a.args()) {
            d.addAll(of(x));
          }
        }
        case Expr.Guarded g -> {
          for (Expr.Bound b : g.bounds()) {
            add(b.index(), d);
          }
          d.addAll(of(g.value()));
          d.addAll(of(g.otherwise()));
        }
      }
      known.put(e, d);
    }
    return d;
  }

  private void add(Index index, Set<Loop> into) {
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> into.add(v.loop());
        case Index.Div x -> add(x.arg(), into);
        case Index.Mod x -> add(x.arg(), into);
        case Index.Dyn x -> into.addAll(of(x.value()));
      }
    }
  }
}
