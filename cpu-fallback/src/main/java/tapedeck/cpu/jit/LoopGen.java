package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.IdentityHashMap;
import java.util.Map;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * The method of one vector loop over a block. Its arguments are scratch memory, where it finds all
 * addresses and fixed values, and the number of elements.
 */
final class LoopGen {
  private static final MethodTypeDesc TYPE =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_long, ConstantDescs.CD_int);

  private final BlockGen.Place place;
  private final BlockPlan plan;
  private final BlockPlan.Step.Vectors loop;
  private final CodeBuilder code;
  private final Asm asm;
  private final MethodGen method;
  private final VectorCode vectors;
  private final int count;
  private final Map<Expr, Integer> addresses = new IdentityHashMap<>();
  private final Map<Expr, Integer> copies = new IdentityHashMap<>();
  private final Map<Sink, Integer> targets = new IdentityHashMap<>();
  private final Map<Expr, Integer> splats = new IdentityHashMap<>();
  private final Map<Sink, Integer> folds = new IdentityHashMap<>();

  private LoopGen(
      BlockGen.Place place, BlockPlan plan, BlockPlan.Step.Vectors loop, CodeBuilder code) {
    this.place = place;
    this.plan = plan;
    this.loop = loop;
    this.code = code;
    this.asm = new Asm(code);
    int scratch = code.parameterSlot(0);
    this.method =
        new MethodGen(code, asm, new ScalarGen(asm, new int[0], new Dependences()), -1, scratch);
    this.vectors = new VectorCode(asm, place.half());
    this.count = code.parameterSlot(1);
  }

  static ClassGen.Callee add(BlockGen.Place place, BlockPlan plan, BlockPlan.Step.Vectors loop) {
    return place.out().add("loop", TYPE, b -> new LoopGen(place, plan, loop, b).emit());
  }

  private void emit() {
    plan.operands(loop).forEach(this::prepare);
    for (Expr e : loop.stored()) {
      method.scratchAddress(plan.scratchOf(e));
      copies.put(e, asm.keep(TypeKind.LONG));
    }
    for (Sink s : loop.sinks()) {
      switch (s) {
        case Sink.ToParam p -> method.getLong(plan.entryOf(s));
        case Sink.AddToParam p -> method.getLong(plan.entryOf(s));
        case Sink.ToTile t -> method.getLong(t.entry());
        case Sink.Fold f -> method.scratchAddress(f.scratch());
      }
      int target = asm.keep(TypeKind.LONG);
      targets.put(s, target);
      if (s instanceof Sink.Fold f && !f.perElement()) {
        vectors.load(s.value().dtype(), () -> code.lload(target));
        folds.put(s, asm.keep(TypeKind.REFERENCE));
      }
    }
    loop();
    folds.forEach(
        (s, slot) ->
            vectors.store(
                s.value().dtype(), () -> code.lload(targets.get(s)), () -> code.aload(slot), -1));
    code.return_();
  }

  private void loop() {
    int j = asm.local(TypeKind.INT);
    code.iconst_0().istore(j);
    Label top = code.newLabel();
    Label tail = code.newLabel();
    Label end = code.newLabel();
    if (folds.isEmpty()) {
      // Only stores have to know how many lanes count, so one body does for whole vectors and the
      // tail.
      code.labelBinding(top).iload(j).iload(count).if_icmpge(end);
      code.iload(count).iload(j).isub();
      body(j, asm.keep(TypeKind.INT));
      code.iinc(j, vectors.lanes).goto_(top).labelBinding(end);
      return;
    }
    code.labelBinding(top).iload(j).iload(count).loadConstant(vectors.lanes).isub().if_icmpgt(tail);
    body(j, -1);
    code.iinc(j, vectors.lanes).goto_(top).labelBinding(tail);
    code.iload(j).iload(count).if_icmpge(end);
    code.iload(count).iload(j).isub();
    body(j, asm.keep(TypeKind.INT));
    code.labelBinding(end);
  }

  /** Gets the address of a loaded operand, or puts a fixed one into all lanes. */
  private void prepare(Expr e) {
    DType t = e.dtype();
    if (plan.form(e) != BlockPlan.Form.FIXED) {
      BlockGen.pushAddress(place, plan, method, e, false);
      addresses.put(e, asm.keep(TypeKind.LONG));
      return;
    }
    vectors.broadcast(
        t,
        () -> {
          if (e instanceof Expr.Const c) {
            asm.constant(t, c.value());
          } else {
            method.scratchAddress(plan.entryOf(e));
            asm.get(t);
          }
        });
    splats.put(e, asm.keep(TypeKind.REFERENCE));
  }

  private void body(int j, int left) {
    Map<Expr, Integer> lanes = new IdentityHashMap<>(splats);
    loop.stored().forEach(e -> value(e, j, lanes));
    loop.sinks().forEach(s -> value(s.value(), j, lanes));
    for (Expr e : loop.stored()) {
      vectors.store(
          e.dtype(),
          () -> element(copies.get(e), e.dtype(), j),
          () -> code.aload(lanes.get(e)),
          -1);
    }
    for (Sink s : loop.sinks()) {
      DType t = s.value().dtype();
      Runnable value = () -> code.aload(lanes.get(s.value()));
      Runnable target = () -> element(targets.get(s), t, j);
      switch (s) {
        case Sink.ToParam p -> vectors.store(t, target, value, left);
        case Sink.ToTile x -> vectors.store(t, target, value, left);
        case Sink.AddToParam p ->
            vectors.store(
                t,
                target,
                () -> vectors.operation(ScalarOp.ADD, t, () -> vectors.load(t, target), value),
                left);
        case Sink.Fold f when f.perElement() ->
            vectors.store(
                t,
                target,
                () -> vectors.operation(f.reducer().op(), t, () -> vectors.load(t, target), value),
                -1);
        case Sink.Fold f -> {
          int acc = folds.get(s);
          Runnable combined =
              () -> vectors.operation(f.reducer().op(), t, () -> code.aload(acc), value);
          if (left < 0) {
            combined.run();
          } else {
            vectors.first(DType.BOOL, left);
            int mask = asm.keep(TypeKind.REFERENCE);
            vectors.blend(t, () -> code.aload(acc), combined, mask);
          }
          code.astore(acc);
        }
      }
    }
  }

  /** Evaluates a vector into a local. */
  private void value(Expr e, int j, Map<Expr, Integer> lanes) {
    if (lanes.containsKey(e)) {
      return;
    }
    if (plan.computes(loop, e)) {
      Expr.Apply a = (Expr.Apply) e;
      a.args().forEach(x -> value(x, j, lanes));
      vectors.instruction(a, x -> code.aload(lanes.get(x)));
    } else {
      vectors.load(e.dtype(), () -> element(addresses.get(e), e.dtype(), j));
    }
    lanes.put(e, asm.keep(TypeKind.REFERENCE));
  }

  private void element(int address, DType t, int j) {
    code.lload(address).iload(j).i2l();
    if (t.bytes() > 1) {
      code.loadConstant((long) t.bytes()).lmul();
    }
    code.ladd();
  }
}
