package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Emits expressions, indices, loops and stores as bytecode that TornadoVM's compiler reads. */
final class ExprGen {
  /** Accumulators side by side in a long reduction. */
  private static final int CHAINS = 8;

  /** Most nodes of a reduction's expressions that are worth writing out for each chain. */
  private static final int CHEAP = 12;

  final CodeBuilder code;
  final OpCode ops;
  private final int[] params;
  private final Map<Loop, Integer> loops = new HashMap<>();
  private final Map<Integer, Integer> accs = new HashMap<>();
  private final Deque<Map<Expr, Integer>> scopes = new ArrayDeque<>();

  /**
   * @param params local variable of each kernel parameter's array
   * @param target the device
   */
  ExprGen(CodeBuilder code, int[] params, Target target) {
    this.code = code;
    this.ops = new OpCode(code, target);
    this.params = params.clone();
    scopes.push(new IdentityHashMap<>());
  }

  /** The local with the array of a kernel's parameter. */
  int local(int param) {
    return params[param];
  }

  /** The loop's value is in this int local from now on. */
  void bind(Loop l, int slot) {
    loops.put(l, slot);
  }

  /** The accumulator's result is in this local from now on. */
  void bindAcc(int id, int slot) {
    accs.put(id, slot);
  }

  /** Opens a block whose values are not known after it. */
  void open() {
    scopes.push(new IdentityHashMap<>());
  }

  void close() {
    scopes.pop();
  }

  /** Stores the top of the stack into a new local. */
  int keep(TypeKind kind) {
    int slot = code.allocateLocal(kind);
    code.storeLocal(kind, slot);
    return slot;
  }

  /** A number of the work-item, a field of its kernel context, in a new local. */
  int workItem(String field) {
    code.aload(0).getfield(Types.CONTEXT, field, ConstantDescs.CD_Integer);
    code.invokevirtual(
        ConstantDescs.CD_Integer, "intValue", MethodTypeDesc.of(ConstantDescs.CD_int));
    return keep(TypeKind.INT);
  }

  private Integer known(Expr e) {
    for (Map<Expr, Integer> s : scopes) {
      Integer slot = s.get(e);
      if (slot != null) {
        return slot;
      }
    }
    return null;
  }

  /** The expression's value is in this local from now on, in this block. */
  void known(Expr e, int slot) {
    scopes.peek().put(e, slot);
  }

  /** Pushes the value of an expression. */
  void push(Expr e) {
    Integer slot = known(e);
    if (slot != null) {
      code.loadLocal(Types.kind(e.dtype()), slot);
      return;
    }
    switch (e) {
      case Expr.Const c -> constant(c.dtype(), c.value());
      case Expr.Acc a -> code.loadLocal(Types.kind(a.dtype()), accs.get(a.id()));
      case Expr.Load l -> {
        load(l.param(), l.dtype(), () -> index(l.index()));
        share(e);
      }
      case Expr.IndexValue v -> index(v.index());
      case Expr.Apply a -> {
        a.args().forEach(this::push);
        DType in = a.args().getLast().dtype();
        if (in.isFloat() && a.args().stream().allMatch(Expr.Const.class::isInstance)) {
          // Or the compiler works the value out, which may be one that it cannot write.
          unknownZero(in);
          ops.apply(ScalarOp.SUB, in, in);
        }
        ops.apply(a.op(), a.dtype(), in);
        share(e);
      }
      case Expr.Guarded g -> guarded(g);
    }
  }

  void constant(DType t, double v) {
    if (t == DType.FLOAT64 ? !Double.isFinite(v) : t == DType.FLOAT32 && Double.isNaN(v)) {
      special(t, v);
      return;
    }
    switch (t) {
      case FLOAT32 -> code.loadConstant((float) v);
      case FLOAT64 -> code.loadConstant(v);
      case INT32, BOOL -> code.loadConstant((int) v);
    }
  }

  /**
   * An infinity or NaN as a quotient by a zero that the compiler does not see through: TornadoVM
   * writes a NaN as a name that OpenCL C lacks, and float64 infinities as float32 quotients, which
   * make calls ambiguous.
   */
  private void special(DType t, double v) {
    double numerator = Double.isNaN(v) ? 0 : v > 0 ? 1 : -1;
    constant(t, numerator);
    unknownZero(t);
    ops.apply(ScalarOp.DIV, t, t);
  }

  /** Pushes a zero that the compiler does not see through. */
  private void unknownZero(DType t) {
    code.iload(workItem("globalIdx")).loadConstant(31).ishr();
    if (t == DType.FLOAT64) {
      code.i2d();
    } else {
      code.i2f();
    }
  }

  /** Keeps the value on the stack in a local too, for other uses in this block. */
  private void share(Expr e) {
    int slot = keep(Types.kind(e.dtype()));
    scopes.peek().put(e, slot);
    code.loadLocal(Types.kind(e.dtype()), slot);
  }

  /** Pushes an element of a parameter. */
  void load(int param, DType t, Runnable index) {
    code.aload(params[param]);
    index.run();
    code.invokevirtual(
        Types.array(t), "get", MethodTypeDesc.of(Types.element(t), ConstantDescs.CD_int));
  }

  /** Writes an element of a parameter. */
  void store(int param, DType t, Runnable index, Runnable value) {
    code.aload(params[param]);
    index.run();
    value.run();
    if (t == DType.BOOL) {
      code.i2b();
    }
    code.invokevirtual(
        Types.array(t),
        "set",
        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int, Types.element(t)));
  }

  private void guarded(Expr.Guarded g) {
    TypeKind kind = Types.kind(g.dtype());
    int result = code.allocateLocal(kind);
    choose(
        g.bounds(),
        () -> {
          push(g.value());
          code.storeLocal(kind, result);
        },
        () -> {
          push(g.otherwise());
          code.storeLocal(kind, result);
        });
    scopes.peek().put(g, result);
    code.loadLocal(kind, result);
  }

  /** Runs one block where all bounds hold, and another one where not. */
  void choose(List<Expr.Bound> bounds, Runnable inside, Runnable outside) {
    List<Runnable> signs = new ArrayList<>();
    for (Expr.Bound b : bounds) {
      if (b.index().min() < b.lo()) {
        signs.add(() -> index(b.index().plus(-b.lo())));
      }
      if (b.index().max() >= b.hi()) {
        signs.add(() -> index(b.index().times(-1).plus(b.hi() - 1)));
      }
    }
    if (signs.isEmpty()) {
      inside.run();
      return;
    }
    // One comparison for all bounds: the compiler's structured output takes plain if and else only.
    for (int i = 0; i < signs.size(); i++) {
      signs.get(i).run();
      if (i > 0) {
        code.ior();
      }
    }
    Label otherwise = code.newLabel();
    Label end = code.newLabel();
    code.iflt(otherwise);
    open();
    inside.run();
    close();
    code.goto_(end).labelBinding(otherwise);
    open();
    outside.run();
    close();
    code.labelBinding(end);
    code.nop();
  }

  /** Pushes an index as an int. */
  void index(Index index) {
    boolean first = true;
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> code.iload(loops.get(v.loop()));
        case Index.Div d -> {
          index(d.arg());
          code.loadConstant(Math.toIntExact(d.by())).idiv();
        }
        case Index.Mod m -> {
          index(m.arg());
          code.loadConstant(Math.toIntExact(m.by())).irem();
        }
        case Index.Dyn d -> push(d.value());
      }
      if (t.coef() != 1) {
        code.loadConstant(Math.toIntExact(t.coef())).imul();
      }
      if (!first) {
        code.iadd();
      }
      first = false;
    }
    if (first) {
      code.loadConstant(Math.toIntExact(index.base()));
    } else if (index.base() != 0) {
      code.loadConstant(Math.toIntExact(index.base())).iadd();
    }
  }

  /** Binds loops to the digits of a flattened counter in a local, the last loop fastest. */
  void decode(int flat, List<Loop> over) {
    int rest = flat;
    for (int i = over.size() - 1; i >= 0; i--) {
      Loop l = over.get(i);
      int extent = Math.toIntExact(l.extent());
      if (extent == 1) {
        code.iconst_0();
        bind(l, keep(TypeKind.INT));
      } else if (i == 0) {
        bind(l, rest);
      } else {
        code.iload(rest).loadConstant(extent).irem();
        bind(l, keep(TypeKind.INT));
        code.iload(rest).loadConstant(extent).idiv();
        rest = keep(TypeKind.INT);
      }
    }
  }

  /** Binds loops to the digits of a flat index that is on the stack; returns its local. */
  int bindFlat(List<Loop> over) {
    int flat = keep(TypeKind.INT);
    if (over.size() == 1) {
      bind(over.getFirst(), flat);
    } else {
      decode(flat, over);
    }
    return flat;
  }

  /** Allocates local memory of a work-group; returns the local variable that holds it. */
  int localArray(DType t, int size) {
    code.aload(0).loadConstant(size);
    code.invokevirtual(
        Types.CONTEXT,
        switch (t) {
          case FLOAT32 -> "allocateFloatLocalArray";
          case FLOAT64 -> "allocateDoubleLocalArray";
          case INT32, BOOL -> "allocateIntLocalArray";
        },
        MethodTypeDesc.of(Types.scalar(t).arrayType(), ConstantDescs.CD_int));
    return keep(TypeKind.REFERENCE);
  }

  /** Reads the element of such an array whose index is on the stack. */
  void arrayLoad(DType t) {
    if (t == DType.FLOAT32) {
      code.faload();
    } else {
      code.daload();
    }
  }

  /** Writes such an element. */
  void arrayStore(DType t) {
    if (t == DType.FLOAT32) {
      code.fastore();
    } else {
      code.dastore();
    }
  }

  /** What pushes the size of the block at an offset, the last one of which may be smaller. */
  Runnable blockSize(int extent, int block, int offset) {
    if (extent % block == 0) {
      return () -> code.loadConstant(block);
    }
    code.loadConstant(block).loadConstant(extent).iload(offset).isub();
    apply(ScalarOp.MIN, DType.INT32);
    int size = keep(TypeKind.INT);
    return () -> code.iload(size);
  }

  /** {@code value % by * scale} or {@code value / by * scale}, in a new local. */
  int digit(int value, int by, int scale, boolean remainder) {
    code.iload(value).loadConstant(by);
    if (remainder) {
      code.irem();
    } else {
      code.idiv();
    }
    code.loadConstant(scale).imul();
    return keep(TypeKind.INT);
  }

  /** Applies an instruction to two operands on the stack. */
  void apply(ScalarOp op, DType t) {
    ops.apply(op, t, t);
  }

  /** {@code for (slot = from; slot < limit; slot += step) body}. */
  void count(int slot, Runnable from, Runnable limit, int step, Runnable body) {
    from.run();
    code.istore(slot);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top).iload(slot);
    limit.run();
    code.if_icmpge(end);
    open();
    body.run();
    close();
    code.iload(slot).loadConstant(step).iadd().istore(slot);
    code.goto_(top).labelBinding(end);
    code.nop();
  }

  /** All points of some loops, in order. */
  void loops(List<Loop> over, Runnable body) {
    if (over.isEmpty()) {
      body.run();
      return;
    }
    Loop l = over.getFirst();
    int slot = code.allocateLocal(TypeKind.INT);
    bind(l, slot);
    count(
        slot,
        code::iconst_0,
        () -> code.loadConstant(Math.toIntExact(l.extent())),
        1,
        () -> loops(over.subList(1, over.size()), body));
  }

  /** Declares locals for a reduction's accumulators with their identities; in the phase's order. */
  int[] accumulators(Phase.Reduce r) {
    int[] slots = new int[r.accs().size()];
    for (int i = 0; i < slots.length; i++) {
      Phase.Accumulator a = r.accs().get(i);
      constant(a.dtype(), a.reducer().identity(a.dtype()));
      slots[i] = keep(Types.kind(a.dtype()));
    }
    return slots;
  }

  /** One step of every accumulator. */
  void accumulate(Phase.Reduce r, int[] slots) {
    for (int i = 0; i < slots.length; i++) {
      Phase.Accumulator a = r.accs().get(i);
      TypeKind kind = Types.kind(a.dtype());
      code.loadLocal(kind, slots[i]);
      push(a.value());
      combine(a.reducer(), a.dtype());
      code.storeLocal(kind, slots[i]);
    }
  }

  /** Combines an accumulator and a value, both on the stack. */
  void combine(Reducer r, DType t) {
    apply(r.op(), t);
  }

  void bindAll(Phase.Reduce r, int[] slots) {
    for (int i = 0; i < slots.length; i++) {
      bindAcc(r.accs().get(i).id(), slots[i]);
    }
  }

  /** All values first, then all writes: a buffer may be overwritten in place. */
  void stores(List<Phase.Store> stores) {
    int[] at = new int[stores.size()];
    int[] values = new int[stores.size()];
    for (int i = 0; i < values.length; i++) {
      Phase.Store s = stores.get(i);
      push(s.value());
      values[i] = keep(Types.kind(s.value().dtype()));
      index(s.index());
      at[i] = keep(TypeKind.INT);
    }
    for (int i = 0; i < values.length; i++) {
      int k = i;
      DType t = stores.get(i).value().dtype();
      store(
          stores.get(i).param(),
          t,
          () -> code.iload(at[k]),
          () -> code.loadLocal(Types.kind(t), values[k]));
    }
  }

  /** Phases of one grid point as one work-item runs them. */
  void phases(List<Phase> phases) {
    for (Phase p : phases) {
      phase(p);
    }
  }

  void phase(Phase p) {
    switch (p) {
      case Phase.Reduce r -> reduce(r);
      case Phase.Emit e -> loops(e.loops(), () -> stores(e.stores()));
      case Phase.ScatterAdd s -> loops(s.loops(), () -> scatter(s));
    }
  }

  private void reduce(Phase.Reduce r) {
    long extent = r.loops().isEmpty() ? 1 : r.loops().getLast().extent();
    if (extent < 4 * CHAINS || Uses.nodes(r) > CHEAP) {
      int[] slots = accumulators(r);
      loops(r.loops(), () -> accumulate(r, slots));
      bindAll(r, slots);
      return;
    }
    // Several chains of additions, because one would wait for its own last step each time.
    int[][] chains = new int[CHAINS][];
    for (int u = 0; u < CHAINS; u++) {
      chains[u] = accumulators(r);
    }
    Loop inner = r.loops().getLast();
    int whole = Math.toIntExact(extent) / CHAINS * CHAINS;
    loops(
        r.loops().subList(0, r.loops().size() - 1),
        () -> {
          int i = code.allocateLocal(TypeKind.INT);
          count(
              i,
              code::iconst_0,
              () -> code.loadConstant(whole),
              CHAINS,
              () -> {
                for (int u = 0; u < CHAINS; u++) {
                  open();
                  code.iload(i).loadConstant(u).iadd();
                  bind(inner, keep(TypeKind.INT));
                  accumulate(r, chains[u]);
                  close();
                }
              });
          for (int rest = whole; rest < extent; rest++) {
            open();
            code.loadConstant(rest);
            bind(inner, keep(TypeKind.INT));
            accumulate(r, chains[rest - whole]);
            close();
          }
        });
    for (int a = 0; a < r.accs().size(); a++) {
      Phase.Accumulator acc = r.accs().get(a);
      TypeKind kind = Types.kind(acc.dtype());
      for (int u = 1; u < CHAINS; u++) {
        code.loadLocal(kind, chains[0][a]).loadLocal(kind, chains[u][a]);
        combine(acc.reducer(), acc.dtype());
        code.storeLocal(kind, chains[0][a]);
      }
    }
    bindAll(r, chains[0]);
  }

  private void scatter(Phase.ScatterAdd s) {
    choose(
        s.bounds(),
        () -> {
          Phase.Store st = s.store();
          DType t = st.value().dtype();
          index(st.index());
          int at = keep(TypeKind.INT);
          store(
              st.param(),
              t,
              () -> code.iload(at),
              () -> {
                load(st.param(), t, () -> code.iload(at));
                push(st.value());
                combine(Reducer.SUM, t);
              });
        },
        () -> {});
  }

  /** Work of a phase's loops, as a number of points. */
  static long points(Phase p) {
    return Contraction.extent(p.loops());
  }
}
