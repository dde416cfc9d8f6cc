package tapedeck.ad.schedule;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;

/** Decides whether a kernel may write a result over an operand. */
final class InPlace {
  private InPlace() {}

  /**
   * Whether every read of parameter {@code in} is of the very element that the same loop point writes to parameter
   * {@code out}, in the same phase or an earlier one.
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
              at = s.index();
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
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < k.phases().size(); i++) {
      List<Expr> values =
          switch (k.phases().get(i)) {
            case Phase.Reduce r -> r.accs().stream().map(Phase.Accumulator::value).toList();
            case Phase.Emit e -> e.stores().stream().map(Phase.Store::value).toList();
            case Phase.ScatterAdd s -> List.of(s.store().value());
          };
      for (Expr value : values) {
        // A node that an earlier phase shares was checked there, but this phase may not read at all.
        if (i > phase ? reads(value, in) : !readsOnlyAt(value, in, at, seen)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean reads(Expr e, int param) {
    return !readsOnlyAt(e, param, null, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  /** Whether an expression reads the parameter only at this index, or nowhere if the index is null. */
  private static boolean readsOnlyAt(Expr e, int param, Index at, Set<Expr> seen) {
    if (!seen.add(e)) {
      return true;
    }
    if (e instanceof Expr.Load l && l.param() == param && !l.index().equals(at)) {
      return false;
    }
    for (Expr c : e.children()) {
      if (!readsOnlyAt(c, param, at, seen)) {
        return false;
      }
    }
    return true;
  }
}
