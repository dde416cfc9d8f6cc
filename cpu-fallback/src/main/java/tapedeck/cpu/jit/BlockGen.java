package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.math.VectorMath;

/**
 * Emits code that evaluates expressions for a block of consecutive values of one loop, the axis.
 * Cheap instructions on contiguous elements become one loop over vectors. What is expensive (a
 * library function on a block) or not contiguous (a scalar loop) cuts the work into stages; values
 * cross stages in scratch memory that stays in the first-level cache.
 */
final class BlockGen {
  /** Most elements of a block. */
  static final int BLOCK = 512;

  /** Scratch bytes of one value of a block. */
  static final int SLOT = BLOCK * 8;

  private enum Form {
    /** Does not change along the axis. */
    FIXED,
    /** Consecutive elements of a parameter, or of scratch. */
    MEMORY,
    /** A vector instruction. */
    VECTOR,
    /** A function of whole blocks. */
    BLOCK_CALL,
    /** A scalar loop over operands in memory. */
    ELEMENT_OP,
    /** A scalar loop that evaluates the whole expression. */
    GATHER
  }

  private final ScalarGen scalar;
  private final Asm asm;
  private final CodeBuilder code;
  private final Loop axis;
  private final int axisSlot;
  private final int countSlot;
  private final int scratchSlot;
  private final boolean half;
  private final int lanes;
  private final VectorCode vectors;
  private final Map<Integer, Integer> accScratch;
  private final Map<Integer, Integer> accAddress;
  private final Map<Expr, Form> forms = new IdentityHashMap<>();

  /** Classified expressions, operands first. */
  private final List<Expr> order = new ArrayList<>();

  private final Map<Expr, Integer> stages = new IdentityHashMap<>();
  private final Map<Expr, Integer> scratchOf = new IdentityHashMap<>();
  private final Map<Expr, Integer> addressOf = new IdentityHashMap<>();
  private final Map<Expr, Integer> splats = new IdentityHashMap<>();
  private final Map<Expr, Boolean> stored = new IdentityHashMap<>();
  private final Map<Sink, Integer> sinkAddress = new IdentityHashMap<>();
  private int nextScratch;
  private int last;

  /**
   * @param axisSlot long local with the axis value of the block's first element
   * @param countSlot int local with the number of elements
   * @param scratchSlot long local with the address of scratch memory
   * @param half whether there are float64 values
   * @param firstScratch scratch slots below this one are taken
   * @param accScratch accumulators that have one value per element of the block, and their scratch
   *     slots
   * @param accAddress accumulators whose values for the block lie at an address in a long local
   */
  BlockGen(
      ScalarGen scalar,
      Loop axis,
      int axisSlot,
      int countSlot,
      int scratchSlot,
      boolean half,
      int firstScratch,
      Map<Integer, Integer> accScratch,
      Map<Integer, Integer> accAddress) {
    this.scalar = scalar;
    this.asm = scalar.asm;
    this.code = asm.code;
    this.axis = axis;
    this.axisSlot = axisSlot;
    this.countSlot = countSlot;
    this.scratchSlot = scratchSlot;
    this.half = half;
    this.vectors = new VectorCode(asm, half);
    this.lanes = vectors.lanes;
    this.nextScratch = firstScratch;
    this.accScratch = accScratch;
    this.accAddress = accAddress;
  }

  /** Scratch slots in use, those below the first included. */
  int scratchSlots() {
    return nextScratch;
  }

  /** Emits the evaluation of all values and then the sinks, in order. */
  void emit(List<Sink> sinks) {
    for (Sink s : sinks) {
      classify(s.value());
      last = Math.max(last, stages.get(s.value()));
    }
    for (Sink s : sinks) {
      demand(s.value(), last);
      if (!vectorSink(s) && forms.get(s.value()) != Form.FIXED) {
        materialize(s.value());
      }
    }
    addresses(sinks);
    for (Expr e : order) {
      if (forms.get(e) == Form.GATHER && scratchOf.containsKey(e)) {
        elementLoop(e, j -> scalar.push(e));
      }
    }
    for (int stage = 0; stage <= last; stage++) {
      int now = stage;
      List<Expr> outs =
          order.stream()
              .filter(e -> forms.get(e) == Form.VECTOR)
              .filter(e -> stages.get(e) == now && scratchOf.containsKey(e))
              .toList();
      List<Sink> ends =
          stage == last ? sinks.stream().filter(this::vectorSink).toList() : List.of();
      if (!outs.isEmpty() || !ends.isEmpty()) {
        vectorLoop(now, outs, ends);
      }
      for (Expr e : order) {
        if (stages.get(e) == now + 1 && scratchOf.containsKey(e)) {
          switch (forms.get(e)) {
            case BLOCK_CALL -> blockCall((Expr.Apply) e);
            case ELEMENT_OP -> elementOp((Expr.Apply) e);
            case FIXED, MEMORY, VECTOR, GATHER -> {}
          }
        }
      }
    }
    sinks.stream().filter(s -> !vectorSink(s)).forEach(this::scalarSink);
  }

  // ---- analysis -------------------------------------------------------------------------------

  private void classify(Expr e) {
    if (forms.containsKey(e)) {
      return;
    }
    Form f;
    int stage = 0;
    if (!scalar.dependences(e).contains(axis)) {
      f = Form.FIXED;
    } else {
      switch (e) {
        case Expr.Const c -> f = Form.FIXED;
        case Expr.Acc a -> f = Form.MEMORY;
        case Expr.Load l -> f = isUnit(l.index()) ? Form.MEMORY : Form.GATHER;
        case Expr.IndexValue v -> f = Form.GATHER;
        case Expr.Guarded g -> f = Form.GATHER;
        case Expr.Apply a -> {
          f = form(a);
          for (Expr x : a.args()) {
            classify(x);
            stage = Math.max(stage, stages.get(x));
          }
          stage += f == Form.VECTOR ? 0 : 1;
        }
      }
    }
    stages.put(e, stage);
    forms.put(e, f);
    order.add(e);
  }

  private boolean isUnit(Index i) {
    return i.coef(axis) == 1 && rest(i);
  }

  /** Whether the axis occurs in plain terms only. */
  private boolean rest(Index i) {
    for (Index.Term t : i.terms()) {
      if (!(t.atom() instanceof Index.Var) && new Index(0, List.of(t)).dependsOn(axis)) {
        return false;
      }
    }
    return i.terms().stream()
        .noneMatch(
            t -> t.atom() instanceof Index.Dyn d && scalar.dependences(d.value()).contains(axis));
  }

  private Form form(Expr.Apply a) {
    DType t = a.args().get(a.args().size() - 1).dtype();
    return switch (a.op()) {
      case ADD,
          SUB,
          MUL,
          NEG,
          ABS,
          MIN,
          MAX,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          LT,
          LE,
          EQ,
          NE,
          SELECT,
          CAST ->
          Form.VECTOR;
      case DIV, SQRT, RSQRT -> t.isFloat() ? Form.VECTOR : Form.ELEMENT_OP;
      case SIGN, FLOOR, CEIL, ROUND, REM, UMULHI -> Form.ELEMENT_OP;
      case POW,
          ATAN2,
          EXP,
          EXPM1,
          LOG,
          LOG1P,
          SIN,
          COS,
          TAN,
          ASIN,
          ACOS,
          ATAN,
          SINH,
          COSH,
          TANH,
          SIGMOID,
          ERF,
          ERFC ->
          Form.BLOCK_CALL;
    };
  }

  /** Notes what a use of the value in a stage needs. */
  private void demand(Expr e, int stage) {
    Form f = forms.get(e);
    if (f == Form.GATHER || f == Form.BLOCK_CALL || f == Form.ELEMENT_OP) {
      materialize(e);
    } else if (f == Form.VECTOR && stages.get(e) < stage) {
      materialize(e);
    }
    if (stored.put(e, true) == null && e instanceof Expr.Apply a && f != Form.FIXED) {
      for (Expr x : a.args()) {
        demand(x, stages.get(e) - (f == Form.VECTOR ? 0 : 1));
        if (f == Form.BLOCK_CALL || (f == Form.ELEMENT_OP && forms.get(x) != Form.FIXED)) {
          materialize(x);
        }
      }
    }
  }

  private void materialize(Expr e) {
    if (forms.get(e) != Form.MEMORY) {
      scratchOf.computeIfAbsent(e, k -> nextScratch++);
    }
  }

  private boolean vectorSink(Sink s) {
    return switch (s) {
      case Sink.ToParam p -> isUnit(p.store().index());
      case Sink.AddToParam p -> isUnit(p.store().index()) && p.value().dtype() != DType.BOOL;
      case Sink.Fold f -> f.value().dtype() != DType.BOOL || f.perElement();
      case Sink.ToTile t -> true;
    };
  }

  // ---- addresses ------------------------------------------------------------------------------

  /** Addresses of everything in memory at the block's first element, in long locals. */
  private void addresses(List<Sink> sinks) {
    for (Expr e : order) {
      if (!stored.containsKey(e) && !scratchOf.containsKey(e)) {
        continue;
      }
      if (forms.get(e) == Form.MEMORY) {
        switch (e) {
          case Expr.Load l -> scalar.address(l.param(), l.dtype(), l.index());
          case Expr.Acc a -> {
            Integer there = accAddress.get(a.id());
            if (there != null) {
              code.lload(there);
            } else {
              scratch(accScratch.get(a.id()));
            }
          }
          default -> throw new IllegalStateException("not in memory: " + e);
        }
        addressOf.put(e, asm.keep(TypeKind.LONG));
      } else if (scratchOf.containsKey(e)) {
        scratch(scratchOf.get(e));
        addressOf.put(e, asm.keep(TypeKind.LONG));
      }
      if (forms.get(e) == Form.FIXED && scratchOf.containsKey(e)) {
        // An operand of a block function has to be a block.
        elementLoop(e, j -> scalar.push(e));
      }
    }
    for (Sink s : sinks) {
      switch (s) {
        case Sink.ToParam p when vectorSink(s) ->
            scalar.address(p.store().param(), p.value().dtype(), p.store().index());
        case Sink.AddToParam p when vectorSink(s) ->
            scalar.address(p.store().param(), p.value().dtype(), p.store().index());
        case Sink.Fold f -> scratch(f.scratch());
        case Sink.ToTile t -> code.lload(t.addressSlot());
        default -> {
          continue;
        }
      }
      sinkAddress.put(s, asm.keep(TypeKind.LONG));
    }
  }

  private void scratch(int slot) {
    code.lload(scratchSlot).loadConstant((long) slot * SLOT).ladd();
  }

  // ---- scalar parts ---------------------------------------------------------------------------

  private interface Element {
    void push(int counterSlot);
  }

  /** {@code scratch[j] = value} for the block, with the axis bound to each element in turn. */
  private void elementLoop(Expr e, Element value) {
    eachElement(
        j -> {
          element(addressOf.get(e), e.dtype(), j);
          value.push(j);
          asm.put(e.dtype());
        });
  }

  private void eachElement(Element body) {
    int j = asm.local(TypeKind.INT);
    int at = asm.local(TypeKind.LONG);
    int before = scalar.slot(axis);
    asm.intLoop(
        j,
        countSlot,
        () -> {
          code.lload(axisSlot).iload(j).i2l().ladd().lstore(at);
          scalar.bind(axis, at);
          scalar.open();
          body.push(j);
          scalar.close();
        });
    scalar.bind(axis, before);
  }

  private void element(int addressSlot, DType t, int j) {
    code.lload(addressSlot).iload(j).i2l();
    if (t.bytes() > 1) {
      code.loadConstant((long) t.bytes()).lmul();
    }
    code.ladd();
  }

  private void pushElement(Expr e, int j) {
    if (forms.get(e) == Form.FIXED) {
      scalar.push(e);
    } else {
      element(addressOf.get(e), e.dtype(), j);
      asm.get(e.dtype());
    }
  }

  private void elementOp(Expr.Apply a) {
    elementLoop(
        a,
        j -> {
          a.args().forEach(x -> pushElement(x, j));
          scalar.apply(a.op(), a.dtype(), a.args().get(a.args().size() - 1).dtype());
        });
  }

  private void blockCall(Expr.Apply a) {
    code.getstatic(
        ScalarOp.class.describeConstable().orElseThrow(),
        a.op().name(),
        ScalarOp.class.describeConstable().orElseThrow());
    code.loadConstant(a.dtype() == DType.FLOAT64 ? 1 : 0);
    code.lload(addressOf.get(a.args().get(0)));
    code.lload(addressOf.get(a.args().get(a.args().size() - 1)));
    code.lload(addressOf.get(a)).iload(countSlot).i2l();
    asm.call(
        VectorMath.class,
        "apply",
        ConstantDescs.CD_void,
        ScalarOp.class.describeConstable().orElseThrow(),
        ConstantDescs.CD_boolean,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long,
        ConstantDescs.CD_long);
  }

  private void scalarSink(Sink s) {
    DType t = s.value().dtype();
    eachElement(
        j -> {
          switch (s) {
            case Sink.ToParam p -> {
              scalar.address(p.store().param(), t, p.store().index());
              pushElement(s.value(), j);
            }
            case Sink.AddToParam p -> {
              scalar.address(p.store().param(), t, p.store().index());
              code.dup2();
              asm.get(t);
              pushElement(s.value(), j);
              scalar.apply(ScalarOp.ADD, t, t);
            }
            case Sink.Fold f -> {
              code.lload(sinkAddress.get(s)).dup2();
              asm.get(t);
              pushElement(s.value(), j);
              scalar.combine(f.reducer(), t);
            }
            case Sink.ToTile x -> throw new IllegalStateException("a tile is contiguous");
          }
          asm.put(t);
        });
  }

  // ---- vector loop ----------------------------------------------------------------------------

  private void vectorLoop(int stage, List<Expr> outs, List<Sink> ends) {
    Set<Expr> fixed = Collections.newSetFromMap(new IdentityHashMap<>());
    outs.forEach(e -> splatInputs(e, stage, fixed));
    ends.forEach(s -> splatInputs(s.value(), stage, fixed));
    Map<Sink, Integer> folds = new IdentityHashMap<>();
    for (Sink s : ends) {
      if (s instanceof Sink.Fold f && !f.perElement()) {
        code.lload(sinkAddress.get(s));
        vectors.load(s.value().dtype());
        folds.put(s, asm.keep(TypeKind.REFERENCE));
      }
    }
    int j = asm.local(TypeKind.INT);
    code.iconst_0().istore(j);
    Label top = code.newLabel();
    Label tail = code.newLabel();
    Label end = code.newLabel();
    if (folds.isEmpty()) {
      // Only stores have to know how many lanes count, so one body does for whole vectors and the
      // tail.
      code.labelBinding(top).iload(j).iload(countSlot).if_icmpge(end);
      code.iload(countSlot).iload(j).isub();
      body(stage, outs, ends, folds, j, asm.keep(TypeKind.INT));
      code.iinc(j, lanes).goto_(top).labelBinding(end);
      splats.clear();
      return;
    }
    code.labelBinding(top).iload(j).iload(countSlot).loadConstant(lanes).isub().if_icmpgt(tail);
    body(stage, outs, ends, folds, j, -1);
    code.iinc(j, lanes).goto_(top).labelBinding(tail);
    code.iload(j).iload(countSlot).if_icmpge(end);
    code.iload(countSlot).iload(j).isub();
    int left = asm.keep(TypeKind.INT);
    body(stage, outs, ends, folds, j, left);
    code.labelBinding(end);
    folds.forEach(
        (s, slot) -> {
          code.lload(sinkAddress.get(s)).aload(slot);
          vectors.store(s.value().dtype(), -1);
        });
    splats.clear();
  }

  /** Puts what does not change along the axis into all lanes, once before the loop. */
  private void splatInputs(Expr e, int stage, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    if (forms.get(e) == Form.FIXED) {
      if (!splats.containsKey(e)) {
        scalar.push(e);
        DType t = e.dtype();
        vectors.vec(
            vectors.sized(VectorCode.typed("splat", t), t), VectorCode.vector(t), Asm.desc(t));
        splats.put(e, asm.keep(TypeKind.REFERENCE));
      }
    } else if (forms.get(e) == Form.VECTOR && stages.get(e) == stage) {
      ((Expr.Apply) e).args().forEach(x -> splatInputs(x, stage, seen));
    }
  }

  private void body(
      int stage, List<Expr> outs, List<Sink> ends, Map<Sink, Integer> folds, int j, int left) {
    Map<Expr, Integer> lanesOf = new IdentityHashMap<>();
    for (Expr e : outs) {
      value(e, stage, j, lanesOf);
    }
    for (Sink s : ends) {
      value(s.value(), stage, j, lanesOf);
    }
    int mask = -1;
    if (left >= 0 && !folds.isEmpty()) {
      code.iload(left);
      vectors.vec(half ? "tailh" : "tail", VectorCode.MASKS, ConstantDescs.CD_int);
      mask = asm.keep(TypeKind.REFERENCE);
    }
    for (Expr e : outs) {
      element(addressOf.get(e), e.dtype(), j);
      pushLanes(e, lanesOf);
      vectors.store(e.dtype(), -1);
    }
    for (Sink s : ends) {
      DType t = s.value().dtype();
      switch (s) {
        case Sink.ToParam p -> {
          element(sinkAddress.get(s), t, j);
          pushLanes(s.value(), lanesOf);
          vectors.store(t, left);
        }
        case Sink.ToTile x -> {
          element(sinkAddress.get(s), t, j);
          pushLanes(s.value(), lanesOf);
          vectors.store(t, left);
        }
        case Sink.AddToParam p -> {
          element(sinkAddress.get(s), t, j);
          code.dup2();
          vectors.load(t);
          pushLanes(s.value(), lanesOf);
          vectors.operation(
              "add", t, VectorCode.vector(t), VectorCode.vector(t), VectorCode.vector(t));
          vectors.store(t, left);
        }
        case Sink.Fold f -> fold(s, f, folds.get(s), lanesOf, j, mask);
      }
    }
  }

  private void fold(
      Sink s, Sink.Fold f, Integer slot, Map<Expr, Integer> lanesOf, int j, int mask) {
    DType t = f.value().dtype();
    String name = f.reducer().op().name().toLowerCase(java.util.Locale.ROOT);
    if (f.perElement()) {
      element(sinkAddress.get(s), t, j);
      code.dup2();
      vectors.load(t);
      pushLanes(f.value(), lanesOf);
      vectors.operation(name, t, VectorCode.vector(t), VectorCode.vector(t), VectorCode.vector(t));
      vectors.store(t, -1);
      return;
    }
    if (mask >= 0) {
      // select(mask, op(acc, value), acc)
      code.aload(mask);
    }
    code.aload(slot);
    pushLanes(f.value(), lanesOf);
    vectors.operation(name, t, VectorCode.vector(t), VectorCode.vector(t), VectorCode.vector(t));
    if (mask >= 0) {
      code.aload(slot);
      vectors.vec(
          half ? "selecth" : "select",
          VectorCode.vector(t),
          VectorCode.MASKS,
          VectorCode.vector(t),
          VectorCode.vector(t));
    }
    code.astore(slot);
  }

  private void pushLanes(Expr e, Map<Expr, Integer> lanesOf) {
    Integer splat = splats.get(e);
    code.aload(splat != null ? splat : lanesOf.get(e));
  }

  /** Evaluates a vector into a local. */
  private void value(Expr e, int stage, int j, Map<Expr, Integer> lanesOf) {
    if (lanesOf.containsKey(e) || splats.containsKey(e)) {
      return;
    }
    Form f = forms.get(e);
    DType t = e.dtype();
    if (f == Form.VECTOR && stages.get(e) == stage) {
      Expr.Apply a = (Expr.Apply) e;
      a.args().forEach(x -> value(x, stage, j, lanesOf));
      a.args().forEach(x -> pushLanes(x, lanesOf));
      DType in = a.args().get(a.args().size() - 1).dtype();
      vectors.instruction(a, in);
    } else {
      element(addressOf.get(e), t, j);
      vectors.load(t);
    }
    lanesOf.put(e, asm.keep(TypeKind.REFERENCE));
  }
}
