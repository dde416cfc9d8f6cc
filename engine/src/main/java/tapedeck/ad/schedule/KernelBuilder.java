package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Lowering;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.ScatterAdd;
import tapedeck.ad.tensor.Take;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.Shape;

/** Writes the kernel of a group. */
final class KernelBuilder {
  /** Grid points below which a scatter also splits its target rows over workers. */
  private static final long FEW = 64;

  private final Group group;
  private final Map<Var, Eqn> producers;
  private final Set<Var> roots;
  private final Set<Var> stored;
  private final List<Var> params = new ArrayList<>();
  private final Map<Var, Integer> paramOf = new HashMap<>();
  private final Map<Var, Integer> accs = new LinkedHashMap<>();
  private final Map<Integer, Integer> depth = new HashMap<>();
  private final ExprBuilder exprs;

  KernelBuilder(Group group, Map<Var, Eqn> producers, Set<Var> roots, Set<Var> stored) {
    this.group = group;
    this.producers = producers;
    this.roots = roots;
    this.stored = stored;
    this.exprs = new ExprBuilder(producers, this::leaf);
  }

  private static Lowering lowering(Eqn e) {
    return ((Op) e.primitive()).lower();
  }

  /** Operand expressions of a root at its own position in a group's domain. */
  static List<Expr> operandsOf(Var v, Eqn e, Group g, Group.Level level, ExprBuilder b) {
    return switch (lowering(e)) {
      case Lowering.Map m -> List.of(b.inlined(v, Group.indices(v.aval().shape(), g.loops(level))));
      case Lowering.Reduction r -> {
        Var in = e.ins().get(0);
        yield List.of(b.at(in, Group.indices(in.aval().shape(), g.domain)));
      }
      case Lowering.Product p -> {
        List<Index> out = Group.indices(v.aval().shape(), g.grid());
        Index k = Index.of(g.inner().get(0));
        int r = out.size();
        List<Index> left = new ArrayList<>(out);
        left.set(r - 1, k);
        List<Index> right = new ArrayList<>(out);
        right.set(r - 2, k);
        yield List.of(b.at(e.ins().get(0), left), b.at(e.ins().get(1), right));
      }
      case Lowering.Scatter s -> {
        Loop row = new Loop(g.domain.size(), e.ins().get(1).aval().shape().dim(0));
        List<Index> at =
            new ArrayList<>(Group.indices(v.aval().shape().without(s.axis()), g.domain));
        at.add(s.axis(), Index.of(row));
        yield List.of(b.at(e.ins().get(0), at), b.at(e.ins().get(1), List.of(Index.of(row))));
      }
    };
  }

  private Expr leaf(Var v, List<Index> index) {
    if (group.members.containsKey(v)) {
      Integer acc = accs.get(v);
      return acc == null ? null : new Expr.Acc(acc, v.aval().dtype());
    }
    if (producers.containsKey(v) && !roots.contains(v)) {
      return null;
    }
    return new Expr.Load(param(v), v.aval().dtype(), linear(v.aval().shape(), index));
  }

  private int param(Var v) {
    return paramOf.computeIfAbsent(
        v,
        k -> {
          params.add(k);
          return params.size() - 1;
        });
  }

  private static Index linear(Shape s, List<Index> index) {
    long[] strides = s.strides();
    Index out = Index.ZERO;
    for (int i = 0; i < strides.length; i++) {
      out = out.plus(index.get(i).times(strides[i]));
    }
    return out;
  }

  Fuser.FusedKernel build() {
    List<Phase> phases = new ArrayList<>();
    List<Loop> grid = group.grid();
    Optional<Contraction> contraction = Optional.empty();
    switch (group.kind) {
      case MAP -> phases.add(new Phase.Emit(List.of(), stores(Group.Level.ROW)));
      case REDUCE -> {
        phases.addAll(reductions());
        addEmit(phases, List.of(), stores(Group.Level.ROW));
        addEmit(phases, group.inner(), stores(Group.Level.FULL));
      }
      case PRODUCT -> {
        contraction = Optional.of(product(phases));
        phases.add(new Phase.Emit(List.of(), stores(Group.Level.ROW)));
      }
      case SCATTER -> grid = scatter(phases);
    }
    boolean[] written = new boolean[params.size()];
    group.members.keySet().stream()
        .filter(stored::contains)
        .forEach(v -> written[paramOf.get(v)] = true);
    List<Kernel.Param> types = new ArrayList<>();
    for (int i = 0; i < params.size(); i++) {
      Var v = params.get(i);
      types.add(
          new Kernel.Param(v.aval().dtype(), v.aval().shape().size(), !written[i], written[i]));
    }
    Kernel kernel = LoopCollapser.collapse(new Kernel(types, grid, phases, contraction));
    Eqn last = producers.get(List.copyOf(group.members.keySet()).getLast());
    return new Fuser.FusedKernel(kernel, List.copyOf(params), label(), last.source());
  }

  private static void addEmit(List<Phase> phases, List<Loop> loops, List<Phase.Store> stores) {
    if (!stores.isEmpty()) {
      phases.add(new Phase.Emit(loops, stores));
    }
  }

  private List<Phase.Store> stores(Group.Level level) {
    List<Phase.Store> out = new ArrayList<>();
    group.members.forEach(
        (v, l) -> {
          if (l == level && stored.contains(v)) {
            List<Index> at = Group.indices(v.aval().shape(), group.loops(l));
            Expr value = exprs.at(v, at);
            out.add(new Phase.Store(param(v), linear(v.aval().shape(), at), value));
          }
        });
    return out;
  }

  /** Reductions in as few passes as their dependences allow. */
  private List<Phase> reductions() {
    TreeMap<Integer, List<Phase.Accumulator>> passes = new TreeMap<>();
    for (Map.Entry<Var, Group.Level> m : group.members.entrySet()) {
      Var v = m.getKey();
      Eqn e = producers.get(v);
      if (lowering(e) instanceof Lowering.Reduction r) {
        Expr value = operandsOf(v, e, group, m.getValue(), exprs).get(0);
        exprs.computed().add(v);
        int pass = 1 + deepest(value, new IdentityHashMap<>());
        int id = accs.size();
        accs.put(v, id);
        depth.put(id, pass);
        passes
            .computeIfAbsent(pass, k -> new ArrayList<>())
            .add(new Phase.Accumulator(id, r.reducer(), v.aval().dtype(), value));
      }
    }
    return passes.values().stream()
        .<Phase>map(a -> new Phase.Reduce(group.inner(), List.copyOf(a)))
        .toList();
  }

  /** Last pass whose result an expression uses. */
  private int deepest(Expr e, IdentityHashMap<Expr, Integer> seen) {
    Integer known = seen.get(e);
    if (known != null) {
      return known;
    }
    int d = e instanceof Expr.Acc a ? depth.get(a.id()) : 0;
    for (Expr c : e.children()) {
      d = Math.max(d, deepest(c, seen));
    }
    seen.put(e, d);
    return d;
  }

  private Contraction product(List<Phase> phases) {
    Var v = group.members.keySet().iterator().next();
    Eqn e = producers.get(v);
    List<Expr> sides = operandsOf(v, e, group, Group.Level.ROW, exprs);
    exprs.computed().add(v);
    accs.put(v, 0);
    Expr product = Expr.apply(ScalarOp.MUL, v.aval().dtype(), sides.get(0), sides.get(1));
    List<Loop> k = group.inner();
    phases.add(
        new Phase.Reduce(
            k, List.of(new Phase.Accumulator(0, Reducer.SUM, v.aval().dtype(), product))));
    Shape s = v.aval().shape();
    List<Loop> grid = new ArrayList<>(group.grid());
    List<Loop> n = s.dim(-1) == 1 ? List.of() : List.of(grid.removeLast());
    List<Loop> m = s.dim(-2) == 1 ? List.of() : List.of(grid.removeLast());
    Precision precision =
        v.aval().dtype() == DType.FLOAT32
            ? ((Lowering.Product) lowering(e)).precision()
            : Precision.HIGHEST;
    return new Contraction(List.copyOf(grid), m, n, k, sides.get(0), sides.get(1), precision);
  }

  /** Zeroes the target and adds the updates; returns the grid. */
  private List<Loop> scatter(List<Phase> phases) {
    Var v = group.members.keySet().iterator().next();
    Eqn e = producers.get(v);
    ScatterAdd op = (ScatterAdd) e.primitive();
    List<Expr> in = operandsOf(v, e, group, Group.Level.ROW, exprs);
    exprs.computed().add(v);
    Shape s = v.aval().shape();
    int id = group.domain.size();
    Loop row = new Loop(id, e.ins().get(1).aval().shape().dim(0));
    int workers = Contraction.extent(group.domain) >= FEW ? 1 : divisor(op.extent());
    int height = op.extent() / workers;
    Loop worker = new Loop(id + 1, workers);
    Loop target = new Loop(id + 2, height);
    List<Loop> grid = new ArrayList<>(group.domain);
    List<Expr.Bound> mine = new ArrayList<>();
    Index first = Index.ZERO;
    Index at = Take.clamped(in.get(1), op.extent());
    if (workers > 1) {
      grid.add(worker);
      first = Index.of(worker).times(height);
      mine.add(new Expr.Bound(at.plus(first.times(-1)), 0, height));
    }
    List<Loop> zeroed = height == 1 ? List.of() : List.of(target);
    int out = param(v);
    phases.add(
        new Phase.Emit(
            zeroed,
            List.of(
                new Phase.Store(
                    out,
                    linear(s, along(s, op.axis(), first.plus(Index.of(target)))),
                    Expr.constant(v.aval().dtype(), 0)))));
    phases.add(
        new Phase.ScatterAdd(
            row.extent() == 1 ? List.of() : List.of(row),
            mine,
            new Phase.Store(out, linear(s, along(s, op.axis(), at)), in.get(0))));
    return grid;
  }

  /** Grid position with an index along one axis. */
  private List<Index> along(Shape s, int axis, Index at) {
    List<Index> out = new ArrayList<>(Group.indices(s.without(axis), group.domain));
    out.add(axis, at);
    return out;
  }

  private static int divisor(int n) {
    for (int d = Math.min(64, n); d > 1; d--) {
      if (n % d == 0) {
        return d;
      }
    }
    return 1;
  }

  /** Names of what was fused, in order of evaluation; views only where there is nothing else. */
  private String label() {
    Set<Var> ops = exprs.computed().isEmpty() ? group.members.keySet() : exprs.computed();
    List<String> names = ops.stream().map(v -> producers.get(v).primitive().label()).toList();
    String shown = names.stream().limit(6).collect(Collectors.joining("+"));
    return names.size() > 6 ? shown + "+" + (names.size() - 6) + " more" : shown;
  }
}
