package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.math.ScalarMath;
import tapedeck.cpu.math.VectorMath;

/**
 * Emits the steps of a {@link BlockPlan}. Each vector loop is a method of its own, which finds
 * addresses and fixed values in scratch memory; the rest is written in place, or where that would
 * be too much for one method, in several.
 */
final class BlockGen {
  /** Opens a method that computes a part of a block, with accumulators where they are. */
  @FunctionalInterface
  interface Opener {
    /**
     * @param base long local with the axis value of the block's first element
     */
    MethodGen open(CodeBuilder code, int buffers, int scratch, int base);
  }

  /** Where accumulators have one value per element of the block. */
  @FunctionalInterface
  interface AccBlocks {
    /** Pushes the address of the block's first value. */
    void address(MethodGen method, int id);
  }

  /**
   * Values of the axis that a block has.
   *
   * @param base long local with the axis value of the first element
   * @param count int local with the number of elements
   * @param rows int local with the number of values of the outermost loop over rows that the plan
   *     walks; negative if it walks none
   */
  record Block(Loop axis, int base, int count, int rows) {
    Block(Loop axis, int base, int count) {
      this(axis, base, count, -1);
    }
  }

  /**
   * Everything that emitting a block needs besides its plan.
   *
   * @param inScalars whether vector loops and functions are scalar code with the same bits
   */
  record Place(ClassGen out, Opener opener, AccBlocks accs, boolean half, boolean inScalars) {}

  private final Place place;
  private final BlockPlan plan;
  private final Block at;
  private final MethodGen method;
  private final Asm asm;
  private final CodeBuilder code;
  private final ScalarGen scalar;

  private BlockGen(Place place, BlockPlan plan, Block at, MethodGen method) {
    this.place = place;
    this.plan = plan;
    this.at = at;
    this.method = method;
    this.asm = method.asm();
    this.code = method.code();
    this.scalar = method.scalar();
  }

  static void emit(Place place, BlockPlan plan, Block at, MethodGen method) {
    new BlockGen(place, plan, at, method).emit();
  }

  /** A piece of code and its estimated size. */
  private record Piece(List<Expr> evaluated, int bytes, Consumer<BlockGen> body) {}

  private void emit() {
    List<Piece> pieces = new ArrayList<>();
    plan.entries().forEach((what, offset) -> pieces.add(entry(what, offset)));
    plan.steps().forEach(s -> pieces.add(step(s)));
    List<List<Piece>> groups = grouped(pieces);
    if (groups.size() == 1 || at.rows() >= 0) {
      pieces.forEach(p -> p.body.accept(this));
    } else {
      groups.forEach(this::callPart);
    }
  }

  /** Pieces in order, cut where a method would become too large. */
  private static List<List<Piece>> grouped(List<Piece> pieces) {
    List<List<Piece>> groups = new ArrayList<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    int bytes = 0;
    for (Piece p : pieces) {
      int more = p.bytes + CodeSize.of(p.evaluated, seen);
      if (groups.isEmpty() || bytes + more > CodeSize.LIMIT) {
        groups.add(new ArrayList<>());
        seen.clear();
        more = p.bytes + CodeSize.of(p.evaluated, seen);
        bytes = 0;
      }
      groups.getLast().add(p);
      bytes += more;
    }
    return groups;
  }

  /** A method with a group of pieces: buffers, scratch, count, then all loops that have values. */
  private void callPart(List<Piece> group) {
    List<Loop> loops = scalar.bound();
    ClassDesc[] args = new ClassDesc[3 + loops.size()];
    Arrays.fill(args, ConstantDescs.CD_long);
    args[0] = ConstantDescs.CD_long.arrayType();
    args[2] = ConstantDescs.CD_int;
    ClassGen.Callee part =
        place
            .out()
            .add(
                "part",
                MethodTypeDesc.of(ConstantDescs.CD_void, args),
                b -> {
                  int base = b.parameterSlot(3 + loops.indexOf(at.axis()));
                  MethodGen m =
                      place.opener().open(b, b.parameterSlot(0), b.parameterSlot(1), base);
                  for (int i = 0; i < loops.size(); i++) {
                    m.scalar().bind(loops.get(i), b.parameterSlot(3 + i));
                  }
                  Block here = new Block(at.axis(), base, b.parameterSlot(2));
                  BlockGen g = new BlockGen(place, plan, here, m);
                  group.forEach(p -> p.body.accept(g));
                  b.return_();
                });
    code.aload(method.buffers()).lload(method.scratch()).iload(at.count());
    loops.forEach(l -> code.lload(scalar.slot(l)));
    ClassGen.call(code, part);
  }

  // ---- addresses and fixed values -------------------------------------------------------------

  private static Piece entry(Object what, long offset) {
    return switch (what) {
      case Expr e -> new Piece(List.of(e), 20, g -> g.put(e, offset));
      case Sink s -> new Piece(List.of(), 80, g -> g.putAddress(s, offset));
      default -> throw new IllegalStateException("no entry: " + what);
    };
  }

  private void put(Expr e, long offset) {
    if (plan.form(e) == BlockPlan.Form.FIXED && !plan.movesWithRows(e)) {
      method.scratchAddress(offset);
      scalar.push(e);
      asm.put(e.dtype());
    } else {
      Expr.Load l = (Expr.Load) e;
      scalar.address(l.param(), l.dtype(), l.index());
      method.putLong(offset);
    }
  }

  private void putAddress(Sink s, long offset) {
    switch (s) {
      case Sink.ToParam p ->
          scalar.address(p.store().param(), p.value().dtype(), p.store().index());
      case Sink.AddToParam p ->
          scalar.address(p.store().param(), p.value().dtype(), p.store().index());
      case Sink.Fold f -> throw new IllegalStateException("a fold has no address");
      case Sink.Total t -> throw new IllegalStateException("a total has no address");
      case Sink.ToTile t -> throw new IllegalStateException("a tile's address is known");
    }
    method.putLong(offset);
  }

  // ---- steps ----------------------------------------------------------------------------------

  private Piece step(BlockPlan.Step s) {
    return switch (s) {
      case BlockPlan.Step.Fill f ->
          new Piece(
              plan.form(f.value()) == BlockPlan.Form.ELEMENT_OP
                  ? fixed(((Expr.Apply) f.value()).args())
                  : List.of(f.value()),
              150,
              g -> g.fill(f.value()));
      case BlockPlan.Step.Call c -> new Piece(List.of(), 50, g -> g.call(c.value()));
      case BlockPlan.Step.Vectors v -> {
        ClassGen.Callee loop =
            place.inScalars() ? ScalarLoop.add(place, plan, v) : LoopGen.add(place, plan, v);
        yield new Piece(List.of(), 10, g -> g.callLoop(loop));
      }
      case BlockPlan.Step.Put p ->
          new Piece(fixed(List.of(p.sink().value())), 200, g -> g.scatter(p.sink()));
    };
  }

  private List<Expr> fixed(List<Expr> operands) {
    return operands.stream().filter(e -> plan.form(e) == BlockPlan.Form.FIXED).toList();
  }

  private void callLoop(ClassGen.Callee loop) {
    code.lload(method.scratch()).iload(at.count());
    if (at.rows() < 0) {
      code.iconst_1();
    } else {
      code.iload(at.rows());
    }
    ClassGen.call(code, loop);
  }

  private void fill(Expr e) {
    int to = address(e, false);
    if (plan.form(e) != BlockPlan.Form.ELEMENT_OP) {
      eachElement(
          j -> {
            asm.element(to, e.dtype(), j);
            scalar.push(e);
            asm.put(e.dtype());
          });
      return;
    }
    Expr.Apply a = (Expr.Apply) e;
    Map<Expr, Integer> from = new IdentityHashMap<>();
    for (Expr x : a.args()) {
      if (plan.form(x) != BlockPlan.Form.FIXED) {
        from.put(x, address(x, false));
      }
    }
    eachElement(
        j -> {
          asm.element(to, a.dtype(), j);
          a.args().forEach(x -> pushElement(x, from.get(x), j));
          scalar.apply(a.op(), a.dtype(), a.args().getLast().dtype());
          asm.put(a.dtype());
        });
  }

  private void call(Expr.Apply a) {
    ClassDesc op = ScalarOp.class.describeConstable().orElseThrow();
    code.getstatic(op, a.op().name(), op);
    code.loadConstant(a.dtype() == DType.FLOAT64 ? 1 : 0);
    pushAddress(a.args().getFirst(), false);
    pushAddress(a.args().getLast(), false);
    pushAddress(a, false);
    code.iload(at.count()).i2l();
    asm.call(
        place.inScalars() ? ScalarMath.class : VectorMath.class,
        "apply",
        ConstantDescs.CD_void,
        op,
        ConstantDescs.CD_boolean,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long);
  }

  /** Stores or adds element by element. */
  private void scatter(Sink s) {
    DType t = s.value().dtype();
    boolean isFixed = plan.form(s.value()) == BlockPlan.Form.FIXED;
    int from = isFixed ? -1 : address(s.value(), true);
    eachElement(
        j -> {
          switch (s) {
            case Sink.ToParam p -> {
              scalar.address(p.store().param(), t, p.store().index());
              pushElement(s.value(), from, j);
            }
            case Sink.AddToParam p -> {
              scalar.address(p.store().param(), t, p.store().index());
              code.dup2();
              asm.get(t);
              pushElement(s.value(), from, j);
              scalar.apply(ScalarOp.ADD, t, t);
            }
            case Sink.Fold f -> {
              method.scratchAddress(f.scratch());
              code.dup2();
              asm.get(t);
              pushElement(s.value(), from, j);
              scalar.combine(f.reducer(), t);
            }
            case Sink.Total x -> throw new IllegalStateException("a row is contiguous");
            case Sink.ToTile x -> throw new IllegalStateException("a tile is contiguous");
          }
          asm.put(t);
        });
  }

  // ---- elements -------------------------------------------------------------------------------

  /**
   * Pushes the address of the block's values of an expression.
   *
   * @param copy whether to take the copy of a parameter's elements, if there is one
   */
  private void pushAddress(Expr e, boolean copy) {
    pushAddress(place, plan, method, e, copy);
  }

  static void pushAddress(Place place, BlockPlan plan, MethodGen method, Expr e, boolean copy) {
    Long scratch = plan.scratchOf(e);
    if (scratch != null && (copy || plan.form(e) != BlockPlan.Form.MEMORY)) {
      method.scratchAddress(scratch);
    } else if (e instanceof Expr.Acc a) {
      place.accs().address(method, a.id());
    } else {
      method.getLong(plan.entryOf(e));
    }
  }

  private int address(Expr e, boolean copy) {
    pushAddress(e, copy);
    return asm.keep(TypeKind.LONG);
  }

  /** A loop over the block with the axis bound to each value in turn. */
  private void eachElement(IntConsumer body) {
    int j = asm.local(TypeKind.INT);
    int value = asm.local(TypeKind.LONG);
    asm.intLoop(
        j,
        at.count(),
        () -> {
          code.lload(at.base()).iload(j).i2l().ladd().lstore(value);
          scalar.bind(at.axis(), value);
          scalar.open();
          body.accept(j);
          scalar.close();
        });
    scalar.bind(at.axis(), at.base());
  }

  private void pushElement(Expr e, Integer addressSlot, int j) {
    if (plan.form(e) == BlockPlan.Form.FIXED) {
      scalar.push(e);
    } else {
      asm.element(addressSlot, e.dtype(), j);
      asm.get(e.dtype());
    }
  }
}
