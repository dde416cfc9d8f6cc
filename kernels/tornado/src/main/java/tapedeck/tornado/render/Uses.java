package tapedeck.tornado.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/** Which buffers and accumulators parts of a kernel touch. */
public final class Uses {
  private Uses() {}

  /**
   * {@return the parameters that a kernel really touches, in order}
   *
   * @param kernel any kernel
   */
  public static List<Integer> params(Kernel kernel) {
    Set<Integer> out = new TreeSet<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Phase p : kernel.phases()) {
      for (Expr e : reachable(roots(p), seen)) {
        if (e instanceof Expr.Load l) {
          out.add(l.param());
        }
      }
      switch (p) {
        case Phase.Reduce r -> {}
        case Phase.Emit e -> e.stores().forEach(s -> out.add(s.param()));
        case Phase.ScatterAdd s -> out.add(s.store().param());
      }
    }
    return List.copyOf(out);
  }

  /**
   * {@return the accumulators that a phase reads}
   *
   * @param phase any phase
   */
  public static Set<Integer> accumulators(Phase phase) {
    Set<Integer> out = new TreeSet<>();
    for (Expr e : reachable(roots(phase), Collections.newSetFromMap(new IdentityHashMap<>()))) {
      if (e instanceof Expr.Acc a) {
        out.add(a.id());
      }
    }
    return out;
  }

  /** Number of distinct expression nodes of a phase. */
  static int nodes(Phase phase) {
    return reachable(roots(phase), Collections.newSetFromMap(new IdentityHashMap<>())).size();
  }

  /** Number of a phase's loads whose neighbours along a loop are neighbours. */
  static long contiguous(Phase phase, Loop along) {
    return reachable(roots(phase), Collections.newSetFromMap(new IdentityHashMap<>())).stream()
        .filter(e -> e instanceof Expr.Load l && l.index().coef(along) == 1)
        .count();
  }

  /** Expressions of a phase, those inside its indices too. */
  private static List<Expr> roots(Phase p) {
    List<Expr> out = new ArrayList<>();
    switch (p) {
      case Phase.Reduce r -> r.accs().forEach(a -> out.add(a.value()));
      case Phase.Emit e ->
          e.stores()
              .forEach(
                  s -> {
                    out.add(s.value());
                    out.add(new Expr.IndexValue(s.index()));
                  });
      case Phase.ScatterAdd s -> {
        out.add(s.store().value());
        out.add(new Expr.IndexValue(s.store().index()));
        s.bounds().forEach(b -> out.add(new Expr.IndexValue(b.index())));
      }
    }
    return out;
  }

  /** All nodes under some roots that have not been seen before, each once. */
  private static List<Expr> reachable(List<Expr> roots, Set<Expr> seen) {
    List<Expr> out = new ArrayList<>();
    List<Expr> todo = new ArrayList<>(roots);
    while (!todo.isEmpty()) {
      Expr e = todo.removeLast();
      if (seen.add(e)) {
        out.add(e);
        todo.addAll(e.children());
      }
    }
    return out;
  }
}
