package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;

/**
 * The method of one vector loop over a block, or over the blocks of several rows. Its arguments are
 * scratch memory, where it finds all addresses and fixed values, the number of elements, and how
 * many values the outermost loop over rows has, if there is one.
 */
final class LoopGen {
  static final MethodTypeDesc TYPE =
      MethodTypeDesc.of(
          ConstantDescs.CD_void, ConstantDescs.CD_long, ConstantDescs.CD_int, ConstantDescs.CD_int);

  private final BlockGen.Place place;
  private final BlockPlan plan;
  private final BlockPlan.Step.Vectors loop;
  private final CodeBuilder code;
  private final Asm asm;
  private final MethodGen method;
  private final VectorCode vectors;
  private final int count;
  private final int unroll;
  private final Map<Expr, Integer> addresses = new IdentityHashMap<>();
  private final Map<Expr, Integer> copies = new IdentityHashMap<>();
  private final Map<Sink, Integer> targets = new IdentityHashMap<>();
  private final Map<Expr, Integer> splats = new IdentityHashMap<>();

  /** Most bytes of a method that HotSpot inlines where it is hot (its flag FreqInlineSize). */
  private static final int INLINED = 325;

  /** Most vectors that an iteration of a loop with folds does. */
  static final int MOST_AT_ONCE = 4;

  /** Most instructions of a row that is written out without a loop. */
  private static final int STRAIGHT = 64;

  /** Most rows that are combined with a block of accumulators at once. */
  private static final int ROWS_AT_ONCE = 8;

  /** Most vectors of accumulators that stay in registers while rows are combined with them. */
  private static final int FEW_SUMS = 4;

  private static final int PAGE = 4096;

  /** Addresses of values that are the same along the axis and differ from row to row. */
  private final Map<Expr, Integer> rowSplats = new IdentityHashMap<>();

  private final LoopSums sums;

  /** Rows between the current one and that of which values are loaded. */
  private int rowsAhead;

  /** Masks of the lanes of the last vector, by type; of bools where a fold needs them. */
  private final Map<DType, Integer> remainders = new EnumMap<>(DType.class);

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
    this.unroll = unroll(plan, loop, vectors.lanes);
    this.sums = new LoopSums(asm, code, vectors, targets);
  }

  static ClassGen.Callee add(BlockGen.Place place, BlockPlan plan, BlockPlan.Step.Vectors loop) {
    return place.out().share("loop", TYPE, b -> new LoopGen(place, plan, loop, b).emit());
  }

  private void emit() {
    // Within a caller the JIT makes slower loops of small methods, in some processes by half.
    for (int i = 0; i <= INLINED && Optimisation.OWN_LOOPS.isOn(); i++) {
      code.nop();
    }
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
        case Sink.Total t -> method.scratchAddress(t.scratch());
      }
      int target = asm.keep(TypeKind.LONG);
      targets.put(s, target);
      remainder(s);
      sums.add(s, unroll);
    }
    sums.begin();
    if (plan.foldsRows() && vectorsOfAxis() <= FEW_SUMS) {
      foldFew(plan.rows().getFirst());
    } else if (plan.foldsRows()) {
      foldRows(plan.rows().getFirst());
    } else {
      rows(0);
    }
    sums.end();
    code.return_();
  }

  // ---- loops ----------------------------------------------------------------------------------

  /** Makes the mask that a sink needs for the last vector, before all loops. */
  private void remainder(Sink s) {
    DType t = s.value().dtype();
    if (s.combines()) {
      if (s instanceof Sink.Fold f && f.perElement()) {
        return;
      }
      t = DType.BOOL;
    } else if (t == DType.BOOL) {
      return;
    }
    if (!remainders.containsKey(t)) {
      vectors.remainder(t, count);
      remainders.put(t, asm.keep(TypeKind.REFERENCE));
    }
  }

  /**
   * Vectors that an iteration of a loop with folds does. Each has accumulators of its own, or one
   * instruction would have to wait for the one before.
   */
  static int unroll(BlockPlan plan, BlockPlan.Step.Vectors loop, int lanes) {
    if (plan.axis().extent() < 8L * lanes) {
      return 1;
    }
    return loop.weight() <= 8 ? MOST_AT_ONCE : loop.weight() <= 16 ? 2 : 1;
  }

  /** The loops over rows from one of them inwards, and in the innermost that over the block. */
  private void rows(int level) {
    Map<Expr, Integer> outside = new IdentityHashMap<>(splats);
    fix(rowSplats(0, level));
    if (level == plan.rows().size()) {
      sums.beginRow();
      if (isShort()) {
        straight();
      } else {
        loop();
      }
      sums.endRow();
    } else {
      walk(level);
    }
    splats.clear();
    splats.putAll(outside);
  }

  /** Makes values that change with outer loops alone once for all that is done inside of them. */
  private void fix(Map<Expr, Integer> loaded) {
    splats.putAll(loaded);
    fixIn(splats);
  }

  private void fixIn(Map<Expr, Integer> lanes) {
    Set<Expr> others = Collections.newSetFromMap(new IdentityHashMap<>());
    loop.stored().forEach(e -> fix(e, lanes, others));
    loop.sinks().forEach(s -> fix(s.value(), lanes, others));
  }

  /** Whether the value is made of those that are known, and is known now too. */
  private boolean fix(Expr e, Map<Expr, Integer> lanes, Set<Expr> others) {
    if (lanes.containsKey(e)) {
      return true;
    }
    if (!plan.computes(loop, e) || others.contains(e)) {
      return false;
    }
    boolean known = true;
    for (Expr c : e.children()) {
      known &= fix(c, lanes, others);
    }
    if (known) {
      value(e, -1, 0, lanes);
    } else {
      others.add(e);
    }
    return known;
  }

  private void walk(int level) {
    Loop row = plan.rows().get(level);
    int i = asm.local(TypeKind.INT);
    int limit = code.parameterSlot(2);
    if (level > 0) {
      code.loadConstant((int) row.extent());
      limit = asm.keep(TypeKind.INT);
    }
    List<Map<?, Integer>> moving = List.of(addresses, rowSplats, targets);
    int[] begin = new int[addresses.size() + rowSplats.size() + targets.size()];
    int n = 0;
    for (Map<?, Integer> m : moving) {
      for (int slot : m.values()) {
        code.lload(slot);
        begin[n++] = asm.keep(TypeKind.LONG);
      }
    }
    asm.intLoop(
        i,
        limit,
        () -> {
          rows(level + 1);
          moving.forEach(m -> m.forEach((what, slot) -> advance(what, slot, row, 1)));
        });
    n = 0;
    for (Map<?, Integer> m : moving) {
      for (int slot : m.values()) {
        code.lload(begin[n++]).lstore(slot);
      }
    }
  }

  private boolean isShort() {
    int most = Optimisation.SHORT_ROWS.isOn() ? MOST_AT_ONCE : 1;
    int count = vectorsOfAxis();
    return !plan.rows().isEmpty()
        && (plan.isWoven() || count == 1 || (count <= most && count * loop.weight() <= STRAIGHT));
  }

  private int vectorsOfAxis() {
    return (int) Math.min(Integer.MAX_VALUE, (plan.axis().extent() - 1) / vectors.lanes + 1);
  }

  /** A row of a few vectors without a loop; all of it is one block. */
  private void straight() {
    code.iconst_0();
    int zero = asm.keep(TypeKind.INT);
    List<Map<Expr, Integer>> values = new ArrayList<>();
    int n = vectorsOfAxis();
    for (int i = 0; i < n; i++) {
      values.add(compute(zero, i == n - 1 && endsWhole() ? lastWhole() : i * vectors.lanes));
    }
    for (int i = 0; i < n; i++) {
      int ahead = i * vectors.lanes;
      int left = -1;
      if (i == n - 1 && endsWhole()) {
        ahead = lastWhole();
      } else if (ahead + vectors.lanes > plan.axis().extent()) {
        code.iload(count).loadConstant(ahead).isub();
        left = asm.keep(TypeKind.INT);
      }
      store(values.get(i), zero, ahead, 0, left);
    }
  }

  /**
   * Whether the last vector of a row is a whole one that begins before the one before it ends. The
   * next row may be read from where this one was written, as in place, and a processor waits for a
   * part of a vector that it has just written.
   */
  private boolean endsWhole() {
    return Optimisation.WHOLE_ENDS.isOn()
        && !plan.rows().isEmpty()
        && lastWhole() > 0
        && plan.axis().extent() % vectors.lanes > 0
        && loop.stored().isEmpty()
        && loop.sinks().stream().allMatch(s -> s instanceof Sink.ToParam);
  }

  private int lastWhole() {
    return (int) plan.axis().extent() - vectors.lanes;
  }

  /**
   * Vectors of the values that are the same along the axis and the rows from a level inwards, as
   * far as there are none yet, in a row from the current one.
   */
  private Map<Expr, Integer> rowSplats(int ahead, int level) {
    Map<Expr, Integer> out = new IdentityHashMap<>();
    rowSplats.forEach(
        (e, address) -> {
          if (splats.containsKey(e) || !plan.isFixed(e, level)) {
            return;
          }
          vectors.broadcast(
              e.dtype(),
              () -> {
                code.lload(address).loadConstant(rowStride(e, ahead) * e.dtype().bytes()).ladd();
                asm.get(e.dtype());
              });
          out.put(e, asm.keep(TypeKind.REFERENCE));
        });
    return out;
  }

  /**
   * Combines rows with a block of accumulators, several rows for each time that an accumulator is
   * loaded and stored. Each accumulator still takes the rows in their order.
   */
  private void foldRows(Loop row) {
    int limit = code.parameterSlot(2);
    int i = asm.local(TypeKind.INT);
    code.iconst_0().istore(i);
    // Short rows are one stream to the prefetcher, which several at once would break up.
    boolean isLong = plan.axis().extent() * Float.BYTES >= PAGE;
    int most = loop.weight() <= 4 ? ROWS_AT_ONCE : 2;
    for (int atOnce : isLong ? new int[] {most, 1} : new int[] {1}) {
      Label top = code.newLabel();
      Label end = code.newLabel();
      code.labelBinding(top);
      code.iload(i).iload(limit).loadConstant(atOnce).isub().if_icmpgt(end);
      foldRows(atOnce);
      addresses.forEach((e, slot) -> advance(e, slot, row, atOnce));
      rowSplats.forEach((e, slot) -> advance(e, slot, row, atOnce));
      code.iinc(i, atOnce).goto_(top).labelBinding(end);
    }
  }

  /** Combines rows with accumulators that are so few that they stay in registers. */
  private void foldFew(Loop row) {
    code.iconst_0();
    int zero = asm.keep(TypeKind.INT);
    int n = vectorsOfAxis();
    Map<Sink, int[]> accs = new IdentityHashMap<>();
    for (Sink s : loop.sinks()) {
      int[] slots = new int[n];
      for (int v = 0; v < n; v++) {
        int ahead = v * vectors.lanes;
        DType t = s.value().dtype();
        vectors.load(t, () -> element(targets.get(s), t, zero, ahead));
        slots[v] = asm.keep(TypeKind.REFERENCE);
      }
      accs.put(s, slots);
    }
    int i = asm.local(TypeKind.INT);
    asm.intLoop(
        i,
        code.parameterSlot(2),
        () -> {
          Map<Expr, Integer> fixed = rowSplats(0, 1);
          fixed.putAll(splats);
          fixIn(fixed);
          for (int v = 0; v < n; v++) {
            Map<Expr, Integer> lanes = new IdentityHashMap<>(fixed);
            for (Sink s : loop.sinks()) {
              value(s.value(), zero, v * vectors.lanes, lanes);
              Reducer by = ((Sink.Fold) s).reducer();
              sums.combine(by, s, accs.get(s)[v], lanes.get(s.value()), -1);
            }
          }
          addresses.forEach((e, slot) -> advance(e, slot, row, 1));
          rowSplats.forEach((e, slot) -> advance(e, slot, row, 1));
        });
    accs.forEach(
        (s, slots) -> {
          for (int v = 0; v < n; v++) {
            int ahead = v * vectors.lanes;
            int slot = slots[v];
            DType t = s.value().dtype();
            vectors.store(
                t, () -> element(targets.get(s), t, zero, ahead), () -> code.aload(slot), -1, -1);
          }
        });
  }

  private void foldRows(int atOnce) {
    List<Map<Expr, Integer>> fixed = new ArrayList<>();
    for (int r = 0; r < atOnce; r++) {
      Map<Expr, Integer> m = rowSplats(r, 1);
      m.putAll(splats);
      fixIn(m);
      fixed.add(m);
    }
    int j = asm.local(TypeKind.INT);
    code.iconst_0().istore(j);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top).iload(j).iload(count).if_icmpge(end);
    Map<Sink, Integer> accs = new IdentityHashMap<>();
    for (Sink s : loop.sinks()) {
      DType t = s.value().dtype();
      vectors.load(t, () -> element(targets.get(s), t, j, 0));
      accs.put(s, asm.keep(TypeKind.REFERENCE));
    }
    for (int r = 0; r < atOnce; r++) {
      Map<Expr, Integer> lanes = new IdentityHashMap<>(fixed.get(r));
      rowsAhead = r;
      for (Sink s : loop.sinks()) {
        value(s.value(), j, 0, lanes);
        sums.combine(((Sink.Fold) s).reducer(), s, accs.get(s), lanes.get(s.value()), -1);
      }
    }
    rowsAhead = 0;
    for (Sink s : loop.sinks()) {
      DType t = s.value().dtype();
      vectors.store(
          t, () -> element(targets.get(s), t, j, 0), () -> code.aload(accs.get(s)), -1, -1);
    }
    code.iinc(j, vectors.lanes).goto_(top).labelBinding(end);
  }

  /** Elements from a row to one that is some rows further. */
  private long rowStride(Object what, int rows) {
    return switch (what) {
      case Expr.Load l when rows > 0 -> rows * l.index().coef(plan.rows().getLast());
      default -> 0;
    };
  }

  /** Moves an address on by some rows. */
  private void advance(Object what, int slot, Loop row, int rows) {
    long stride =
        switch (what) {
          case Expr.Load l -> l.index().coef(row) * l.dtype().bytes();
          case Sink.ToParam p -> p.store().index().coef(row) * p.value().dtype().bytes();
          case Sink.Total t -> t.value().dtype().bytes();
          case Expr.Acc a -> 0;
          default -> throw new IllegalStateException("does not move from row to row: " + what);
        };
    code.lload(slot).loadConstant(rows * stride).ladd().lstore(slot);
  }

  private void loop() {
    int j = asm.local(TypeKind.INT);
    code.iconst_0().istore(j);
    Label top = code.newLabel();
    Label end = code.newLabel();
    if (endsWhole()) {
      // computed before the row is written, which may be where it is read from
      code.iconst_0();
      int zero = asm.keep(TypeKind.INT);
      Map<Expr, Integer> ofLast = compute(zero, lastWhole());
      wholeVectors(j, 1);
      code.labelBinding(end);
      store(ofLast, zero, lastWhole(), 0, -1);
      return;
    }
    if (sums.areNone()) {
      // Only stores have to know how many lanes count, so one body does for whole vectors and the
      // tail.
      code.labelBinding(top).iload(j).iload(count).if_icmpge(end);
      code.iload(count).iload(j).isub();
      body(j, 0, 0, asm.keep(TypeKind.INT));
      code.iinc(j, vectors.lanes).goto_(top).labelBinding(end);
      return;
    }
    wholeVectors(j, unroll);
    if (unroll > 1) {
      wholeVectors(j, 1);
    }
    code.iload(j).iload(count).if_icmpge(end);
    code.iload(count).iload(j).isub();
    body(j, 0, 0, asm.keep(TypeKind.INT));
    code.labelBinding(end);
  }

  /** A loop over whole vectors, some of them in each iteration, as long as there are so many. */
  private void wholeVectors(int j, int atOnce) {
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top);
    code.iload(j).iload(count).loadConstant(atOnce * vectors.lanes).isub().if_icmpgt(end);
    for (int i = 0; i < atOnce; i++) {
      body(j, i * vectors.lanes, i, -1);
    }
    code.iinc(j, atOnce * vectors.lanes).goto_(top).labelBinding(end);
  }

  /** Gets the address of a loaded operand, or puts a fixed one into all lanes. */
  private void prepare(Expr e) {
    DType t = e.dtype();
    if (plan.form(e) != BlockPlan.Form.FIXED) {
      BlockGen.pushAddress(place, plan, method, e, false);
      addresses.put(e, asm.keep(TypeKind.LONG));
      return;
    }
    if (plan.movesWithRows(e)) {
      method.getLong(plan.entryOf(e));
      rowSplats.put(e, asm.keep(TypeKind.LONG));
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

  /**
   * One vector.
   *
   * @param j int local with the position in the block
   * @param ahead elements from there
   * @param lane which of the accumulators of a fold takes the vector
   * @param left int local with the number of lanes that count, negative if all do
   */
  private void body(int j, int ahead, int lane, int left) {
    store(compute(j, ahead), j, ahead, lane, left);
  }

  private Map<Expr, Integer> compute(int j, int ahead) {
    Map<Expr, Integer> lanes = new IdentityHashMap<>(splats);
    loop.stored().forEach(e -> value(e, j, ahead, lanes));
    loop.sinks().forEach(s -> value(s.value(), j, ahead, lanes));
    return lanes;
  }

  /** Does what there is to do with the values of a vector. */
  private void store(Map<Expr, Integer> lanes, int j, int ahead, int lane, int left) {
    for (Expr e : loop.stored()) {
      vectors.store(
          e.dtype(),
          () -> element(copies.get(e), e.dtype(), j, ahead),
          () -> code.aload(lanes.get(e)),
          -1,
          -1);
    }
    for (Sink s : loop.sinks()) {
      DType t = s.value().dtype();
      Runnable value = () -> code.aload(lanes.get(s.value()));
      Runnable target = () -> element(targets.get(s), t, j, ahead);
      int mask = remainders.getOrDefault(s.combines() ? DType.BOOL : t, -1);
      switch (s) {
        case Sink.ToParam p -> vectors.store(t, target, value, left, mask);
        case Sink.ToTile x -> vectors.store(t, target, value, left, mask);
        case Sink.AddToParam p ->
            vectors.store(
                t,
                target,
                () -> vectors.operation(ScalarOp.ADD, t, () -> vectors.load(t, target), value),
                left,
                mask);
        case Sink.Fold f when f.perElement() ->
            vectors.store(
                t,
                target,
                () -> vectors.operation(f.reducer().op(), t, () -> vectors.load(t, target), value),
                -1,
                -1);
        case Sink.Fold f ->
            sums.combine(
                f.reducer(), s, sums.slot(s, lane), lanes.get(s.value()), left < 0 ? -1 : mask);
        case Sink.Total x ->
            sums.combine(
                x.reducer(), s, sums.slot(s, lane), lanes.get(s.value()), left < 0 ? -1 : mask);
      }
    }
  }

  /** Evaluates a vector into a local. */
  private void value(Expr e, int j, int ahead, Map<Expr, Integer> lanes) {
    if (lanes.containsKey(e)) {
      return;
    }
    if (plan.computes(loop, e)) {
      Expr.Apply a = (Expr.Apply) e;
      a.args().forEach(x -> value(x, j, ahead, lanes));
      vectors.instruction(a, x -> code.aload(lanes.get(x)));
    } else {
      Woven.Pattern p = e instanceof Expr.Load l ? plan.pattern(l) : null;
      long first = p == null ? ahead : p.first(ahead, vectors.lanes);
      vectors.load(
          e.dtype(),
          () -> element(addresses.get(e), e.dtype(), j, first + rowStride(e, rowsAhead)));
      if (p != null) {
        vectors.distribute(e.dtype(), p, ahead);
      }
    }
    lanes.put(e, asm.keep(TypeKind.REFERENCE));
  }

  private void element(int address, DType t, int j, long ahead) {
    asm.element(address, t, j);
    if (ahead != 0) {
      code.loadConstant(ahead * t.bytes()).ladd();
    }
  }
}
