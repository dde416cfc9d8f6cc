package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/** What strategies and index types are chosen by: the loads, indices and types of a kernel. */
final class Facts {
  private final Kernel kernel;
  private final List<Expr> exprs = new ArrayList<>();
  private final List<Index> indices = new ArrayList<>();

  Facts(Kernel kernel) {
    this.kernel = kernel;
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Phase p : kernel.phases()) {
      for (Expr root : roots(p)) {
        walk(root, seen);
      }
      for (Index i : indices(p)) {
        add(i, seen);
      }
    }
  }

  /** Values that a phase computes, those inside its indices not included. */
  static List<Expr> roots(Phase p) {
    List<Expr> out = new ArrayList<>();
    switch (p) {
      case Phase.Reduce r -> r.accs().forEach(a -> out.add(a.value()));
      case Phase.Emit e -> e.stores().forEach(s -> out.add(s.value()));
      case Phase.ScatterAdd s -> out.add(s.store().value());
    }
    return out;
  }

  /** Indices that a phase itself holds: of its stores and bounds. */
  static List<Index> indices(Phase p) {
    List<Index> out = new ArrayList<>();
    switch (p) {
      case Phase.Reduce r -> {}
      case Phase.Emit e -> e.stores().forEach(s -> out.add(s.index()));
      case Phase.ScatterAdd s -> {
        out.add(s.store().index());
        s.bounds().forEach(b -> out.add(b.index()));
      }
    }
    return out;
  }

  private void walk(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    exprs.add(e);
    switch (e) {
      case Expr.Const c -> {}
      case Expr.Acc a -> {}
      case Expr.Load l -> add(l.index(), seen);
      case Expr.IndexValue v -> add(v.index(), seen);
      case Expr.Apply a -> a.args().forEach(x -> walk(x, seen));
      case Expr.Guarded g -> {
        g.bounds().forEach(b -> add(b.index(), seen));
        walk(g.value(), seen);
        walk(g.otherwise(), seen);
      }
    }
  }

  private void add(Index i, Set<Expr> seen) {
    indices.add(i);
    for (Index.Term t : i.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {}
        case Index.Div d -> add(d.arg(), seen);
        case Index.Mod m -> add(m.arg(), seen);
        case Index.Dyn d -> walk(d.value(), seen);
      }
    }
  }

  List<Expr> exprs() {
    return exprs;
  }

  List<Index> indices() {
    return indices;
  }

  void loads(Consumer<Expr.Load> sink) {
    for (Expr e : exprs) {
      if (e instanceof Expr.Load l) {
        sink.accept(l);
      }
    }
  }

  /** Whether a value or parameter of this type occurs. */
  boolean uses(DType t) {
    return exprs.stream().anyMatch(e -> e.dtype() == t)
        || kernel.params().stream().anyMatch(p -> p.dtype() == t)
        || kernel.phases().stream()
            .anyMatch(
                p ->
                    p instanceof Phase.Reduce r && r.accs().stream().anyMatch(a -> a.dtype() == t));
  }

  /** Size of the widest element type that is computed with. */
  int widestBytes() {
    int w = 1;
    for (Expr e : exprs) {
      w = Math.max(w, e.dtype().bytes());
    }
    return w;
  }

  /** Whether 32-bit signed arithmetic holds every index and every partial sum of one. */
  boolean fits32() {
    if (kernel.points() > LIMIT) {
      return false;
    }
    for (Phase p : kernel.phases()) {
      long e = 1;
      for (Loop l : p.loops()) {
        e *= l.extent();
      }
      if (e > LIMIT) {
        return false;
      }
    }
    return indices.stream().allMatch(i -> magnitude(i) <= LIMIT)
        && kernel.params().stream().allMatch(p -> p.elements() <= LIMIT);
  }

  // Room below 2^31 so that rounding a size up to whole tiles or groups cannot overflow.
  private static final long LIMIT = Integer.MAX_VALUE - (1 << 24);

  private static long magnitude(Index i) {
    double sum = Math.abs((double) i.base());
    for (Index.Term t : i.terms()) {
      double max =
          switch (t.atom()) {
            case Index.Var v -> v.loop().extent();
            case Index.Div d -> magnitude(d.arg());
            case Index.Mod m -> Math.max(m.by(), magnitude(m.arg()));
            case Index.Dyn d -> d.extent();
          };
      sum += Math.abs((double) t.coef()) * max;
    }
    return sum > 0x1p62 ? 1L << 62 : (long) sum;
  }
}
