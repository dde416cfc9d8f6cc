package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;

/**
 * Generates the code of one kernel. The vector axis is either the innermost grid loop (COLUMNS:
 * every phase works on a block of grid points at once) or the innermost loop of each phase (ROWS:
 * one grid point at a time), whichever has more contiguous accesses; without the Vector API all is
 * SCALAR. Each phase is a method. How work is cut depends on the kernel alone, so results are the
 * same on any number of threads.
 */
final class KernelGen {
  /** Elements of a long innermost grid loop that make one work unit. */
  static final int CHUNK = 4096;

  /** The same where operands are transposed: so few that their lines do not push each other out. */
  private static final int NARROW_CHUNK = 128;

  /** Most elements of a block. */
  static final int BLOCK = 512;

  /** The same where nothing but accumulators is kept per element. */
  static final int LONG_BLOCK = 2048;

  /** Most elements of a row that one call of a loop does. */
  private static final long WHOLE_ROW = 1 << 20;

  /** Rows shorter than this are not worth a vector. */
  private static final int SHORT = 4;

  enum Mode {
    SCALAR,
    ROWS,
    COLUMNS
  }

  /** What code is made of. */
  enum Code {
    SCALARS,
    VECTORS,
    /** Scalar code with the bits of vectors, for kernels in {@link Mode#ROWS}. */
    LANES
  }

  /**
   * Code and how to run it.
   *
   * @param work the independent work units
   * @param scratchBytes scratch memory that a thread needs
   */
  record Generated(KernelCode code, WorkUnits work, long scratchBytes) {
    long units() {
      return work.count();
    }
  }

  private final Kernel kernel;
  private final Mode mode;
  private final boolean half;
  private final int chunk;
  private final int block;
  private final ScratchSpace space = new ScratchSpace();
  private final Dependences dependences = new Dependences();
  private final ClassGen out = new ClassGen();
  private final BlockGen.Place place;
  private final Map<Integer, Long> accs = new HashMap<>();

  /** Parameters that the kernel was given; those after them are in scratch memory. */
  private final int given;

  private final List<Long> kept = new ArrayList<>();

  /** Transposed operands of an elementwise kernel, or null. */
  private final Transposes transposes;

  /** How short rows with functions were joined, or null. */
  private final JoinedRows joined;

  /** Innermost outer loops of an elementwise kernel that a vector loop walks too. */
  private final List<Loop> rows;

  /** Whether reductions go along short rows, of which a block has one for each grid point. */
  private final boolean totals;

  /** The method that is being written. */
  private MethodGen method;

  private KernelGen(Kernel kernel, Code with) {
    KernelShape shape = new KernelShape(kernel);
    this.half = shape.hasFloat64();
    // scalar code is what there is without the Vector API, so it asks nothing about vectors
    boolean together = with != Code.SCALARS && ShortRows.haveTotals(kernel);
    // each of the short rows whose totals vectors make together is a row by itself in scalar code
    this.mode =
        with == Code.SCALARS
            ? Mode.SCALAR
            : with == Code.LANES && together ? Mode.ROWS : mode(kernel);
    if (with == Code.LANES && mode != Mode.ROWS) {
      throw new IllegalArgumentException("not in rows: " + mode);
    }
    this.block = shape.isCheap() ? LONG_BLOCK : BLOCK;
    this.transposes = mode == Mode.COLUMNS ? Transposes.of(kernel) : null;
    this.joined =
        mode == Mode.COLUMNS && with == Code.VECTORS ? JoinedRows.of(kernel, block) : null;
    Kernel made = joined != null ? joined.kernel() : kernel;
    Loop axis = mode == Mode.COLUMNS ? made.grid().getLast() : null;
    this.kernel =
        transposes != null
            ? transposes.kernel()
            : KeptValues.ofLargePhases(
                KeptValues.ofFunctions(made, axis, block),
                p -> mode != Mode.COLUMNS && !isVectorRow(p));
    this.given = kernel.params().size();
    this.chunk =
        transposes != null
            ? transposes.columns()
            : shape.isTransposed()
                ? NARROW_CHUNK
                : mode == Mode.COLUMNS ? shape.columnChunk(CHUNK) : CHUNK;
    this.place =
        new BlockGen.Place(
            out, this::open, (m, id) -> m.scratchAddress(accs.get(id)), half, with == Code.LANES);
    for (Kernel.Param p : this.kernel.params().subList(given, this.kernel.params().size())) {
      kept.add(space.allocate(p.elements() * p.dtype().bytes()));
    }
    this.rows =
        mode == Mode.COLUMNS && transposes == null
            ? ShortRows.walked(this.kernel, dependences)
            : List.of();
    this.totals = mode == Mode.COLUMNS && together;
    Set<Loop> changing = axis == null ? Set.of() : Set.of(axis);
    // Scalar code has all accumulators of a loop in memory.
    long lanes =
        with == Code.SCALARS
            ? 1
            : VectorCode.lanes(half) * (with == Code.LANES ? LoopGen.MOST_AT_ONCE : 1);
    for (Phase p : kernel.phases()) {
      for (Phase.Accumulator a : accs(p)) {
        accs.put(a.id(), space.allocate((mode == Mode.COLUMNS ? block : lanes) * 8));
        dependences.acc(a.id(), changing);
      }
    }
  }

  /** Scalar code that has the bits of vector code, if there is any, and vector code too. */
  static Optional<Code> twin(Kernel kernel) {
    Mode by = mode(kernel);
    return by == Mode.SCALAR
            || kernel.phases().stream().anyMatch(p -> p instanceof Phase.ScatterAdd)
        ? Optional.empty()
        : Optional.of(by == Mode.ROWS || ShortRows.haveTotals(kernel) ? Code.LANES : Code.SCALARS);
  }

  private static Mode mode(Kernel kernel) {
    Mode by = new KernelShape(kernel).mode(SHORT);
    boolean together =
        by == Mode.SCALAR
            && (ShortRows.areWorthVectors(kernel) || JoinedRows.of(kernel, BLOCK) != null);
    return together || ShortRows.haveTotals(kernel) ? Mode.COLUMNS : by;
  }

  private static KernelGen of(Kernel kernel, Code with) {
    return new KernelGen(with == Code.VECTORS ? Woven.of(kernel) : kernel, with);
  }

  static Generated generate(Kernel kernel, Code with) {
    KernelGen g = of(kernel, with);
    KernelCode code = g.out.load(g::run);
    return new Generated(code, g.work(), g.space.bytes());
  }

  /** The class files of a kernel, shared methods among them, for tests. */
  static List<byte[]> classFiles(Kernel kernel, Code with) {
    KernelGen g = of(kernel, with);
    List<byte[]> files = new ArrayList<>(List.of(g.out.write(g::run)));
    files.addAll(g.out.sharedFiles());
    return files;
  }

  private WorkUnits work() {
    if (mode != Mode.COLUMNS) {
      return WorkUnits.flat(kernel.points(), 1);
    }
    List<Loop> grid = kernel.grid();
    long[] extents = grid.stream().mapToLong(Loop::extent).toArray();
    long[] each = grid.stream().mapToLong(this::perUnit).toArray();
    each[each.length - 1] = chunk;
    return new WorkUnits(extents, each);
  }

  /** Values of a loop that a work unit of columns does: of most outer loops, one. */
  private long perUnit(Loop l) {
    if (transposes != null && l.equals(transposes.row())) {
      return transposes.rows();
    }
    if (rows.isEmpty() || !rows.contains(l)) {
      return 1;
    }
    long inside = kernel.grid().getLast().extent();
    if (l.equals(rows.getLast()) && rows.size() > 1) {
      return l.extent();
    }
    inside *= rows.size() > 1 ? rows.getLast().extent() : 1;
    return Math.max(1, CHUNK / inside);
  }

  /** The outer loops in steps of what a work unit does. */
  private List<Loop> groups() {
    return outer().stream()
        .map(l -> new Loop(l.id(), (l.extent() + perUnit(l) - 1) / perUnit(l)))
        .toList();
  }

  private List<Loop> outer() {
    return mode == Mode.COLUMNS
        ? kernel.grid().subList(0, kernel.grid().size() - 1)
        : kernel.grid();
  }

  /** Scratch bytes of one value of a block; not a power of two, or all would share cache lines. */
  static long slotBytes(int block, boolean half) {
    return (long) block * (half ? 8 : 4) + 64;
  }

  // ---- methods --------------------------------------------------------------------------------

  /** Begins a method; a block of an axis starts where {@code base} says, if there is one. */
  private MethodGen open(CodeBuilder b, int buffers, int scratch, int base) {
    Asm asm = new Asm(b);
    int[] params = new int[kernel.params().size()];
    for (int i = 0; i < params.length; i++) {
      if (i < given) {
        b.aload(buffers).loadConstant(i).laload();
      } else {
        b.lload(scratch).loadConstant(kept.get(i - given)).ladd();
        if (mode == Mode.COLUMNS && base >= 0) {
          // Elements are counted by the axis, and the first of the block comes first.
          b.lload(base).loadConstant((long) kernel.params().get(i).dtype().bytes()).lmul().lsub();
        }
      }
      params[i] = asm.keep(TypeKind.LONG);
    }
    MethodGen m = new MethodGen(b, asm, new ScalarGen(asm, params, dependences), buffers, scratch);
    for (Phase p : kernel.phases()) {
      for (Phase.Accumulator a : accs(p)) {
        m.scalar()
            .bindAcc(
                a.id(),
                id -> {
                  m.scratchAddress(accs.get(id));
                  if (mode == Mode.COLUMNS) {
                    b.lload(m.scalar().slot(kernel.grid().getLast())).lload(base).lsub();
                    b.loadConstant((long) a.dtype().bytes()).lmul().ladd();
                  }
                  asm.get(a.dtype());
                });
      }
    }
    return m;
  }

  private void run(CodeBuilder b) {
    MethodGen m = open(b, b.parameterSlot(0), b.parameterSlot(3), -1);
    List<ClassGen.Callee> phases = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      phases.add(out.add("phase", phaseType(), c -> phase(c, p)));
    }
    int unit = m.asm().local(TypeKind.LONG);
    m.asm()
        .longLoop(
            unit,
            () -> b.lload(b.parameterSlot(1)),
            () -> b.lload(b.parameterSlot(2)),
            1,
            () -> {
              if (mode == Mode.COLUMNS) {
                columns(m, unit, phases);
              } else {
                Nest.decompose(m, unit, kernel.grid());
                call(m, phases, null);
              }
            });
    b.return_();
  }

  /** Buffers, scratch, first axis value, number of axis values, rows, then the outer loops. */
  private MethodTypeDesc phaseType() {
    ClassDesc[] args = new ClassDesc[5 + outer().size()];
    Arrays.fill(args, ConstantDescs.CD_long);
    args[0] = ConstantDescs.CD_long.arrayType();
    args[3] = ConstantDescs.CD_int;
    args[4] = ConstantDescs.CD_int;
    return MethodTypeDesc.of(ConstantDescs.CD_void, args);
  }

  private void call(MethodGen m, List<ClassGen.Callee> phases, BlockGen.Block at) {
    for (ClassGen.Callee p : phases) {
      m.code().aload(m.buffers()).lload(m.scratch());
      if (at == null) {
        m.code().lconst_0().iconst_0().iconst_0();
      } else {
        m.code().lload(at.base()).iload(at.count());
        if (at.rows() < 0) {
          m.code().iconst_0();
        } else {
          m.code().iload(at.rows());
        }
      }
      outer().forEach(l -> m.code().lload(m.scalar().slot(l)));
      ClassGen.call(m.code(), p);
    }
  }

  private void columns(MethodGen m, int unit, List<ClassGen.Callee> phases) {
    CodeBuilder code = m.code();
    Loop axis = kernel.grid().getLast();
    // All rows of one chunk come before the next chunk, so that lines of a transposed operand are
    // still in the cache when the next row reads them.
    List<Loop> groups = groups();
    long positions = Contraction.extent(groups);
    code.lload(unit).loadConstant(positions).ldiv().loadConstant((long) chunk).lmul();
    int from = m.asm().keep(TypeKind.LONG);
    code.lload(unit).loadConstant(positions).lrem();
    int rest = m.asm().keep(TypeKind.LONG);
    Nest.decompose(m, rest, groups);
    Nest.blocks(
        m,
        axis,
        block,
        () -> code.lload(from),
        () -> {
          code.lload(from).loadConstant((long) chunk).ladd().loadConstant(axis.extent());
          Nest.min(m);
        },
        at -> {
          if (transposes != null) {
            tile(m, at, groups, phases);
          } else if (!rows.isEmpty()) {
            rows(m, at, groups, phases);
          } else {
            if (joined != null) {
              joined.spread(m, at, kept);
            }
            call(m, phases, at);
          }
        });
  }

  /** Binds a loop to the first value of a group, and keeps the value after the group's last. */
  private int group(MethodGen m, Loop l, List<Loop> groups) {
    CodeBuilder code = m.code();
    code.lload(m.scalar().slot(groups.get(outer().indexOf(l)))).loadConstant(perUnit(l)).lmul();
    int first = m.asm().keep(TypeKind.LONG);
    m.scalar().bind(l, first);
    code.lload(first).loadConstant(perUnit(l)).ladd().loadConstant(l.extent());
    Nest.min(m);
    return m.asm().keep(TypeKind.LONG);
  }

  /** Does several rows in one vector loop. */
  private void rows(
      MethodGen m, BlockGen.Block at, List<Loop> groups, List<ClassGen.Callee> phases) {
    for (Loop l : rows.reversed()) {
      int end = group(m, l, groups);
      if (l.equals(rows.getFirst())) {
        m.code().lload(end).lload(m.scalar().slot(l)).lsub().l2i();
      }
    }
    int count = m.asm().keep(TypeKind.INT);
    call(m, phases, new BlockGen.Block(at.axis(), at.base(), at.count(), count));
  }

  /** Transposes a tile of each operand, then does the tile's rows. */
  private void tile(
      MethodGen m, BlockGen.Block at, List<Loop> groups, List<ClassGen.Callee> phases) {
    CodeBuilder code = m.code();
    Loop row = transposes.row();
    int end = group(m, row, groups);
    int first = m.scalar().slot(row);
    for (int i = 0; i < transposes.loads().size(); i++) {
      Expr.Load l = transposes.loads().get(i);
      int size = l.dtype().bytes();
      m.scalar().address(l.param(), l.dtype(), l.index());
      code.loadConstant(l.index().coef(at.axis()) * size);
      m.scratchAddress(kept.get(i));
      code.loadConstant((long) transposes.pitch() * size);
      code.lload(end).lload(first).lsub().l2i().iload(at.count()).loadConstant(size);
      m.asm()
          .call(
              Transposes.class,
              "copy",
              ConstantDescs.CD_void,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_int,
              ConstantDescs.CD_int,
              ConstantDescs.CD_int);
    }
    int value = m.asm().local(TypeKind.LONG);
    m.scalar().bind(row, value);
    m.asm()
        .longLoop(
            value, () -> code.lload(first), () -> code.lload(end), 1, () -> call(m, phases, at));
  }

  /** One phase: its accumulators go to scratch, where later phases find them. */
  private void phase(CodeBuilder b, Phase p) {
    int base = b.parameterSlot(2);
    method = open(b, b.parameterSlot(0), b.parameterSlot(1), base);
    for (int i = 0; i < outer().size(); i++) {
      method.scalar().bind(outer().get(i), b.parameterSlot(5 + i));
    }
    long mark = space.mark();
    Set<Loop> inside = new HashSet<>(p.loops());
    if (mode == Mode.COLUMNS) {
      Loop axis = kernel.grid().getLast();
      method.scalar().bind(axis, base);
      inside.add(axis);
      method.scalar().hoist(KeptValues.values(p), inside);
      int count = rows.isEmpty() ? -1 : b.parameterSlot(4);
      columnPhase(p, new BlockGen.Block(axis, base, b.parameterSlot(3), count));
    } else {
      method.scalar().hoist(KeptValues.values(p), inside);
      row(p);
    }
    space.release(mark);
    b.return_();
  }

  private static List<Phase.Accumulator> accs(Phase p) {
    return p instanceof Phase.Reduce r ? r.accs() : List.of();
  }

  private void emit(BlockGen.Block at, List<Sink> sinks, List<Loop> walked) {
    BlockPlan plan =
        new BlockPlan(at.axis(), walked, sinks, dependences, space, slotBytes(block, half));
    BlockGen.emit(place, plan, at, method);
  }

  /** Sets accumulators to their identity; the number of values is on the stack in the end. */
  private void fill(Phase.Accumulator a, Runnable count) {
    DType t = a.dtype();
    method.scratchAddress(accs.get(a.id()));
    method.asm().constant(t, a.reducer().identity(t));
    count.run();
    method.asm().fill(t);
  }

  // ---- COLUMNS --------------------------------------------------------------------------------

  private void columnPhase(Phase p, BlockGen.Block at) {
    CodeBuilder code = method.code();
    List<Sink> sinks = new ArrayList<>();
    if (p instanceof Phase.Reduce r && totals) {
      rowTotals(r, at);
      return;
    }
    switch (p) {
      case Phase.Reduce r -> {
        for (Phase.Accumulator a : r.accs()) {
          fill(a, () -> code.iload(at.count()));
          sinks.add(new Sink.Fold(a.value(), a.reducer(), accs.get(a.id()), true));
        }
      }
      case Phase.Emit e -> e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
      case Phase.ScatterAdd s -> sinks.add(new Sink.AddToParam(s.store()));
    }
    List<Loop> folded = foldedRows(p, at.axis(), sinks);
    Nest.points(
        method,
        p.loops().subList(0, p.loops().size() - folded.size()),
        () -> {
          method.scalar().open();
          if (!folded.isEmpty()) {
            code.lconst_0();
            method.scalar().bind(folded.getFirst(), method.asm().keep(TypeKind.LONG));
            code.loadConstant((int) folded.getFirst().extent());
            int count = method.asm().keep(TypeKind.INT);
            emit(new BlockGen.Block(at.axis(), at.base(), at.count(), count), sinks, folded);
            method.scalar().close();
            return;
          }
          Label skip = code.newLabel();
          if (p instanceof Phase.ScatterAdd s) {
            method.scalar().branchUnless(s.bounds(), skip);
          }
          emit(at, sinks, rows);
          code.labelBinding(skip);
          method.scalar().close();
        });
  }

  /** Reduces along rows, one for each grid point of the block. */
  private void rowTotals(Phase.Reduce r, BlockGen.Block at) {
    Loop row = r.loops().getFirst();
    method.code().lconst_0();
    int first = method.asm().keep(TypeKind.LONG);
    method.scalar().bind(row, first);
    method.code().loadConstant((int) row.extent());
    int length = method.asm().keep(TypeKind.INT);
    List<Sink> sinks =
        r.accs().stream()
            .<Sink>map(a -> new Sink.Total(a.value(), a.reducer(), accs.get(a.id())))
            .toList();
    emit(new BlockGen.Block(row, first, length, at.count()), sinks, List.of(at.axis()));
  }

  /** The innermost loop of a reduction if one vector loop can walk it too, else none. */
  private List<Loop> foldedRows(Phase p, Loop axis, List<Sink> sinks) {
    if (!(p instanceof Phase.Reduce) || p.loops().isEmpty()) {
      return List.of();
    }
    List<Loop> inner = List.of(p.loops().getLast());
    long extent = inner.getFirst().extent();
    return extent > 1
            && extent <= Integer.MAX_VALUE
            && new BlockPlan(axis, inner, sinks, dependences, new ScratchSpace(), 0).walksRows()
        ? inner
        : List.of();
  }

  // ---- ROWS and SCALAR ------------------------------------------------------------------------

  private void row(Phase p) {
    if (isVectorRow(p)) {
      vectorRow(p);
    } else {
      ScalarPhase.emit(method, accs, p);
    }
  }

  private boolean isVectorRow(Phase p) {
    return mode == Mode.ROWS
        && !(p instanceof Phase.ScatterAdd)
        && !p.loops().isEmpty()
        && p.loops().getLast().extent() >= SHORT;
  }

  private void vectorRow(Phase p) {
    CodeBuilder code = method.code();
    Loop axis = p.loops().getLast();
    List<Sink> sinks = new ArrayList<>();
    for (Phase.Accumulator a : accs(p)) {
      fill(a, () -> code.loadConstant(VectorCode.lanes(half)));
      sinks.add(new Sink.Fold(a.value(), a.reducer(), accs.get(a.id()), false));
    }
    if (p instanceof Phase.Emit e) {
      e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
    }
    // A call per block would only interrupt a loop that keeps nothing in scratch.
    BlockPlan whole = new BlockPlan(axis, List.of(), sinks, dependences, new ScratchSpace(), 0);
    boolean once = whole.isOneLoop() && Optimisation.WHOLE_ROWS.isOn();
    long size = once ? Math.min(axis.extent(), WHOLE_ROW) : block;
    Nest.points(
        method,
        p.loops().subList(0, p.loops().size() - 1),
        () ->
            Nest.blocks(
                method,
                axis,
                size,
                () -> code.lconst_0(),
                () -> code.loadConstant(axis.extent()),
                at -> emit(at, sinks, List.of())));
    for (Phase.Accumulator a : accs(p)) {
      method.scratchAddress(accs.get(a.id()));
      if (a.dtype() == DType.BOOL) {
        method.asm().get(a.dtype());
      } else {
        ClassGen.call(code, Folds.add(out, a, VectorCode.lanes(half)));
      }
      ScalarPhase.finish(method, accs.get(a.id()), a.dtype());
    }
  }
}
