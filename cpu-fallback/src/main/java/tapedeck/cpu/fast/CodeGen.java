package tapedeck.cpu.fast;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.cpu.fast.Env.Mode;

/**
 * Writes the body of {@link KernelCode#run} for a plan: a walk over rows of the grid, the points of
 * a row, and each step's loops. Values are evaluated at the outermost level at which they are
 * known.
 */
final class CodeGen {
  private static final int ADDRESSES = 1;
  private static final int SCRATCH = 2;
  private static final int BEGIN = 4;
  private static final int END = 6;

  /** Points of a row that are run as one int-counted loop. */
  private static final long MAX_ROW = 1L << 30;

  private final Plan plan;
  private final CodeBuilder c;
  private final NodeCode nodes;
  private final Map<Plan.Step, Map<Boolean, Order>> orders = new HashMap<>();

  CodeGen(Plan plan, CodeBuilder c) {
    this.plan = plan;
    this.c = c;
    this.nodes = new NodeCode(plan, c, SCRATCH);
  }

  private Order order(Plan.Step s, boolean vector) {
    return orders
        .computeIfAbsent(s, x -> new HashMap<>())
        .computeIfAbsent(vector, v -> new Order(plan, s, v));
  }

  private Order order(Plan.Step s, Env env) {
    return order(s, env.mode != Mode.SCALAR);
  }

  void emit() {
    Env entry = Env.entry();
    for (Plan.Step s : plan.steps) {
      for (Node n : Plan.reach(s.roots())) {
        if (n.op == Op.PARAM && entry.scalar(n) < 0) {
          c.aload(ADDRESSES).loadConstant((int) n.value).laload();
          entry.putScalar(n, store(TypeKind.LONG));
        }
      }
    }
    everywhere(0, entry);
    if (plan.grid.isEmpty()) {
      body(entry.child());
    } else {
      rows(entry);
    }
    c.return_();
  }

  private int store(TypeKind kind) {
    int at = c.allocateLocal(kind);
    c.storeLocal(kind, at);
    return at;
  }

  /** Evaluates what all steps need at an outer level. */
  private void everywhere(int level, Env env) {
    for (Plan.Step s : plan.steps) {
      evaluate(level, s, order(s, false), env);
      if (s.vectors()) {
        evaluate(level, s, order(s, true), env);
      }
    }
  }

  /** Evaluates a step's nodes of one level into locals. */
  private void evaluate(int level, Plan.Step s, Order order, Env env) {
    for (Node n : order.nodes) {
      if (plan.level(n, s) == level) {
        nodes.evaluate(n, s, order, env);
      }
    }
  }

  private void rows(Env entry) {
    int last = plan.grid.size() - 1;
    long extent = plan.grid.get(last).extent();
    int[] at = new int[last + 1];
    c.lload(BEGIN);
    int rest = store(TypeKind.LONG);
    for (int j = last; j >= 0; j--) {
      long e = plan.grid.get(j).extent();
      c.lload(rest);
      if (j > 0) {
        c.loadConstant(e).lrem();
      }
      at[j] = store(TypeKind.LONG);
      c.lload(rest).loadConstant(e).ldiv().lstore(rest);
    }
    c.lload(BEGIN);
    int position = store(TypeKind.LONG);
    Label row = c.newLabel();
    Label end = c.newLabel();
    c.labelBinding(row).lload(position).lload(END).lcmp().ifge(end);
    // Points of this row: to its end, or to the end of the range.
    c.lload(END).lload(position).lsub();
    c.loadConstant(extent).lload(at[last]).lsub();
    min();
    if (extent > MAX_ROW) {
      c.loadConstant(MAX_ROW);
      min();
    }
    c.l2i();
    int count = store(TypeKind.INT);
    Env env = entry.child();
    for (int j = 0; j < last; j++) {
      env.putScalar(plan.var(plan.grid.get(j)), at[j]);
    }
    everywhere(1, env);
    points(env, at[last], count);
    c.lload(position).iload(count).i2l().ladd().lstore(position);
    c.lload(at[last]).iload(count).i2l().ladd().lstore(at[last]);
    for (int j = last; j > 0; j--) {
      c.lload(at[j]).loadConstant(plan.grid.get(j).extent()).lcmp().iflt(row);
      c.lconst_0().lstore(at[j]);
      c.lload(at[j - 1]).lconst_1().ladd().lstore(at[j - 1]);
    }
    c.goto_(row).labelBinding(end);
  }

  private void min() {
    c.invokestatic(
        java.lang.constant.ClassDesc.of("java.lang.Math"),
        "min",
        java.lang.constant.MethodTypeDesc.ofDescriptor("(JJ)J"));
  }

  /** The points of a row, as vectors or one by one. */
  private void points(Env row, int first, int count) {
    Node var = plan.var(plan.grid.get(plan.grid.size() - 1));
    c.iconst_0();
    int i = store(TypeKind.INT);
    if (plan.strategy != Plan.Strategy.POINTS) {
      loop(i, count, 0, 1, () -> point(row.child(Mode.SCALAR), var, first, i));
      return;
    }
    loop(i, count, plan.lanes - 1, plan.lanes, () -> point(row.child(Mode.VECTOR), var, first, i));
    if (plan.vectors.masked()) {
      Label none = c.newLabel();
      c.iload(i).iload(count).if_icmpge(none);
      c.iload(count).iload(i).isub();
      int left = store(TypeKind.INT);
      point(row.masked(nodes.mask(left), left), var, first, i);
      c.labelBinding(none);
    } else {
      loop(i, count, 0, 1, () -> point(row.child(Mode.SCALAR), var, first, i));
    }
  }

  private void point(Env env, Node var, int first, int i) {
    c.lload(first).iload(i).i2l().ladd();
    env.putScalar(var, store(TypeKind.LONG));
    body(env);
  }

  /** {@code for (; i < count - less; i += step) body}. */
  private void loop(int i, int count, int less, int step, Runnable body) {
    Label top = c.newLabel();
    Label end = c.newLabel();
    c.iload(count);
    if (less > 0) {
      c.loadConstant(less).isub();
    }
    int limit = store(TypeKind.INT);
    c.labelBinding(top).iload(i).iload(limit).if_icmpge(end);
    body.run();
    c.iload(i).loadConstant(step).iadd().istore(i);
    c.goto_(top).labelBinding(end);
  }

  /** All steps at one point, or at one vector of points. */
  private void body(Env env) {
    for (Plan.Step s : plan.steps) {
      evaluate(2, s, order(s, env), env);
      if (s.vectors() && plan.strategy == Plan.Strategy.INNER) {
        evaluate(2, s, order(s, true), env);
      }
      switch (s.phase()) {
        case Phase.Reduce r -> reduce(s, r, env);
        case Phase.Emit e -> nest(s, 0, env.child(), (inner, copy) -> nodes.emit(s, inner));
        case Phase.ScatterAdd a ->
            nest(s, 0, env.child(), (inner, copy) -> nodes.scatterAdd(s, inner));
      }
    }
  }

  private void reduce(Plan.Step s, Phase.Reduce r, Env env) {
    boolean inner = s.vectors() && plan.strategy == Plan.Strategy.INNER;
    boolean vector = env.mode != Mode.SCALAR;
    List<Reduction> all = new ArrayList<>();
    for (int i = 0; i < r.accs().size(); i++) {
      Reduction red = new Reduction(s, r.accs().get(i), s.values().get(i), nodes, plan);
      red.start(inner, vector, c);
      all.add(red);
    }
    nest(
        s,
        0,
        env.child(),
        (e, copy) -> {
          // Every value comes before the first update, as values may read no accumulator of theirs.
          for (Reduction red : all) {
            red.add(e, copy, c);
          }
        });
    for (Reduction red : all) {
      red.finish(env, c);
    }
  }

  /** The loops of a step from a depth on; {@code body} gets the scope and the copy it works for. */
  private void nest(Plan.Step s, int depth, Env env, BiConsumer<Env, Integer> body) {
    if (depth == s.loops().size()) {
      body.accept(env, 0);
      return;
    }
    Loop l = s.loops().get(depth);
    if (s.vectors() && plan.strategy == Plan.Strategy.INNER && l.id() == s.variation().loop) {
      vectors(s, depth, env, body);
      return;
    }
    Label top = c.newLabel();
    Label end = c.newLabel();
    Env in = env.child();
    if (l.extent() < Integer.MAX_VALUE) {
      c.iconst_0();
      int i = store(TypeKind.INT);
      c.labelBinding(top).iload(i).loadConstant((int) l.extent()).if_icmpge(end);
      iteration(s, depth, in, () -> c.iload(i).i2l(), body, 0);
      c.iinc(i, 1);
    } else {
      c.lconst_0();
      int i = store(TypeKind.LONG);
      c.labelBinding(top).lload(i).loadConstant(l.extent()).lcmp().ifge(end);
      iteration(s, depth, in, () -> c.lload(i), body, 0);
      c.lload(i).lconst_1().ladd().lstore(i);
    }
    c.goto_(top).labelBinding(end);
  }

  private void iteration(
      Plan.Step s, int depth, Env env, Runnable index, BiConsumer<Env, Integer> body, int copy) {
    index.run();
    env.putScalar(plan.var(s.loops().get(depth)), store(TypeKind.LONG));
    evaluate(3 + depth, s, order(s, env), env);
    if (depth + 1 == s.loops().size()) {
      body.accept(env, copy);
    } else {
      nest(s, depth + 1, env, body);
    }
  }

  /** The innermost loop as vectors: several at once, one at a time, and what is left. */
  private void vectors(Plan.Step s, int depth, Env env, BiConsumer<Env, Integer> body) {
    int n = Math.toIntExact(s.loops().get(depth).extent());
    int lanes = plan.lanes;
    c.iconst_0();
    int i = store(TypeKind.INT);
    c.loadConstant(n);
    int count = store(TypeKind.INT);
    int unroll = n >= s.unroll() * lanes ? s.unroll() : 1;
    if (unroll > 1) {
      loop(
          i,
          count,
          unroll * lanes - 1,
          unroll * lanes,
          () -> {
            for (int u = 0; u < unroll; u++) {
              int shift = u * lanes;
              iteration(
                  s,
                  depth,
                  env.child(Mode.VECTOR),
                  () -> c.iload(i).loadConstant(shift).iadd().i2l(),
                  body,
                  u);
            }
          });
    }
    if (n % (unroll * lanes) >= lanes || (unroll == 1 && n >= lanes)) {
      loop(
          i,
          count,
          lanes - 1,
          lanes,
          () -> iteration(s, depth, env.child(Mode.VECTOR), () -> c.iload(i).i2l(), body, 0));
    }
    if (n % lanes == 0) {
      return;
    }
    if (plan.vectors.masked()) {
      c.loadConstant(n % lanes);
      int left = store(TypeKind.INT);
      iteration(s, depth, env.masked(nodes.mask(left), left), () -> c.iload(i).i2l(), body, 0);
    } else {
      loop(
          i,
          count,
          0,
          1,
          () -> iteration(s, depth, env.child(Mode.SCALAR), () -> c.iload(i).i2l(), body, 0));
    }
  }
}
