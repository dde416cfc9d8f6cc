package tapedeck.cpu.fast;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.kir.Phase;
import tapedeck.cpu.fast.Env.Mode;

/** Code of one accumulator: partial results per copy and lane, joined in a fixed order. */
final class Reduction {
  private final Plan.Step step;
  private final Phase.Accumulator acc;
  private final Node value;
  private final NodeCode nodes;
  private final Plan plan;
  private final Type type;
  private final Op op;

  /** Node for the result, as later steps see it. */
  private final Node result;

  private final List<Integer> vectors = new ArrayList<>();
  private int scalar = -1;
  private boolean inner;

  Reduction(Plan.Step step, Phase.Accumulator acc, Node value, NodeCode nodes, Plan plan) {
    this.step = step;
    this.acc = acc;
    this.value = value;
    this.nodes = nodes;
    this.plan = plan;
    this.type = Type.of(acc.dtype());
    this.op = Op.valueOf(acc.reducer().op().name());
    this.result = plan.acc(acc.id(), type);
  }

  /**
   * Sets accumulators to the identity.
   *
   * @param inner vectors run over a loop of this step, so that lanes must be joined at the end
   * @param points vectors run over grid points
   */
  void start(boolean inner, boolean points, CodeBuilder c) {
    this.inner = inner;
    int copies = inner ? step.unroll() : points ? 1 : 0;
    for (int i = 0; i < copies; i++) {
      nodes.vectorCode().broadcast(type, () -> identity(c));
      int at = c.allocateLocal(TypeKind.REFERENCE);
      c.astore(at);
      vectors.add(at);
    }
    if (!points) {
      identity(c);
      scalar = c.allocateLocal(type.kind);
      c.storeLocal(type.kind, scalar);
    }
  }

  private void identity(CodeBuilder c) {
    double v = acc.reducer().identity(acc.dtype());
    switch (type) {
      case F32 -> c.loadConstant((float) v);
      case F64 -> c.loadConstant(v);
      case I32, BOOL -> c.loadConstant((int) v);
      case I64, INDEX -> throw new IllegalArgumentException(type.name());
    }
  }

  /** One more value, where vectors are fused into multiply-adds for sums of products. */
  void add(Env env, int copy, CodeBuilder c) {
    boolean fused =
        plan.strategy != Plan.Strategy.SCALAR
            && op == Op.ADD
            && type.isFloat()
            && value.op == Op.MUL
            && env.scalar(value) < 0
            && env.vector(value) < 0;
    if (env.mode == Mode.SCALAR) {
      if (fused) {
        nodes.scalar(value.in.get(0), step, env);
        nodes.scalar(value.in.get(1), step, env);
        c.loadLocal(type.kind, scalar);
      } else {
        c.loadLocal(type.kind, scalar);
        nodes.scalar(value, step, env);
      }
      nodes.scalarCode().apply(fused ? node(Op.FMA, 3) : node(op, 2));
      c.storeLocal(type.kind, scalar);
      return;
    }
    int at = vectors.get(copy);
    boolean masked = inner && env.mode == Mode.MASKED;
    if (masked) {
      c.aload(at);
    }
    if (fused) {
      nodes.vector(value.in.get(0), step, env);
      nodes.vector(value.in.get(1), step, env);
      c.aload(at);
      nodes.vectorCode().apply(Op.FMA, type, type);
    } else {
      c.aload(at);
      nodes.vector(value, step, env);
      nodes.vectorCode().apply(op, type, type);
    }
    if (masked) {
      nodes.tail(env, type);
      nodes.vectorCode().blend(type);
    }
    c.astore(at);
  }

  private Node node(Op o, int arity) {
    return new Node(o, type, java.util.Collections.nCopies(arity, value), 0, "");
  }

  /** Joins copies and lanes and makes the result known. */
  void finish(Env env, CodeBuilder c) {
    if (!inner) {
      if (env.mode == Mode.SCALAR) {
        env.putScalar(result, scalar);
      } else {
        env.putVector(result, vectors.get(0));
      }
      return;
    }
    for (int n = vectors.size() / 2; n > 0; n /= 2) {
      for (int i = 0; i < n; i++) {
        c.aload(vectors.get(i)).aload(vectors.get(i + n));
        nodes.vectorCode().apply(op, type, type);
        c.astore(vectors.get(i));
      }
    }
    int slot = nodes.nextSlot();
    nodes.vectorCode().store(type, () -> c.aload(vectors.get(0)), () -> nodes.slot(slot, 0), null);
    c.loadLocal(type.kind, scalar);
    tree(slot, 0, plan.lanes, c);
    nodes.scalarCode().apply(node(op, 2));
    c.storeLocal(type.kind, scalar);
    env.putScalar(result, scalar);
  }

  /** Joins lanes as a balanced tree: a fixed order, which reduceLanes does not promise. */
  private void tree(int slot, int from, int lanes, CodeBuilder c) {
    if (lanes == 1) {
      nodes.scalarCode().load(type, () -> nodes.slot(slot, (long) from * type.bytes));
      return;
    }
    tree(slot, from, lanes / 2, c);
    tree(slot, from + lanes / 2, lanes / 2, c);
    nodes.scalarCode().apply(node(op, 2));
  }
}
