package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.IdentityHashMap;
import java.util.Map;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.type.DType;

/**
 * The method of a vector loop along a row, written in scalar code with the same bits: every lane of
 * every accumulator is a number in scratch memory, which takes the elements that the lane would
 * take, in the same order. The JIT compiles it much sooner than vector code.
 */
final class ScalarLoop {
  private final BlockGen.Place place;
  private final BlockPlan plan;
  private final BlockPlan.Step.Vectors loop;
  private final CodeBuilder code;
  private final Asm asm;
  private final ScalarGen scalar;
  private final MethodGen method;
  private final int count;
  private final int lanes;
  private final int unroll;
  private final Map<Expr, Integer> fixed = new IdentityHashMap<>();
  private final Map<Expr, Integer> addresses = new IdentityHashMap<>();
  private final Map<Expr, Integer> copies = new IdentityHashMap<>();
  private final Map<Sink, Integer> targets = new IdentityHashMap<>();

  private ScalarLoop(
      BlockGen.Place place, BlockPlan plan, BlockPlan.Step.Vectors loop, CodeBuilder code) {
    this.place = place;
    this.plan = plan;
    this.loop = loop;
    this.code = code;
    this.asm = new Asm(code);
    this.scalar = new ScalarGen(asm, new int[0], new Dependences());
    this.method = new MethodGen(code, asm, scalar, -1, code.parameterSlot(0));
    this.count = code.parameterSlot(1);
    this.lanes = VectorCode.lanes(place.half());
    this.unroll = LoopGen.unroll(plan, loop, lanes);
  }

  static ClassGen.Callee add(BlockGen.Place place, BlockPlan plan, BlockPlan.Step.Vectors loop) {
    return place
        .out()
        .share("loop", LoopGen.TYPE, b -> new ScalarLoop(place, plan, loop, b).emit());
  }

  private void emit() {
    plan.operands(loop).forEach(this::prepare);
    for (Expr e : loop.stored()) {
      method.scratchAddress(plan.scratchOf(e));
      copies.put(e, asm.keep(TypeKind.LONG));
    }
    loop.sinks().forEach(this::target);
    int j = asm.local(TypeKind.INT);
    int acc = asm.local(TypeKind.INT);
    asm.intLoop(j, count, () -> element(j, acc));
    for (Sink s : loop.sinks()) {
      if (s instanceof Sink.Fold f) {
        for (int n = unroll / 2; n > 0; n /= 2) {
          merge(f, n * lanes);
        }
      }
    }
    code.return_();
  }

  private void prepare(Expr e) {
    DType t = e.dtype();
    if (plan.form(e) != BlockPlan.Form.FIXED) {
      BlockGen.pushAddress(place, plan, method, e, false);
      addresses.put(e, asm.keep(TypeKind.LONG));
      return;
    }
    if (e instanceof Expr.Const c) {
      asm.constant(t, c.value());
    } else {
      method.scratchAddress(plan.entryOf(e));
      asm.get(t);
    }
    fixed.put(e, asm.keep(Asm.kind(t)));
  }

  private void target(Sink s) {
    switch (s) {
      case Sink.ToParam p -> method.getLong(plan.entryOf(s));
      case Sink.Fold f when !f.perElement() -> method.scratchAddress(f.scratch());
      default -> throw new IllegalStateException("not along a row: " + s);
    }
    int target = asm.keep(TypeKind.LONG);
    targets.put(s, target);
    if (s instanceof Sink.Fold f && unroll > 1) {
      DType t = s.value().dtype();
      code.lload(target).loadConstant((long) lanes * t.bytes()).ladd();
      asm.constant(t, f.reducer().identity(t));
      code.loadConstant((unroll - 1) * lanes);
      asm.fill(t);
    }
  }

  /** One element, with the number of the accumulator that takes it in a local. */
  private void element(int j, int acc) {
    Map<Expr, Integer> values = new IdentityHashMap<>(fixed);
    loop.stored().forEach(e -> value(e, j, values));
    loop.sinks().forEach(s -> value(s.value(), j, values));
    for (Expr e : loop.stored()) {
      asm.element(copies.get(e), e.dtype(), j);
      push(e, values);
      asm.put(e.dtype());
    }
    if (loop.sinks().stream().anyMatch(s -> s instanceof Sink.Fold)) {
      accumulator(j);
      code.istore(acc);
    }
    for (Sink s : loop.sinks()) {
      DType t = s.value().dtype();
      boolean folds = s instanceof Sink.Fold;
      asm.element(targets.get(s), t, folds ? acc : j);
      if (s instanceof Sink.Fold f) {
        code.dup2();
        asm.get(t);
        push(s.value(), values);
        scalar.combine(f.reducer(), t);
      } else {
        push(s.value(), values);
      }
      asm.put(t);
    }
  }

  /**
   * Pushes which accumulator an element goes to: of what is left in the end, to the first lanes.
   */
  private void accumulator(int j) {
    int whole = unroll * lanes;
    if (unroll == 1) {
      code.iload(j).loadConstant(lanes - 1).iand();
      return;
    }
    Label left = code.newLabel();
    Label end = code.newLabel();
    code.iload(j).iload(count).loadConstant(-whole).iand().if_icmpge(left);
    code.iload(j).loadConstant(whole - 1).iand().goto_(end);
    code.labelBinding(left).iload(j).loadConstant(lanes - 1).iand();
    code.labelBinding(end);
  }

  /** Combines the first n accumulators with the next n. */
  private void merge(Sink.Fold f, int n) {
    DType t = f.value().dtype();
    int target = targets.get(f);
    code.loadConstant(n);
    int end = asm.keep(TypeKind.INT);
    int i = asm.local(TypeKind.INT);
    asm.intLoop(
        i,
        end,
        () -> {
          asm.element(target, t, i);
          code.dup2().dup2().loadConstant((long) n * t.bytes()).ladd();
          int other = asm.keep(TypeKind.LONG);
          asm.get(t);
          code.lload(other);
          asm.get(t);
          scalar.combine(f.reducer(), t);
          asm.put(t);
        });
  }

  private void value(Expr e, int j, Map<Expr, Integer> values) {
    if (values.containsKey(e)) {
      return;
    }
    if (plan.computes(loop, e)) {
      Expr.Apply a = (Expr.Apply) e;
      a.args().forEach(x -> value(x, j, values));
      a.args().forEach(x -> push(x, values));
      scalar.apply(a.op(), a.dtype(), a.args().getLast().dtype());
    } else {
      asm.element(addresses.get(e), e.dtype(), j);
      asm.get(e.dtype());
    }
    values.put(e, asm.keep(Asm.kind(e.dtype())));
  }

  private void push(Expr e, Map<Expr, Integer> values) {
    code.loadLocal(Asm.kind(e.dtype()), values.get(e));
  }
}
