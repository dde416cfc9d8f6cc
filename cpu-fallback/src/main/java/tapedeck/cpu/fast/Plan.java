package tapedeck.cpu.fast;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/**
 * How a kernel is run: the order of its loops, the loop over which vectors run, and its nodes. The
 * choice depends on the kernel and the machine's vectors alone, so results do not depend on
 * threads.
 */
final class Plan {
  /** Scalars only; vectors over grid points (the last grid loop); vectors inside phases. */
  enum Strategy {
    SCALAR,
    POINTS,
    INNER
  }

  /**
   * A phase with its loops in the order in which they run.
   *
   * @param values values of accumulators or stores
   * @param addresses addresses of stores; empty for reductions
   * @param condition where a scatter-add adds
   */
  record Step(
      Phase phase,
      List<Loop> loops,
      List<Node> values,
      List<Node> addresses,
      Node condition,
      Variation variation,
      int unroll) {

    /** Everything that the phase evaluates. */
    List<Node> roots() {
      List<Node> r = new ArrayList<>(values);
      r.addAll(addresses);
      r.add(condition);
      return r;
    }

    boolean vectors() {
      return variation.loop >= 0;
    }
  }

  final Kernel kernel;
  final Strategy strategy;
  final Vectors vectors;
  final List<Loop> grid;
  final List<Step> steps = new ArrayList<>();

  /** Lanes of every vector, 0 without vectors. */
  final int lanes;

  private final Lowering lowering;

  /** Rough number of scalar instructions that the kernel takes. */
  final double cost;

  private Plan(
      Kernel kernel, Strategy strategy, Vectors vectors, List<Loop> grid, Map<Phase, Loop> inner) {
    this.kernel = kernel;
    this.strategy = strategy;
    this.vectors = vectors;
    this.grid = grid;
    Map<Integer, Integer> levels = new HashMap<>();
    for (int i = 0; i < grid.size(); i++) {
      levels.put(grid.get(i).id(), i < grid.size() - 1 ? 1 : 2);
    }
    List<List<Loop>> loops = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      List<Loop> order = new ArrayList<>(p.loops());
      Loop v = inner.get(p);
      if (v != null) {
        order.remove(v);
        order.add(v);
      }
      for (int i = 0; i < order.size(); i++) {
        levels.put(order.get(i).id(), 3 + i);
      }
      loops.add(order);
    }
    lowering = new Lowering(kernel, l -> levels.getOrDefault(l.id(), 0));
    Variation none = new Variation(-1, false, false);
    Variation points =
        strategy == Strategy.POINTS
            ? new Variation(grid.get(grid.size() - 1).id(), true, vectors.masked())
            : none;
    for (int i = 0; i < loops.size(); i++) {
      Phase p = kernel.phases().get(i);
      Loop v = inner.get(p);
      Variation variation = v == null ? points : new Variation(v.id(), false, vectors.masked());
      steps.add(step(p, loops.get(i), variation));
    }
    lanes = strategy == Strategy.SCALAR ? 0 : vectors.lanes(widest());
    cost = PlanCost.of(this);
  }

  private Step step(Phase p, List<Loop> loops, Variation v) {
    Node always = lowering.always();
    List<Node> values = new ArrayList<>();
    List<Node> addresses = new ArrayList<>();
    Node condition = always;
    switch (p) {
      case Phase.Reduce r -> r.accs().forEach(a -> values.add(lowering.lower(a.value())));
      case Phase.Emit e -> {
        for (Phase.Store s : e.stores()) {
          values.add(lowering.lower(s.value()));
          addresses.add(lowering.address(s.param(), s.index(), always));
        }
      }
      case Phase.ScatterAdd s -> {
        condition = lowering.bounds(s.bounds(), always);
        values.add(lowering.lower(s.store().value(), condition));
        addresses.add(lowering.address(s.store().param(), s.store().index(), condition));
      }
    }
    int unroll = 1;
    if (v.loop >= 0 && p instanceof Phase.Reduce r && r.accs().size() <= 2) {
      // Copies hide the latency of short chains; long ones only make compilation slow.
      long size = reach(values).stream().filter(n -> n.type != Type.INDEX && !n.isConst()).count();
      unroll = size <= 6 ? 4 : size <= 12 ? 2 : 1;
    }
    return new Step(p, loops, values, addresses, condition, v, unroll);
  }

  /** All nodes that these are computed from, operands first. */
  static Set<Node> reach(List<Node> roots) {
    Set<Node> seen = new LinkedHashSet<>();
    Set<Node> open = new java.util.HashSet<>();
    java.util.ArrayDeque<Node> stack = new java.util.ArrayDeque<>(roots.reversed());
    while (!stack.isEmpty()) {
      Node n = stack.peek();
      if (seen.contains(n)) {
        stack.pop();
      } else if (open.add(n)) {
        for (Node x : n.in.reversed()) {
          if (!seen.contains(x)) {
            stack.push(x);
          }
        }
      } else {
        stack.pop();
        seen.add(n);
      }
    }
    return seen;
  }

  /** Bytes of the widest element that vectors hold. */
  private int widest() {
    int w = 4;
    for (Step s : steps) {
      if (s.vectors()) {
        for (Node n : s.values) {
          w = Math.max(w, n.type.bytes);
        }
        for (Node n : reach(s.roots())) {
          w = n.type != Type.INDEX && s.variation.varies(n) ? Math.max(w, n.type.bytes) : w;
        }
      }
    }
    return w;
  }

  /**
   * Level of the loop nest at which a node can be evaluated: 0 entry, 1 row, 2 point, 3.. phase.
   */
  int level(Node n, Step s) {
    int level = n.accs.isEmpty() ? 0 : 2;
    for (int i = 0; i < grid.size(); i++) {
      if (n.loops.get(grid.get(i).id())) {
        level = Math.max(level, i < grid.size() - 1 ? 1 : 2);
      }
    }
    for (int i = 0; i < s.loops.size(); i++) {
      if (n.loops.get(s.loops.get(i).id())) {
        level = Math.max(level, 3 + i);
      }
    }
    return level;
  }

  /** Vectors in a thread's scratch memory, which generated code uses in turn. */
  static final int SCRATCH_SLOTS = 64;

  /** Bytes of a thread's scratch memory that a kernel may use. */
  static long scratchBytes() {
    return SCRATCH_SLOTS * 64L;
  }

  /** The plan without vectors. */
  static Plan scalar(Kernel kernel, Vectors vectors) {
    return new Plan(kernel, Strategy.SCALAR, vectors, kernel.grid(), Map.of());
  }

  /**
   * The cheapest plan. With {@code ordered} the grid keeps its order and vectors run over points.
   */
  static Plan of(Kernel kernel, Vectors vectors, boolean ordered) {
    Plan best = scalar(kernel, vectors);
    // Vector code takes longer to compile than a small kernel takes to run.
    if (vectors.bits() == 0 || best.cost < 512) {
      return best;
    }
    List<Plan> candidates = new ArrayList<>();
    List<Loop> grid = kernel.grid();
    for (int i = grid.size() - 1; i >= 0; i--) {
      if (grid.get(i).extent() >= 4 && !(ordered && i < grid.size() - 1)) {
        List<Loop> order = new ArrayList<>(grid);
        order.add(order.remove(i));
        candidates.add(new Plan(kernel, Strategy.POINTS, vectors, order, Map.of()));
      }
    }
    Map<Phase, Loop> inner = new HashMap<>();
    for (Phase p : kernel.phases()) {
      innermost(kernel, vectors, p, inner);
    }
    if (!inner.isEmpty()) {
      candidates.add(new Plan(kernel, Strategy.INNER, vectors, grid, inner));
    }
    for (Plan p : candidates) {
      if (p.isPossible() && p.cost < best.cost) {
        best = p;
      }
    }
    return best;
  }

  /** Finds the loop of a phase along which vectors make it cheapest. */
  private static void innermost(Kernel k, Vectors vectors, Phase p, Map<Phase, Loop> inner) {
    if (p instanceof Phase.ScatterAdd) {
      return;
    }
    double best = Double.MAX_VALUE;
    for (Loop l : p.loops().reversed()) {
      if (l.extent() >= 8) {
        Plan plan = new Plan(k, Strategy.INNER, vectors, k.grid(), Map.of(p, l));
        if (plan.isPossible() && plan.cost < best) {
          best = plan.cost;
          inner.put(p, l);
        }
      }
    }
    if (best >= scalar(k, vectors).cost) {
      inner.remove(p);
    }
  }

  /** Whether vector code can be made for this plan. */
  private boolean isPossible() {
    for (Step s : steps) {
      if (!s.vectors()) {
        continue;
      }
      for (Node a : s.addresses) {
        long stride = s.variation.isAffine(a) ? s.variation.stride(a) : 1;
        if (stride == 0 || (!a.accs.isEmpty() && s.variation.accs)) {
          return false;
        }
      }
      if (s.phase instanceof Phase.ScatterAdd
          && (!s.variation.isAffine(s.addresses.get(0))
              || s.variation.stride(s.addresses.get(0)) != s.values.get(0).type.bytes
              || !vectors.masked())) {
        return false;
      }
      for (Node n : reach(s.roots())) {
        if (!s.variation.isVector(n)) {
          continue;
        }
        boolean bool = n.type == Type.BOOL;
        if (bool && (n.op == Op.LOAD || n.op == Op.ACC) && (lanes < 8 || n.op == Op.ACC)) {
          return false;
        }
        if (s.variation.isIrregular(n)) {
          if (s.variation.accs && reach(n.in).stream().anyMatch(x -> x.op == Op.ACC)) {
            return false;
          }
        } else if (n.op == Op.CALL || n.op == Op.REPAIR) {
          if (n.in.stream().anyMatch(x -> x.type == Type.BOOL)) {
            return false;
          }
        } else if (n.type == Type.BOOL
            && n.in.size() == 2
            && n.in.get(0).type == Type.INDEX
            && Math.abs(s.variation.stride(n.in.get(0))) + Math.abs(s.variation.stride(n.in.get(1)))
                > 1 << 20) {
          return false;
        }
      }
      for (Node v : s.values) {
        if (v.type == Type.BOOL && (lanes < 8 || s.phase instanceof Phase.Reduce)) {
          return false;
        }
      }
    }
    return true;
  }

  /** The node of a loop variable. */
  Node var(Loop l) {
    return var(l.id());
  }

  Node var(int loop) {
    return lowering.graph.make(Op.VAR, Type.INDEX, List.of(), loop, "");
  }

  /** The node of a reduction's result. */
  Node acc(int id, Type type) {
    return lowering.graph.make(Op.ACC, type, List.of(), id, "");
  }

  /** Product of the extents of the grid. */
  long points() {
    return Contraction.extent(grid);
  }

  /** For people: strategy, loops and phases. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    s.append(strategy).append(" lanes=").append(lanes).append(" grid=").append(grid);
    for (Step t : steps) {
      s.append("\n  ").append(t.phase);
      s.append("\n    loops=").append(t.loops).append(" vector loop ").append(t.variation.loop);
      s.append(" unroll=").append(t.unroll);
    }
    return s.append('\n').toString();
  }
}
