package tapedeck.ad.schedule;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Lowering;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Op;

/**
 * Decides which variables are computed once ("roots") and which are recomputed by everything that
 * uses them. Reductions, products, scatters and outputs are roots. A map is inlined if one equation
 * uses it, or if computing it again is cheap and moves no more bytes than storing it would.
 */
final class Roots {
  /** Cheap instructions that may be repeated rather than stored. */
  private static final int CHEAP = 6;

  /** Cost from which a value is not recomputed for every element it is broadcast to. */
  private static final int COSTLY = 8;

  /** Cost that packing an operand of a product may repeat. */
  private static final int PROLOGUE = 4;

  private final Map<Var, Eqn> producers;
  private final Set<Var> roots = new HashSet<>();
  private final Map<Var, Integer> uses = new HashMap<>();
  private final Map<Var, Integer> cost = new HashMap<>();
  private final Map<Var, Integer> loads = new HashMap<>();
  private final Map<Var, Integer> ops = new HashMap<>();
  private final Set<Var> derived = new HashSet<>();

  private Roots(Map<Var, Eqn> producers) {
    this.producers = producers;
  }

  static Set<Var> choose(Tape tape, Map<Var, Eqn> producers, boolean all) {
    Roots r = new Roots(producers);
    for (Eqn e : tape.eqns()) {
      new HashSet<>(e.ins()).forEach(v -> r.uses.merge(v, 1, Integer::sum));
    }
    r.roots.addAll(tape.outputs());
    for (Eqn e : tape.eqns()) {
      r.visit(e, all);
    }
    return r.roots;
  }

  /**
   * Size of a map in a kernel's code, in cheap instructions; a library function may be compiled
   * inline.
   */
  static int weight(Lowering.Map m) {
    return m.cost() >= 50 ? 80 : m.cost() >= 12 ? 6 : m.cost() > 0 ? 1 : 0;
  }

  private boolean isLeaf(Var v) {
    return roots.contains(v) || !producers.containsKey(v);
  }

  private static Lowering lowering(Eqn e) {
    return ((Op) e.primitive()).lower();
  }

  private void visit(Eqn e, boolean all) {
    Var v = e.out();
    switch (lowering(e)) {
      case Lowering.Map m -> {
        int c = m.cost();
        int l = 0;
        int n = weight(m);
        for (Var in : e.ins()) {
          boolean leaf = isLeaf(in);
          if (roots.contains(in) || derived.contains(in)) {
            derived.add(v);
          }
          boolean large = in.aval().shape().size() * 4 >= v.aval().shape().size();
          c += leaf ? 0 : cost.get(in);
          n += leaf ? 0 : ops.get(in);
          l += leaf ? (large ? 1 : 0) : loads.get(in);
        }
        cost.put(v, c);
        loads.put(v, l);
        ops.put(v, n);
        int u = uses.getOrDefault(v, 0);
        boolean storeIsCheaper = u > 1 && c > 0 && (c > CHEAP || l * u > l + 1 + u);
        if (all || (m.cost() > 0 && (storeIsCheaper || n > Group.OPS_LIMIT / 4))) {
          roots.add(v);
        }
        if (e.primitive() instanceof Movement.Pad
            || e.primitive() instanceof Movement.Concatenate) {
          // What stands under a guard can be neither shared nor put into vectors.
          e.ins().forEach(in -> store(in, 3 * COSTLY));
        }
        if (e.primitive() instanceof Movement.Broadcast) {
          Var in = e.ins().get(0);
          if (v.aval().shape().size() >= 4 * in.aval().shape().size()) {
            store(in, COSTLY);
          }
        }
      }
      case Lowering.Reduction r -> roots.add(v);
      case Lowering.Product p -> {
        // What another kernel's results make can be an epilogue there, and then costs nothing here.
        e.ins().forEach(in -> store(in, derived.contains(in) ? 0 : PROLOGUE));
        roots.add(v);
      }
      case Lowering.Scatter s -> {
        store(e.ins().get(0), 3 * COSTLY);
        roots.add(v);
      }
    }
  }

  /** Makes the value behind a chain of views a root if it costs more than the limit. */
  private void store(Var v, int limit) {
    while (!isLeaf(v) && cost.get(v) > limit) {
      Eqn e = producers.get(v);
      List<Var> in = e.ins();
      if (((Lowering.Map) lowering(e)).cost() > 0 || in.size() != 1) {
        roots.add(v);
        return;
      }
      v = in.get(0);
    }
  }
}
