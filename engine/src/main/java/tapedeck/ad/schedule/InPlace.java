package tapedeck.ad.schedule;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/** Decides whether a kernel may write a result over an operand. */
final class InPlace {
  private InPlace() {}

  /**
   * Whether every read of parameter {@code in} is of the very element that the same loop point
   * writes to parameter {@code out}, in the same phase or an earlier one.
   */
  static boolean allowed(Kernel k, int in, int out) {
    Index at = null;
    int phase = -1;
    for (int i = 0; i < k.phases().size(); i++) {
      switch (k.phases().get(i)) {
        case Phase.Reduce r -> {}
        case Phase.Emit e -> {
          for (Phase.Store s : e.stores()) {
            if (s.param() == out) {
              at = byPosition(s.index(), e.loops());
              phase = i;
            }
          }
        }
        case Phase.ScatterAdd s -> {
          return false;
        }
      }
    }
    if (at == null) {
      return false;
    }
    for (int i = 0; i < k.phases().size(); i++) {
      List<Loop> loops = k.phases().get(i).loops();
      boolean same = extents(loops).equals(extents(k.phases().get(phase).loops()));
      Index allowed = i > phase || !same ? null : at;
      Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      List<Expr> values =
          switch (k.phases().get(i)) {
            case Phase.Reduce r -> r.accs().stream().map(Phase.Accumulator::value).toList();
            case Phase.Emit e -> e.stores().stream().map(Phase.Store::value).toList();
            case Phase.ScatterAdd s -> List.of(s.store().value());
          };
      for (Expr value : values) {
        if (!readsOnlyAt(value, in, allowed, loops, seen)) {
          return false;
        }
      }
    }
    return true;
  }

  private static List<Long> extents(List<Loop> loops) {
    return loops.stream().map(Loop::extent).toList();
  }

  /** An index in terms of its phase's loops by position, so that phases compare. */
  private static Index byPosition(Index index, List<Loop> loops) {
    return index.rename(l -> loops.contains(l) ? new Loop(-1 - loops.indexOf(l), l.extent()) : l);
  }

  /**
   * Whether an expression reads the parameter only at this index, or nowhere if the index is null.
   */
  private static boolean readsOnlyAt(
      Expr e, int param, Index at, List<Loop> loops, Set<Expr> seen) {
    if (!seen.add(e)) {
      return true;
    }
    if (e instanceof Expr.Load l
        && l.param() == param
        && !byPosition(l.index(), loops).equals(at)) {
      return false;
    }
    for (Expr c : e.children()) {
      if (!readsOnlyAt(c, param, at, loops, seen)) {
        return false;
      }
    }
    return true;
  }
}
