package tapedeck.cpu.fast;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.cpu.fast.Env.Mode;

/** Code that evaluates nodes and stores results, as scalars or as vectors. */
final class NodeCode {
  private final Plan plan;
  private final CodeBuilder c;
  private final ScalarCode scalars;
  private final VectorCode vectors;
  private final int scratch;
  private int slots;

  NodeCode(Plan plan, CodeBuilder c, int scratch) {
    this.plan = plan;
    this.c = c;
    this.scalars = new ScalarCode(c);
    this.vectors = new VectorCode(c, plan.lanes);
    this.scratch = scratch;
  }

  ScalarCode scalarCode() {
    return scalars;
  }

  VectorCode vectorCode() {
    return vectors;
  }

  /** Next vector of the scratch memory; code reads a slot before it comes round again. */
  int nextSlot() {
    return slots++ % Plan.SCRATCH_SLOTS;
  }

  /** Pushes the address of a byte of a slot. */
  void slot(int slot, long offset) {
    c.lload(scratch).loadConstant(slot * 64L + offset).ladd();
  }

  /** Local with the mask of the first lanes. */
  int mask(int count) {
    vectors.firstLanes(() -> c.iload(count));
    return storeReference();
  }

  /** Pushes the mask of the lanes in use. */
  void tail(Env env, Type species) {
    c.aload(env.mask);
    vectors.castMask(Type.I32, species);
  }

  private int storeReference() {
    int at = c.allocateLocal(TypeKind.REFERENCE);
    c.astore(at);
    return at;
  }

  private boolean isVector(Node n, Plan.Step s, Env env) {
    return env.mode != Mode.SCALAR && s.variation().isVector(n);
  }

  /** Evaluates a node into a local if the order says so. */
  void evaluate(Node n, Plan.Step s, Order order, Env env) {
    if (isVector(n, s, env)) {
      if (order.locals.contains(n) && env.vector(n) < 0) {
        vector(n, s, env);
        env.putVector(n, storeReference());
      }
      return;
    }
    if (order.locals.contains(n) && env.scalar(n) < 0) {
      scalar(n, s, env);
      int at = c.allocateLocal(n.type.kind);
      c.storeLocal(n.type.kind, at);
      env.putScalar(n, at);
    }
    if (order.broadcasts.contains(n) && env.vector(n) < 0 && isKnown(n, env)) {
      vectors.broadcast(n.type, () -> scalar(n, s, env));
      env.putVector(n, storeReference());
    }
  }

  /** Accumulators have a vector of their own where the vectors run over points. */
  private static boolean isKnown(Node n, Env env) {
    return n.op != Op.ACC || env.scalar(n) >= 0;
  }

  /** Pushes a node's scalar value. */
  void scalar(Node n, Plan.Step s, Env env) {
    int at = env.scalar(n);
    if (at >= 0) {
      c.loadLocal(n.type.kind, at);
      return;
    }
    switch (n.op) {
      case CONST -> scalars.constant(n.type, n.value);
      case LOAD -> {
        if (n.in.size() == 1) {
          scalars.load(n.type, () -> scalar(n.in.get(0), s, env));
        } else {
          choose(
              () -> scalar(n.in.get(1), s, env),
              () -> scalars.load(n.type, () -> scalar(n.in.get(0), s, env)),
              () -> scalars.constant(n.type, 0));
        }
      }
      case SELECT ->
          choose(
              () -> scalar(n.in.get(0), s, env),
              () -> scalar(n.in.get(1), s, env),
              () -> scalar(n.in.get(2), s, env));
      case REPAIR ->
          choose(
              () -> {
                scalar(n.in.get(0), s, env);
                withinLimit(n);
              },
              () -> scalar(n.in.get(1), s, env),
              () -> {
                scalar(n.in.get(0), s, env);
                scalars.call(n.name, n.type, 1);
              });
      case PARAM, VAR, ACC -> throw new IllegalStateException("not evaluated: " + n);
      default -> {
        for (Node x : n.in) {
          scalar(x, s, env);
        }
        scalars.apply(n);
      }
    }
  }

  /** x → whether |x| is at most the limit of a REPAIR. */
  private void withinLimit(Node n) {
    List<Node> one = List.of(n.in.get(0));
    scalars.apply(new Node(Op.ABS, n.type, one, 0, ""));
    scalars.constant(n.type, n.value);
    scalars.apply(new Node(Op.LE, Type.BOOL, one, 0, ""));
  }

  private void choose(Runnable condition, Runnable yes, Runnable no) {
    Label otherwise = c.newLabel();
    Label end = c.newLabel();
    condition.run();
    c.ifeq(otherwise);
    yes.run();
    c.goto_(end).labelBinding(otherwise);
    no.run();
    c.labelBinding(end);
  }

  /** Pushes a node's value in every lane; for BOOL the mask of {@link #maskType}. */
  void vector(Node n, Plan.Step s, Env env) {
    int at = env.vector(n);
    if (at >= 0) {
      c.aload(at);
      return;
    }
    if (!s.variation().isVector(n)) {
      vectors.broadcast(n.type, () -> scalar(n, s, env));
      return;
    }
    if (s.variation().isIrregular(n)) {
      byLane(n, s, env);
      return;
    }
    Type t = n.type;
    switch (n.op) {
      case LOAD -> vectors.load(t, () -> scalar(n.in.get(0), s, env), loadMask(n, s, env));
      case SELECT -> select(n, s, env);
      case CALL -> call(n, s, env);
      case REPAIR -> repair(n, s, env);
      case CONVERT -> convert(n, s, env);
      case BITS -> {
        vector(n.in.get(0), s, env);
        vectors.bits(n.in.get(0).type, t);
      }
      case LT, LE, EQ, NE -> compare(n, s, env);
      default -> {
        if (t == Type.BOOL) {
          Type species = maskType(n, s);
          for (Node x : n.in) {
            mask(x, species, s, env);
          }
          vectors.applyToMasks(n.op);
        } else if ((n.op == Op.SHL || n.op == Op.SHR) && n.in.get(1).isConst()) {
          vector(n.in.get(0), s, env);
          vectors.shift(n.op, t, n.in.get(1).value);
        } else {
          for (Node x : n.in) {
            vector(x, s, env);
          }
          vectors.apply(n.op, t, n.in.get(0).type);
        }
      }
    }
  }

  /** Pushes a BOOL node as a mask for vectors of a type. */
  private void mask(Node n, Type species, Plan.Step s, Env env) {
    if (!s.variation().isVector(n)) {
      vectors.maskAll(species, () -> scalar(n, s, env));
      return;
    }
    vector(n, s, env);
    vectors.castMask(maskType(n, s), species);
  }

  /** Vectors that the mask of a BOOL node is for: those of the values it comes from. */
  private Type maskType(Node n, Plan.Step s) {
    if (n.op == Op.LOAD || s.variation().isIrregular(n)) {
      return Type.BOOL;
    }
    Node a = n.in.get(0);
    if (a.type == Type.INDEX) {
      return Type.I32;
    }
    if (a.type != Type.BOOL) {
      return a.type;
    }
    for (Node x : n.in) {
      if (s.variation().isVector(x)) {
        return maskType(x, s);
      }
    }
    throw new IllegalStateException("not a vector: " + n);
  }

  private Runnable loadMask(Node n, Plan.Step s, Env env) {
    if (n.in.size() == 1) {
      return env.mode == Mode.MASKED ? () -> tail(env, n.type) : null;
    }
    return () -> {
      mask(n.in.get(1), n.type, s, env);
      if (env.mode == Mode.MASKED) {
        tail(env, n.type);
        vectors.applyToMasks(Op.AND);
      }
    };
  }

  private void select(Node n, Plan.Step s, Env env) {
    if (n.type != Type.BOOL) {
      vector(n.in.get(2), s, env);
      vector(n.in.get(1), s, env);
      mask(n.in.get(0), n.type, s, env);
      vectors.blend(n.type);
      return;
    }
    Type species = maskType(n, s);
    mask(n.in.get(0), species, s, env);
    mask(n.in.get(1), species, s, env);
    vectors.applyToMasks(Op.AND);
    // LT of masks is b and not a: here the third operand where the first does not hold.
    mask(n.in.get(0), species, s, env);
    mask(n.in.get(2), species, s, env);
    vectors.applyToMasks(Op.LT);
    vectors.applyToMasks(Op.OR);
  }

  private void convert(Node n, Plan.Step s, Env env) {
    Node x = n.in.get(0);
    if (x.type == Type.INDEX) {
      vectors.indices(() -> scalar(x, s, env), s.variation().stride(x));
    } else if (x.type == Type.BOOL) {
      vectors.fromMask(n.type, () -> mask(x, n.type, s, env));
    } else {
      vector(x, s, env);
      if (n.type == Type.BOOL) {
        vectors.toMask(x.type);
      } else {
        vectors.convert(x.type, n.type);
      }
    }
  }

  private void compare(Node n, Plan.Step s, Env env) {
    Node a = n.in.get(0);
    Node b = n.in.get(1);
    if (a.type == Type.INDEX) {
      vectors.compareIndices(
          n.op,
          s.variation().stride(a) - s.variation().stride(b),
          () -> {
            scalar(b, s, env);
            scalar(a, s, env);
            c.lsub();
          });
    } else if (a.type == Type.BOOL) {
      Type species = maskType(n, s);
      mask(a, species, s, env);
      mask(b, species, s, env);
      vectors.applyToMasks(n.op);
    } else {
      vector(a, s, env);
      vector(b, s, env);
      vectors.apply(n.op, Type.BOOL, a.type);
    }
  }

  /** Fills the lanes of a vector with scalar code, through scratch memory. */
  private void byLane(Node n, Plan.Step s, Env env) {
    int slot = nextSlot();
    eachLane(
        s,
        env,
        lane -> {
          prepare(List.of(n), s, lane.env());
          scalars.store(
              n.type, () -> element(slot, n.type, lane.index()), () -> scalar(n, s, lane.env()));
        });
    vectors.load(n.type, () -> slot(slot, 0), null);
  }

  /** Evaluates what is used more than once in one lane. */
  private void prepare(List<Node> roots, Plan.Step s, Env lane) {
    Map<Node, Integer> uses = new HashMap<>();
    List<Node> all = new ArrayList<>();
    for (Node x : Plan.reach(roots)) {
      if (s.variation().varies(x)) {
        all.add(x);
        x.in.forEach(y -> uses.merge(y, 1, Integer::sum));
      }
    }
    for (Node x : all) {
      if (uses.getOrDefault(x, 0) > 1 && lane.scalar(x) < 0) {
        scalar(x, s, lane);
        int at = c.allocateLocal(x.type.kind);
        c.storeLocal(x.type.kind, at);
        lane.putScalar(x, at);
      }
    }
  }

  private record Lane(Env env, int index) {}

  private void eachLane(Plan.Step s, Env env, java.util.function.Consumer<Lane> body) {
    Label top = c.newLabel();
    Label end = c.newLabel();
    c.iconst_0();
    int j = c.allocateLocal(TypeKind.INT);
    c.istore(j).labelBinding(top).iload(j);
    if (env.mode == Mode.MASKED) {
      c.iload(env.count);
    } else {
      c.loadConstant(plan.lanes);
    }
    c.if_icmpge(end);
    Env lane = env.lane(s.variation());
    Node var = plan.var(s.variation().loop);
    c.lload(env.scalar(var)).iload(j).i2l().ladd();
    int at = c.allocateLocal(TypeKind.LONG);
    c.lstore(at);
    lane.putScalar(var, at);
    body.accept(new Lane(lane, j));
    c.iinc(j, 1).goto_(top).labelBinding(end);
  }

  /** Pushes the address of lane {@code index} in a slot. */
  private void element(int slot, Type t, int index) {
    slot(slot, 0);
    c.iload(index).loadConstant(t.bytes).imul().i2l().ladd();
  }

  /** Puts a vector into scratch memory and gives its slot. */
  private int spill(Node n, Plan.Step s, Env env) {
    int slot = nextSlot();
    vectors.store(n.type, () -> value(n, s, env), () -> slot(slot, 0), null);
    return slot;
  }

  /** Pushes a value to store: a vector, or for BOOL a mask of byte vectors. */
  private void value(Node n, Plan.Step s, Env env) {
    if (n.type == Type.BOOL) {
      mask(n, Type.BOOL, s, env);
    } else {
      vector(n, s, env);
    }
  }

  private void call(Node n, Plan.Step s, Env env) {
    int[] at = new int[n.in.size()];
    for (int i = 0; i < at.length; i++) {
      at[i] = isVector(n.in.get(i), s, env) ? spill(n.in.get(i), s, env) : -1;
    }
    int result = nextSlot();
    eachLane(
        s,
        env,
        lane -> {
          scalars.store(
              n.type,
              () -> element(result, n.type, lane.index()),
              () -> {
                for (int i = 0; i < at.length; i++) {
                  argument(n.in.get(i), at[i], s, env, lane);
                }
                scalars.call(n.name, n.type, at.length);
              });
        });
    vectors.load(n.type, () -> slot(result, 0), null);
  }

  /** Pushes a lane of a value that was spilled to a slot, or the value itself if it was not. */
  private void argument(Node n, int slot, Plan.Step s, Env env, Lane lane) {
    if (slot < 0) {
      scalar(n, s, env);
    } else {
      scalars.load(n.type, () -> element(slot, n.type, lane.index()));
    }
  }

  private void repair(Node n, Plan.Step s, Env env) {
    Node x = n.in.get(0);
    Type t = n.type;
    vector(n.in.get(1), s, env);
    int result = storeReference();
    Label end = c.newLabel();
    vector(x, s, env);
    vectors.apply(Op.ABS, t, t);
    vectors.broadcast(t, () -> scalars.constant(t, n.value));
    vectors.apply(Op.LE, Type.BOOL, t);
    vectors.allTrue();
    c.ifne(end);
    int in = spill(x, s, env);
    int out = nextSlot();
    vectors.store(t, () -> c.aload(result), () -> slot(out, 0), null);
    eachLane(
        s,
        env,
        lane -> {
          Label fine = c.newLabel();
          scalars.load(t, () -> element(in, t, lane.index()));
          withinLimit(n);
          c.ifne(fine);
          scalars.store(
              t,
              () -> element(out, t, lane.index()),
              () -> {
                scalars.load(t, () -> element(in, t, lane.index()));
                scalars.call(n.name, t, 1);
              });
          c.labelBinding(fine);
        });
    vectors.load(t, () -> slot(out, 0), null);
    c.astore(result).labelBinding(end).aload(result);
  }

  /** The stores of an Emit at one point of its loops. */
  void emit(Plan.Step s, Env env) {
    for (int i = 0; i < s.values().size(); i++) {
      Node value = s.values().get(i);
      Node address = s.addresses().get(i);
      if (env.mode == Mode.SCALAR) {
        scalars.store(value.type, () -> scalar(address, s, env), () -> scalar(value, s, env));
      } else if (s.variation().isAffine(address)
          && s.variation().stride(address) == value.type.bytes) {
        vectors.store(
            value.type,
            () -> value(value, s, env),
            () -> scalar(address, s, env),
            env.mode == Mode.MASKED ? () -> tail(env, value.type) : null);
      } else {
        int slot = isVector(value, s, env) ? spill(value, s, env) : -1;
        eachLane(
            s,
            env,
            lane -> {
              prepare(List.of(address), s, lane.env());
              scalars.store(
                  value.type,
                  () -> scalar(address, s, lane.env()),
                  () -> argument(value, slot, s, env, lane));
            });
      }
    }
  }

  /** One addition of a ScatterAdd. */
  void scatterAdd(Plan.Step s, Env env) {
    Node value = s.values().get(0);
    Node address = s.addresses().get(0);
    Type t = value.type;
    if (env.mode != Mode.SCALAR) {
      scalar(address, s, env);
      int at = c.allocateLocal(TypeKind.LONG);
      c.lstore(at);
      mask(s.condition(), t, s, env);
      if (env.mode == Mode.MASKED) {
        tail(env, t);
        vectors.applyToMasks(Op.AND);
      }
      int on = storeReference();
      vectors.store(
          t,
          () -> {
            vectors.load(t, () -> c.lload(at), () -> c.aload(on));
            vector(value, s, env);
            vectors.apply(Op.ADD, t, t);
          },
          () -> c.lload(at),
          () -> c.aload(on));
      return;
    }
    Label skip = c.newLabel();
    scalar(s.condition(), s, env);
    c.ifeq(skip);
    scalar(address, s, env);
    int at = c.allocateLocal(TypeKind.LONG);
    c.lstore(at);
    scalars.store(
        t,
        () -> c.lload(at),
        () -> {
          scalars.load(t, () -> c.lload(at));
          scalar(value, s, env);
          scalars.apply(new Node(Op.ADD, t, List.of(value, value), 0, ""));
        });
    c.labelBinding(skip);
  }
}
