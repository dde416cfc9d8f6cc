package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * How expressions are evaluated for a block of consecutive values of one loop, the axis: as steps
 * over the whole block. Cheap instructions on contiguous elements become loops over vectors. What
 * is expensive (a library function on a block) or not contiguous (a scalar loop) cuts the work into
 * stages, and a stage of many instructions is cut into loops that the JIT compiles well; values
 * cross steps in scratch memory that stays in the first-level cache.
 */
final class BlockPlan {
  /**
   * Most instructions, loads and stores of one vector loop. More of them need more registers than
   * there are, and the time to compile a method grows faster than its size.
   */
  private static final int LOOP_LIMIT = 40;

  /**
   * What a store to a parameter counts, of which the last vector has a part only. With nine such
   * stores in a method the JIT's first compiler runs out of registers, and the second never gets
   * it.
   */
  private static final int MASKED_STORE = 5;

  /** Most scalar instructions that are done once per block rather than in every lane. */
  private static final int FIXED_LIMIT = 150;

  enum Form {
    /** Does not change along the axis. */
    FIXED,
    /** Consecutive elements of a parameter, or of an accumulator's block. */
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

  /** Something done for the whole block. */
  sealed interface Step {
    /** A scalar loop that fills a block: the whole expression, or the last instruction of it. */
    record Fill(Expr value) implements Step {}

    /** A function on blocks. */
    record Call(Expr.Apply value) implements Step {}

    /** A loop over vectors: values that it stores to scratch, then sinks; and its length. */
    record Vectors(List<Expr> stored, List<Sink> sinks, int weight) implements Step {}

    /** A scalar loop that stores where elements are not contiguous. */
    record Put(Sink sink) implements Step {}
  }

  /** Instructions of one vector loop. */
  private static final class Part {
    final List<Expr> stored = new ArrayList<>();
    final List<Sink> sinks = new ArrayList<>();
    final Set<Expr> loaded = Collections.newSetFromMap(new IdentityHashMap<>());
    int weight;
  }

  private final Loop axis;
  private final List<Loop> rows;
  private final Dependences dependences;
  private final ScratchSpace space;
  private final long slotBytes;

  /** Whether operands may be woven: all results of short rows are stored. */
  private final boolean weaves;

  private final int lanes;
  private final Map<Expr, Form> forms = new IdentityHashMap<>();

  /** Classified expressions, operands first. */
  private final List<Expr> order = new ArrayList<>();

  private final Map<Expr, Integer> stages = new IdentityHashMap<>();
  private final Map<Expr, Part> parts = new IdentityHashMap<>();
  private final Map<Expr, Long> scratch = new IdentityHashMap<>();
  private final Map<Expr, Sink> direct = new IdentityHashMap<>();
  private final Map<Object, Long> entries = new LinkedHashMap<>();
  private final Set<Expr> crossing = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Step> steps = new ArrayList<>();
  private int last;

  /**
   * @param rows loops that the plan is to walk too, outermost first, if {@link #walksRows}
   * @param space where scratch for this plan is allocated
   * @param slotBytes scratch bytes of one value of a block
   */
  BlockPlan(
      Loop axis,
      List<Loop> rows,
      List<Sink> sinks,
      Dependences dependences,
      ScratchSpace space,
      long slotBytes) {
    this.axis = axis;
    this.rows = rows;
    this.dependences = dependences;
    this.space = space;
    this.slotBytes = slotBytes;
    this.weaves = !rows.isEmpty() && sinks.stream().allMatch(s -> s instanceof Sink.ToParam);
    this.lanes = VectorCode.lanes(KernelShape.hasFloat64(sinks.stream().map(Sink::value).toList()));
    for (Sink s : sinks) {
      classify(s.value());
      last = Math.max(last, stages.get(s.value()));
    }
    arrange(sinks);
    allocate();
    entries(sinks);
  }

  Loop axis() {
    return axis;
  }

  List<Loop> rows() {
    return rows;
  }

  /** Whether one vector loop does all, without values in scratch. */
  boolean isOneLoop() {
    return steps.size() == 1 && steps.get(0) instanceof Step.Vectors v && v.stored().isEmpty();
  }

  /**
   * Whether one vector loop does all, and from row to row every address moves by a fixed number of
   * bytes.
   */
  boolean walksRows() {
    return isOneLoop()
        && steps.get(0) instanceof Step.Vectors v
        && v.weight() <= LOOP_LIMIT / 2 + MASKED_STORE
        && (!isWoven() || Woven.fits(v.weight(), axis, lanes))
        && entries.keySet().stream().allMatch(this::walksRows);
  }

  /** Whether the plan walks the rows of a reduction, with an accumulator for each element. */
  boolean foldsRows() {
    return rows.size() == 1
        && steps.get(0) instanceof Step.Vectors v
        && v.sinks().stream().allMatch(s -> s instanceof Sink.Fold f && f.perElement());
  }

  private boolean walksRows(Object entry) {
    return switch (entry) {
      case Expr.Load l -> walksRows(l.index());
      case Expr e -> !changesWithRows(e);
      case Sink.ToParam p -> walksRows(p.store().index());
      default -> false;
    };
  }

  private boolean walksRows(Index i) {
    return i.terms().stream()
        .allMatch(
            t ->
                t.atom() instanceof Index.Var
                    || rows.stream().noneMatch(new Index(0, List.of(t))::dependsOn));
  }

  private boolean changesWithRows(Expr e) {
    return rows.stream().anyMatch(dependences.of(e)::contains);
  }

  /** Whether a fixed operand has to be loaded again in every row. */
  boolean movesWithRows(Expr e) {
    return forms.get(e) == Form.FIXED && e instanceof Expr.Load && changesWithRows(e);
  }

  /** Whether a value changes neither along the axis nor with the loops over rows from one on. */
  boolean isFixed(Expr e, int level) {
    Set<Loop> changing = dependences.of(e);
    return !changing.contains(axis)
        && rows.subList(level, rows.size()).stream().noneMatch(changing::contains);
  }

  List<Step> steps() {
    return steps;
  }

  Form form(Expr e) {
    return forms.get(e);
  }

  /** Whether a vector loop computes the expression rather than loads it. */
  boolean computes(Step.Vectors loop, Expr e) {
    Part p = parts.get(e);
    return p != null && p.stored == loop.stored();
  }

  /** Offset of the block of an expression's values in scratch, or null if it has none. */
  Long scratchOf(Expr e) {
    return scratch.get(e);
  }

  /** Offset in scratch of the address of a parameter's elements, or of a fixed value. */
  Long entryOf(Object what) {
    Sink to = what instanceof Expr e ? direct.get(e) : null;
    return entries.get(to == null ? what : to);
  }

  /** Addresses and fixed values that have to be put into scratch before the steps. */
  Map<Object, Long> entries() {
    return entries;
  }

  // ---- forms ----------------------------------------------------------------------------------

  private void classify(Expr e) {
    if (forms.containsKey(e)) {
      return;
    }
    Form f;
    int stage = 0;
    if (!dependences.of(e).contains(axis)
        && (!(e instanceof Expr.Apply) || (isSmall(e) && !changesWithRows(e)))) {
      f = Form.FIXED;
    } else {
      switch (e) {
        case Expr.Const c -> f = Form.FIXED;
        case Expr.Acc a -> f = Form.MEMORY;
        case Expr.Load l -> f = isUnit(l.index()) || pattern(l) != null ? Form.MEMORY : Form.GATHER;
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

  private static boolean isSmall(Expr e) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    count(e, seen);
    return seen.size() <= FIXED_LIMIT;
  }

  private static void count(Expr e, Set<Expr> seen) {
    if (seen.size() <= FIXED_LIMIT && seen.add(e)) {
      e.children().forEach(c -> count(c, seen));
    }
  }

  /** How a row of an operand is made of several short ones, or null if it is not. */
  Woven.@Nullable Pattern pattern(Expr.Load l) {
    return weaves ? Woven.pattern(l, axis, lanes) : null;
  }

  /** Whether an operand is woven, for which a row's vectors have to be written out. */
  boolean isWoven() {
    return order.stream().anyMatch(e -> e instanceof Expr.Load l && pattern(l) != null);
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
            t -> t.atom() instanceof Index.Dyn d && dependences.of(d.value()).contains(axis));
  }

  static Form form(Expr.Apply a) {
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
          UMULHI,
          LT,
          LE,
          EQ,
          NE,
          SELECT,
          CAST ->
          Form.VECTOR;
      case DIV, SQRT, RSQRT -> t.isFloat() ? Form.VECTOR : Form.ELEMENT_OP;
      case SIGN, FLOOR, CEIL, ROUND, REM -> Form.ELEMENT_OP;
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

  private boolean vectorSink(Sink s) {
    return switch (s) {
      case Sink.ToParam p -> isUnit(p.store().index());
      case Sink.AddToParam p -> isUnit(p.store().index()) && p.value().dtype() != DType.BOOL;
      case Sink.Fold f -> f.value().dtype() != DType.BOOL || f.perElement();
      case Sink.Total t -> t.value().dtype() != DType.BOOL;
      case Sink.ToTile t -> true;
    };
  }

  private static boolean isFill(Form f) {
    return f == Form.GATHER || f == Form.ELEMENT_OP || f == Form.BLOCK_CALL;
  }

  // ---- steps ----------------------------------------------------------------------------------

  private void arrange(List<Sink> sinks) {
    List<Sink> scalar = sinks.stream().filter(s -> !vectorSink(s)).toList();
    List<Sink> vector = new ArrayList<>(sinks.stream().filter(this::vectorSink).toList());
    if (sinks.size() == 1
        && vector.size() == 1
        && sinks.get(0) instanceof Sink.ToParam s
        && isFill(forms.get(s.value()))) {
      // The only result is written where it belongs.
      direct.put(s.value(), s);
      vector.clear();
    }
    for (Expr e : order) {
      Form f = forms.get(e);
      if (isFill(f)) {
        crossing.add(e);
      }
      if (f == Form.BLOCK_CALL || f == Form.ELEMENT_OP) {
        for (Expr x : ((Expr.Apply) e).args()) {
          Form g = forms.get(x);
          if (g == Form.VECTOR || (g == Form.FIXED && f == Form.BLOCK_CALL)) {
            crossing.add(x);
          }
        }
      }
    }
    boolean overwrites = vector.stream().anyMatch(s -> s instanceof Sink.ToParam);
    for (Sink s : scalar) {
      Form f = forms.get(s.value());
      // Stores of vectors come first and may overwrite what this one reads.
      if (f == Form.VECTOR || (f == Form.MEMORY && overwrites)) {
        crossing.add(s.value());
      }
    }
    for (Expr e : order) {
      if (crossing.contains(e) && (forms.get(e) == Form.GATHER || forms.get(e) == Form.FIXED)) {
        steps.add(new Step.Fill(e));
      }
    }
    List<List<Part>> loops = new ArrayList<>();
    for (int stage = 0; stage <= last; stage++) {
      loops.add(loops(stage, stage == last ? vector : List.of()));
    }
    for (Expr e : order) {
      if (parts.containsKey(e) && crossing.contains(e)) {
        parts.get(e).stored.add(e);
      }
    }
    for (int stage = 0; stage <= last; stage++) {
      for (Part p : loops.get(stage)) {
        if (!p.stored.isEmpty() || !p.sinks.isEmpty()) {
          steps.add(new Step.Vectors(p.stored, p.sinks, p.weight));
        }
      }
      for (Expr e : order) {
        if (stages.get(e) == stage + 1 && e instanceof Expr.Apply a) {
          switch (forms.get(e)) {
            case BLOCK_CALL -> steps.add(new Step.Call(a));
            case ELEMENT_OP -> steps.add(new Step.Fill(a));
            case FIXED, MEMORY, VECTOR, GATHER -> {}
          }
        }
      }
    }
    scalar.forEach(s -> steps.add(new Step.Put(s)));
  }

  /** The vector loops of a stage, without the values that they store to scratch. */
  private List<Part> loops(int stage, List<Sink> sinks) {
    List<Part> made = new ArrayList<>();
    for (Expr e : order) {
      if (forms.get(e) == Form.VECTOR && stages.get(e) == stage) {
        Expr.Apply a = (Expr.Apply) e;
        int weight = weight(a.op());
        Part p = room(made, a.args(), weight + 1);
        p.weight += weight;
        parts.put(e, p);
        a.args().forEach(x -> use(p, x));
      }
    }
    List<Sink> stores = new ArrayList<>();
    for (Sink s : sinks) {
      Part p = parts.get(s.value());
      // What is stored may be where later loops read, so stores come last; folds need not.
      if (s.combines() && p != null && made.contains(p)) {
        p.weight++;
        p.sinks.add(s);
      } else if (forms.get(s.value()) == Form.MEMORY) {
        stores.add(0, s);
      } else {
        stores.add(s);
      }
    }
    List<Expr> copies =
        stage < last
            ? List.of()
            : order.stream()
                .filter(e -> forms.get(e) == Form.MEMORY && crossing.contains(e))
                .toList();
    if (!stores.isEmpty() || !copies.isEmpty()) {
      Part p = made.isEmpty() ? new Part() : made.getLast();
      if (made.isEmpty()) {
        made.add(p);
      }
      p.stored.addAll(copies);
      for (Sink s : stores) {
        // Whatever is read from a parameter is read in the first of the loops that store.
        if (forms.get(s.value()) != Form.MEMORY) {
          p = room(made, List.of(s.value()), MASKED_STORE);
        }
        p.weight += MASKED_STORE;
        use(p, s.value());
        p.sinks.add(s);
      }
    }
    return made;
  }

  /** Vector instructions that one of the kernel takes. */
  private static int weight(ScalarOp op) {
    return op == ScalarOp.UMULHI ? 6 : 1;
  }

  /** The last part if it takes so much more, else a new one. */
  private Part room(List<Part> made, List<Expr> operands, int more) {
    if (!made.isEmpty()) {
      Part p = made.getLast();
      int loads = 0;
      for (Expr x : operands) {
        loads += parts.get(x) == p || p.loaded.contains(x) ? 0 : 1;
      }
      if (p.weight + loads + more <= LOOP_LIMIT) {
        return p;
      }
    }
    Part p = new Part();
    made.add(p);
    return p;
  }

  private void use(Part p, Expr x) {
    if (parts.get(x) == p) {
      return;
    }
    if (p.loaded.add(x)) {
      p.weight++;
    }
    if (forms.get(x) == Form.VECTOR) {
      crossing.add(x);
    }
  }

  // ---- scratch --------------------------------------------------------------------------------

  /** Gives blocks to values that cross steps; a block is used again when its value is dead. */
  private void allocate() {
    Map<Expr, Integer> lastUse = new IdentityHashMap<>();
    for (int i = 0; i < steps.size(); i++) {
      for (Expr e : reads(steps.get(i))) {
        lastUse.put(e, i);
      }
    }
    Map<Integer, List<Expr>> ends = new TreeMap<>();
    lastUse.forEach((e, i) -> ends.computeIfAbsent(i, k -> new ArrayList<>()).add(e));
    List<Long> free = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      for (Expr e : writes(steps.get(i))) {
        if (!direct.containsKey(e)) {
          scratch.put(e, free.isEmpty() ? space.allocate(slotBytes) : free.removeLast());
        }
      }
      for (Expr e : ends.getOrDefault(i, List.of())) {
        if (scratch.containsKey(e)) {
          free.add(scratch.get(e));
        }
      }
    }
  }

  private static List<Expr> writes(Step s) {
    return switch (s) {
      case Step.Fill f -> List.of(f.value());
      case Step.Call c -> List.of(c.value());
      case Step.Vectors v -> v.stored();
      case Step.Put p -> List.of();
    };
  }

  /** Operands of a step that may lie in scratch. */
  private Set<Expr> reads(Step s) {
    Set<Expr> out = Collections.newSetFromMap(new IdentityHashMap<>());
    switch (s) {
      case Step.Fill f -> {
        if (forms.get(f.value()) == Form.ELEMENT_OP) {
          out.addAll(((Expr.Apply) f.value()).args());
        }
      }
      case Step.Call c -> out.addAll(c.value().args());
      case Step.Vectors v -> operands(v, out);
      case Step.Put p -> out.add(p.sink().value());
    }
    return out;
  }

  /** What a vector loop loads or puts into all lanes. */
  Set<Expr> operands(Step.Vectors v) {
    Set<Expr> out = Collections.newSetFromMap(new IdentityHashMap<>());
    operands(v, out);
    return out;
  }

  private void operands(Step.Vectors v, Set<Expr> out) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    v.stored().forEach(e -> operands(v, e, seen, out));
    v.sinks().forEach(k -> operands(v, k.value(), seen, out));
  }

  private void operands(Step.Vectors v, Expr e, Set<Expr> seen, Set<Expr> out) {
    if (!seen.add(e)) {
      return;
    }
    if (computes(v, e)) {
      ((Expr.Apply) e).args().forEach(x -> operands(v, x, seen, out));
    } else {
      out.add(e);
    }
  }

  /** Notes which addresses and fixed values the steps need. */
  private void entries(List<Sink> sinks) {
    Set<Object> needed = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Step s : steps) {
      for (Expr e : reads(s)) {
        boolean splat = s instanceof Step.Vectors && !(e instanceof Expr.Const);
        if (inParameter(e) || (forms.get(e) == Form.FIXED && splat)) {
          needed.add(e);
        }
      }
    }
    for (Sink s : sinks) {
      if (vectorSink(s) && (s instanceof Sink.ToParam || s instanceof Sink.AddToParam)) {
        needed.add(s);
      }
    }
    long at = space.allocate(8L * needed.size());
    List<Object> inOrder = new ArrayList<>(order);
    inOrder.addAll(sinks);
    for (Object o : inOrder) {
      if (needed.contains(o)) {
        entries.put(o, at);
        at += 8;
      }
    }
  }

  private boolean inParameter(Expr e) {
    return forms.get(e) == Form.MEMORY && e instanceof Expr.Load;
  }
}
