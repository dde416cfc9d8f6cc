package tapedeck.tornado;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Phase;

/** Phases of a kernel over other parameters, in which the old ones may lie at an offset. */
final class Rebinding {
  /**
   * Where a parameter's elements are.
   *
   * @param param the parameter that takes its place
   * @param offset its first element there
   */
  record Place(int param, long offset) {}

  private final Map<Integer, Place> places;
  private final Map<Expr, Expr> done = new IdentityHashMap<>();

  /**
   * @param places new place of every parameter that the phases touch
   */
  Rebinding(Map<Integer, Place> places) {
    this.places = Map.copyOf(places);
  }

  List<Phase> phases(List<Phase> phases) {
    return phases.stream().map(this::phase).toList();
  }

  private Phase phase(Phase p) {
    return switch (p) {
      case Phase.Reduce r ->
          new Phase.Reduce(
              r.loops(),
              r.accs().stream()
                  .map(a -> new Phase.Accumulator(a.id(), a.reducer(), a.dtype(), value(a.value())))
                  .toList());
      case Phase.Emit e -> new Phase.Emit(e.loops(), e.stores().stream().map(this::store).toList());
      case Phase.ScatterAdd s ->
          new Phase.ScatterAdd(s.loops(), bounds(s.bounds()), store(s.store()));
    };
  }

  private Phase.Store store(Phase.Store s) {
    Place p = places.get(s.param());
    return new Phase.Store(p.param(), index(s.index()).plus(p.offset()), value(s.value()));
  }

  private List<Expr.Bound> bounds(List<Expr.Bound> bounds) {
    return bounds.stream().map(b -> new Expr.Bound(index(b.index()), b.lo(), b.hi())).toList();
  }

  private Expr value(Expr e) {
    Expr known = done.get(e);
    if (known == null) {
      known =
          switch (e) {
            case Expr.Const c -> c;
            case Expr.Acc a -> a;
            case Expr.Load l -> {
              Place p = places.get(l.param());
              yield new Expr.Load(p.param(), l.dtype(), index(l.index()).plus(p.offset()));
            }
            case Expr.IndexValue v -> new Expr.IndexValue(index(v.index()));
            case Expr.Apply a ->
                new Expr.Apply(a.op(), a.dtype(), a.args().stream().map(this::value).toList());
            case Expr.Guarded g ->
                new Expr.Guarded(bounds(g.bounds()), value(g.value()), value(g.otherwise()));
          };
      done.put(e, known);
    }
    return known;
  }

  private Index index(Index i) {
    return i.isAffine()
        ? i
        : new Index(
            i.base(),
            i.terms().stream().map(t -> new Index.Term(t.coef(), atom(t.atom()))).toList());
  }

  private Index.Atom atom(Index.Atom a) {
    return switch (a) {
      case Index.Var v -> v;
      case Index.Div d -> new Index.Div(index(d.arg()), d.by());
      case Index.Mod m -> new Index.Mod(index(m.arg()), m.by());
      case Index.Dyn d -> new Index.Dyn(value(d.value()), d.extent());
    };
  }
}
