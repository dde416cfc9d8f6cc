package tapedeck.cpu.fast;

import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/** Estimated time of a plan in scalar instructions. */
final class PlanCost {
  private PlanCost() {}

  static double of(Plan p) {
    double total = 0;
    for (Plan.Step s : p.steps) {
      for (Node n : Plan.reach(s.roots())) {
        total += node(p, s, n);
      }
      for (int i = 0; i < s.addresses().size(); i++) {
        total += store(p, s, s.addresses().get(i), s.values().get(i).type);
      }
      if (s.phase() instanceof Phase.Reduce) {
        // An accumulation, and combining lanes at the end.
        total += count(p, s, Integer.MAX_VALUE) * s.values().size() / (s.vectors() ? p.lanes : 1);
        if (s.vectors() && p.strategy == Plan.Strategy.INNER) {
          total += count(p, s, 2) * s.values().size() * 2 * p.lanes;
        }
      }
    }
    return total;
  }

  /** How often code at a level runs, with vectors counted as the lanes that they fill. */
  private static double count(Plan p, Plan.Step s, int level) {
    double c = 1;
    for (int i = 0; i < p.grid.size(); i++) {
      if (level >= (i < p.grid.size() - 1 ? 1 : 2)) {
        c *= extent(p, s, p.grid.get(i));
      }
    }
    for (int i = 0; i < s.loops().size(); i++) {
      if (level >= 3 + i) {
        c *= extent(p, s, s.loops().get(i));
      }
    }
    return c;
  }

  private static double extent(Plan p, Plan.Step s, Loop l) {
    if (l.id() != s.variation().loop || p.lanes == 0) {
      return l.extent();
    }
    long vectors = (l.extent() + p.lanes - 1) / p.lanes;
    return (double) (vectors * p.lanes);
  }

  private static double node(Plan p, Plan.Step s, Node n) {
    if (n.isConst() || n.op == Op.PARAM || n.op == Op.VAR || n.op == Op.ACC) {
      return 0;
    }
    double c = count(p, s, p.level(n, s));
    double w =
        switch (n.op) {
          case CALL -> n.type == Type.I32 ? 8 : 40;
          case DIV, REM, SQRT -> 4;
          case LOAD -> s.variation().varies(n) && n.in.size() > 1 ? 2 : 1.5;
          default -> n.type == Type.INDEX ? 0.25 : 1;
        };
    if (!s.variation().isVector(n)) {
      return c * w;
    }
    if (s.variation().isIrregular(n)) {
      return c * (w + 1.5);
    }
    return n.op == Op.CALL ? c * (w + 1) : c * w / p.lanes;
  }

  private static double store(Plan p, Plan.Step s, Node address, Type type) {
    double c = count(p, s, Integer.MAX_VALUE);
    if (!s.vectors()) {
      return c * 1.5;
    }
    boolean contiguous =
        s.variation().isAffine(address) && s.variation().stride(address) == type.bytes;
    return contiguous ? c * 1.5 / p.lanes : c * 3;
  }
}
