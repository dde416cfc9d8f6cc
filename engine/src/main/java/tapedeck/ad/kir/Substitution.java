package tapedeck.ad.kir;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Rewrites expressions with an index in place of each loop. Equal results become one node, which
 * backends evaluate once.
 */
public final class Substitution {
  private final Map<Loop, Index> replacement;
  private final Map<Expr, Expr> rewritten = new IdentityHashMap<>();
  private final Map<Expr, Expr> shared = new HashMap<>();

  /**
   * A substitution.
   *
   * @param replacement what stands for a loop; other loops stay; may change before it is used
   */
  public Substitution(Map<Loop, Index> replacement) {
    this.replacement = replacement;
  }

  /** From here on, expressions share no nodes with those before. */
  public void forget() {
    rewritten.clear();
    shared.clear();
  }

  /**
   * {@return a store with the loops replaced}
   *
   * @param s a store
   */
  public Phase.Store store(Phase.Store s) {
    return new Phase.Store(s.param(), index(s.index()), expr(s.value()));
  }

  /**
   * {@return bounds with the loops replaced}
   *
   * @param bounds conditions on indices
   */
  public List<Expr.Bound> bounds(List<Expr.Bound> bounds) {
    return bounds.stream().map(b -> new Expr.Bound(index(b.index()), b.lo(), b.hi())).toList();
  }

  /**
   * {@return an expression with the loops replaced}
   *
   * @param e an expression
   */
  public Expr expr(Expr e) {
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
      Expr before = shared.putIfAbsent(known, known);
      known = before == null ? known : before;
      rewritten.put(e, known);
    }
    return known;
  }

  /**
   * {@return an index with the loops replaced}
   *
   * @param i an index
   */
  public Index index(Index i) {
    Index out = Index.of(i.base());
    for (Index.Term t : i.terms()) {
      Index atom =
          switch (t.atom()) {
            case Index.Var v -> replacement.getOrDefault(v.loop(), Index.of(v.loop()));
            case Index.Div d -> index(d.arg()).div(d.by());
            case Index.Mod m -> index(m.arg()).mod(m.by());
            case Index.Dyn d -> Index.of(expr(d.value()), d.extent());
          };
      out = out.plus(atom.times(t.coef()));
    }
    return out;
  }
}
