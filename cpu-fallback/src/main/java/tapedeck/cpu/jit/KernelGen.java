package tapedeck.cpu.jit;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;

/**
 * Generates the code of one kernel. The vector axis is either the innermost grid loop (COLUMNS:
 * every phase works on a block of grid points at once) or the innermost loop of each phase (ROWS:
 * one grid point at a time), whichever has more contiguous accesses; without the Vector API all is
 * SCALAR. How work is cut depends on the kernel alone, so results are the same on any number of
 * threads.
 */
final class KernelGen {
  /** Elements of a long innermost grid loop that make one work unit. */
  private static final int CHUNK = 8 * BlockGen.BLOCK;

  /** The same where operands are transposed: so few that their lines do not push each other out. */
  private static final int NARROW_CHUNK = 128;

  /** Rows shorter than this are not worth a vector. */
  private static final int SHORT = 4;

  enum Mode {
    SCALAR,
    ROWS,
    COLUMNS
  }

  /**
   * Code and how to run it.
   *
   * @param units number of independent work units
   * @param scratchBytes scratch memory that a thread needs
   */
  record Generated(KernelCode code, long units, long scratchBytes) {}

  /** Rows and columns of a part of a matrix product; see {@link TileCode}. */
  record Region(List<Loop> batch, List<Loop> rows, List<Loop> columns, Expr operand) {}

  private static final ClassDesc SELF =
      ClassDesc.of(KernelGen.class.getPackageName() + ".Generated");

  private static final MethodTypeDesc RUN =
      MethodTypeDesc.of(
          ConstantDescs.CD_void,
          ConstantDescs.CD_long.arrayType(),
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long,
          ConstantDescs.CD_long.arrayType());

  private final Kernel kernel;
  private final Region region;
  private final Mode mode;
  private final boolean half;
  private final int chunk;
  private ScalarGen scalar;
  private Asm asm;
  private CodeBuilder code;
  private int scratchSlot;
  private int maxScratch;
  private final Map<Integer, Integer> accSlots = new HashMap<>();

  private KernelGen(Kernel kernel, Region region, boolean vectors) {
    this.kernel = kernel;
    this.region = region;
    this.half = new KernelShape(kernel).hasFloat64();
    this.mode =
        !vectors
            ? Mode.SCALAR
            : region != null ? Mode.COLUMNS : new KernelShape(kernel).mode(SHORT);
    this.chunk = new KernelShape(kernel).isTransposed() ? NARROW_CHUNK : CHUNK;
    kernel.phases().forEach(p -> accs(p).forEach(a -> accSlots.put(a.id(), accSlots.size())));
    this.maxScratch = accSlots.size();
  }

  static Generated generate(Kernel kernel, boolean vectors) {
    return new KernelGen(kernel, null, vectors).build();
  }

  /**
   * Code that fills a tile with an operand's elements, or (operand null) stores a finished tile.
   */
  static Generated generate(Kernel kernel, Region region) {
    return new KernelGen(kernel, region, true).build();
  }

  private Generated build() {
    ClassDesc name = SELF;
    byte[] bytes =
        ClassFile.of()
            .build(
                name,
                c -> {
                  c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                      .withInterfaceSymbols(KernelCode.class.describeConstable().orElseThrow())
                      .withMethodBody(
                          ConstantDescs.INIT_NAME,
                          ConstantDescs.MTD_void,
                          0,
                          b ->
                              b.aload(0)
                                  .invokespecial(
                                      ConstantDescs.CD_Object,
                                      ConstantDescs.INIT_NAME,
                                      ConstantDescs.MTD_void)
                                  .return_())
                      .withMethodBody("run", RUN, ClassFile.ACC_PUBLIC, this::method);
                  if (split()) {
                    for (int i = 0; i < kernel.phases().size(); i++) {
                      Phase p = kernel.phases().get(i);
                      c.withMethodBody(
                          "phase" + i, phaseType(), ClassFile.ACC_STATIC, b -> phaseMethod(b, p));
                    }
                  }
                });
    try {
      Class<?> type = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      KernelCode made = (KernelCode) type.getDeclaredConstructor().newInstance();
      return new Generated(made, units(), (long) maxScratch * BlockGen.SLOT);
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new DeviceException("[cpu] generated code of a kernel did not load: " + e, e);
    }
  }

  private long units() {
    if (region != null) {
      return Contraction.extent(region.rows());
    }
    return mode == Mode.COLUMNS
        ? Contraction.extent(outer()) * chunks()
        : Contraction.extent(kernel.grid());
  }

  private List<Loop> outer() {
    return mode == Mode.COLUMNS
        ? kernel.grid().subList(0, kernel.grid().size() - 1)
        : kernel.grid();
  }

  private long chunks() {
    return (kernel.grid().getLast().extent() + chunk - 1) / chunk;
  }

  // ---- the method -----------------------------------------------------------------------------

  /**
   * HotSpot compiles no method of more than 8,000 bytes, so each of several phases is a method of
   * its own.
   */
  private boolean split() {
    return region == null && kernel.phases().size() > 1;
  }

  /** Buffers, scratch, first axis value, number of axis values, then the outer loops. */
  private MethodTypeDesc phaseType() {
    ClassDesc[] args = new ClassDesc[4 + outer().size()];
    java.util.Arrays.fill(args, ConstantDescs.CD_long);
    args[0] = ConstantDescs.CD_long.arrayType();
    return MethodTypeDesc.of(ConstantDescs.CD_void, args);
  }

  private void begin(CodeBuilder b, int scratch) {
    code = b;
    asm = new Asm(b);
    scratchSlot = scratch;
    int[] params = new int[kernel.params().size()];
    for (int i = 0; i < params.length; i++) {
      b.aload(b.parameterSlot(0)).loadConstant(i).laload();
      params[i] = asm.keep(TypeKind.LONG);
    }
    scalar = new ScalarGen(asm, params);
  }

  private void method(CodeBuilder b) {
    begin(b, b.parameterSlot(3));
    int unit = asm.local(TypeKind.LONG);
    asm.longLoop(
        unit,
        () -> b.lload(b.parameterSlot(1)),
        () -> b.lload(b.parameterSlot(2)),
        1,
        () -> {
          scalar.open();
          if (region != null) {
            tileRow(unit);
          } else if (mode == Mode.COLUMNS) {
            columns(unit);
          } else {
            decompose(unit, kernel.grid());
            if (split()) {
              callPhases(null);
            } else {
              kernel.phases().forEach(p -> hoistedRow(p));
            }
          }
          scalar.close();
        });
    b.return_();
  }

  private void callPhases(int[] at) {
    for (int i = 0; i < kernel.phases().size(); i++) {
      code.aload(code.parameterSlot(0)).lload(scratchSlot);
      if (at == null) {
        code.lconst_0().lconst_0();
      } else {
        code.lload(at[0]).iload(at[1]).i2l();
      }
      outer().forEach(l -> code.lload(scalar.slot(l)));
      code.invokestatic(SELF, "phase" + i, phaseType());
    }
  }

  /** One phase: its accumulators go to scratch, where later phases find them. */
  private void phaseMethod(CodeBuilder b, Phase p) {
    begin(b, b.parameterSlot(1));
    for (int i = 0; i < outer().size(); i++) {
      scalar.bind(outer().get(i), b.parameterSlot(4 + i));
    }
    if (mode == Mode.COLUMNS) {
      Loop axis = kernel.grid().getLast();
      int base = b.parameterSlot(2);
      scalar.bind(axis, base);
      b.lload(b.parameterSlot(3)).l2i();
      int count = asm.keep(TypeKind.INT);
      kernel.phases().forEach(q -> accs(q).forEach(a -> bindBlock(a, axis, base)));
      Set<Loop> inside = new HashSet<>(p.loops());
      inside.add(axis);
      scalar.hoist(values(p), inside);
      columnPhase(p, axis, new int[] {base, count});
    } else {
      for (Phase q : kernel.phases()) {
        for (Phase.Accumulator a : accs(q)) {
          scalar.bindAcc(
              a.id(),
              Set.of(),
              id -> {
                scratchAddress(accSlots.get(id));
                asm.get(a.dtype());
              });
        }
      }
      hoistedRow(p);
    }
    b.return_();
  }

  private void hoistedRow(Phase p) {
    scalar.hoist(values(p), new HashSet<>(p.loops()));
    row(p);
  }

  /** An accumulator with one value per element of the block, in scratch. */
  private void bindBlock(Phase.Accumulator a, Loop axis, int base) {
    scalar.bindAcc(
        a.id(),
        Set.of(axis),
        id -> {
          scratchAddress(accSlots.get(id));
          code.lload(scalar.slot(axis)).lload(base).lsub();
          code.loadConstant((long) a.dtype().bytes()).lmul().ladd();
          asm.get(a.dtype());
        });
  }

  /** Binds loops to the digits of a flat position. */
  private void decompose(int flat, List<Loop> loops) {
    code.lload(flat);
    int rest = asm.keep(TypeKind.LONG);
    for (int i = loops.size() - 1; i >= 0; i--) {
      Loop l = loops.get(i);
      code.lload(rest);
      if (i > 0) {
        code.loadConstant(l.extent()).lrem();
      }
      scalar.bind(l, asm.keep(TypeKind.LONG));
      if (i > 0) {
        code.lload(rest).loadConstant(l.extent()).ldiv().lstore(rest);
      }
    }
  }

  private static List<Expr> values(Phase p) {
    return switch (p) {
      case Phase.Reduce r -> r.accs().stream().map(Phase.Accumulator::value).toList();
      case Phase.Emit e -> e.stores().stream().map(Phase.Store::value).toList();
      case Phase.ScatterAdd s -> List.of(s.store().value());
    };
  }

  private void nest(List<Loop> loops, Runnable body) {
    if (loops.isEmpty()) {
      body.run();
      return;
    }
    Loop l = loops.get(0);
    int slot = asm.local(TypeKind.LONG);
    scalar.bind(l, slot);
    asm.longLoop(
        slot,
        () -> code.lconst_0(),
        () -> code.loadConstant(l.extent()),
        1,
        () -> {
          scalar.open();
          nest(loops.subList(1, loops.size()), body);
          scalar.close();
        });
  }

  /**
   * Runs a body for blocks of an axis between two values; the count is in the int local that it
   * gets.
   */
  private void blocks(Loop axis, Runnable from, Runnable to, Consumer<int[]> body) {
    int base = asm.local(TypeKind.LONG);
    to.run();
    int end = asm.keep(TypeKind.LONG);
    scalar.bind(axis, base);
    asm.longLoop(
        base,
        from,
        () -> code.lload(end),
        BlockGen.BLOCK,
        () -> {
          code.loadConstant((long) BlockGen.BLOCK).lload(end).lload(base).lsub();
          asm.call(
              Math.class,
              "min",
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long);
          code.l2i();
          int count = asm.keep(TypeKind.INT);
          scalar.open();
          body.accept(new int[] {base, count});
          scalar.close();
        });
  }

  private BlockGen block(
      Loop axis, int[] at, Map<Integer, Integer> accBlocks, Map<Integer, Integer> accAddress) {
    return new BlockGen(
        scalar, axis, at[0], at[1], scratchSlot, half, accSlots.size(), accBlocks, accAddress);
  }

  private void emit(BlockGen g, List<Sink> sinks) {
    g.emit(sinks);
    maxScratch = Math.max(maxScratch, g.scratchSlots());
  }

  private void scratchAddress(int slot) {
    code.lload(scratchSlot).loadConstant((long) slot * BlockGen.SLOT).ladd();
  }

  private void fill(int slot, DType t, double v, int countSlot, int count) {
    scratchAddress(slot);
    asm.constant(t, v);
    if (countSlot >= 0) {
      code.iload(countSlot);
    } else {
      code.loadConstant(count);
    }
    asm.call(
        Blocks.class,
        t == DType.BOOL ? "fillBool" : "fill",
        ConstantDescs.CD_void,
        ConstantDescs.CD_long,
        Asm.desc(t),
        ConstantDescs.CD_int);
  }

  // ---- COLUMNS --------------------------------------------------------------------------------

  private void columns(int unit) {
    Loop axis = kernel.grid().getLast();
    // All rows of one chunk come before the next chunk, so that lines of a transposed operand are
    // still in the cache when the next row reads them.
    long rows = Contraction.extent(outer());
    code.lload(unit).loadConstant(rows).ldiv().loadConstant((long) chunk).lmul();
    int from = asm.keep(TypeKind.LONG);
    code.lload(unit).loadConstant(rows).lrem();
    int rest = asm.keep(TypeKind.LONG);
    decompose(rest, outer());
    blocks(
        axis,
        () -> code.lload(from),
        () -> {
          code.lload(from).loadConstant((long) chunk).ladd().loadConstant(axis.extent());
          asm.call(
              Math.class,
              "min",
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long);
        },
        at -> {
          if (split()) {
            callPhases(at);
          } else {
            columnPhase(kernel.phases().get(0), axis, at);
          }
        });
  }

  private static List<Phase.Accumulator> accs(Phase p) {
    return p instanceof Phase.Reduce r ? r.accs() : List.of();
  }

  private void columnPhase(Phase p, Loop axis, int[] at) {
    List<Sink> sinks = new ArrayList<>();
    switch (p) {
      case Phase.Reduce r -> {
        for (Phase.Accumulator a : r.accs()) {
          int slot = accSlots.get(a.id());
          fill(slot, a.dtype(), a.reducer().identity(a.dtype()), at[1], 0);
          sinks.add(new Sink.Fold(a.value(), a.reducer(), slot, true));
        }
      }
      case Phase.Emit e -> e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
      case Phase.ScatterAdd s -> sinks.add(new Sink.AddToParam(s.store()));
    }
    nest(
        p.loops(),
        () -> {
          scalar.open();
          Label skip = code.newLabel();
          if (p instanceof Phase.ScatterAdd s) {
            scalar.branchUnless(s.bounds(), skip);
          }
          emit(block(axis, at, accSlots, Map.of()), sinks);
          code.labelBinding(skip);
          scalar.close();
        });
  }

  // ---- ROWS and SCALAR ------------------------------------------------------------------------

  private void row(Phase p) {
    boolean vector =
        mode == Mode.ROWS
            && !(p instanceof Phase.ScatterAdd)
            && !p.loops().isEmpty()
            && p.loops().getLast().extent() >= SHORT;
    if (vector) {
      vectorRow(p);
    } else {
      scalarRow(p);
    }
  }

  private void vectorRow(Phase p) {
    Loop axis = p.loops().getLast();
    List<Sink> sinks = new ArrayList<>();
    int lanes = half ? Vec.LANES_H : Vec.LANES;
    for (Phase.Accumulator a : accs(p)) {
      int slot = accSlots.get(a.id());
      fill(slot, a.dtype(), a.reducer().identity(a.dtype()), -1, lanes);
      sinks.add(new Sink.Fold(a.value(), a.reducer(), slot, false));
    }
    if (p instanceof Phase.Emit e) {
      e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
    }
    nest(
        p.loops().subList(0, p.loops().size() - 1),
        () ->
            blocks(
                axis,
                () -> code.lconst_0(),
                () -> code.loadConstant(axis.extent()),
                at -> emit(block(axis, at, Map.of(), Map.of()), sinks)));
    for (Phase.Accumulator a : accs(p)) {
      DType t = a.dtype();
      scratchAddress(accSlots.get(a.id()));
      if (t == DType.BOOL) {
        asm.get(t);
      } else {
        String suffix = half && t != DType.FLOAT64 ? "h" : "";
        ClassDesc v = VectorCode.vector(t);
        String load = t == DType.FLOAT32 ? "loadF32" : t == DType.FLOAT64 ? "loadF64" : "loadI32";
        asm.call(Vec.class, load + suffix, v, ConstantDescs.CD_long);
        asm.call(Folds.class, "fold" + a.reducer().name(), Asm.desc(t), v);
      }
      finish(a);
    }
  }

  /** Puts a finished accumulator, which is on the stack, where later phases find it. */
  private void finish(Phase.Accumulator a) {
    TypeKind kind = Asm.kind(a.dtype());
    int slot = asm.keep(kind);
    scratchAddress(accSlots.get(a.id()));
    code.loadLocal(kind, slot);
    asm.put(a.dtype());
  }

  private void scalarRow(Phase p) {
    switch (p) {
      case Phase.Reduce r -> {
        int[] slots = new int[r.accs().size()];
        for (int i = 0; i < slots.length; i++) {
          Phase.Accumulator a = r.accs().get(i);
          asm.constant(a.dtype(), a.reducer().identity(a.dtype()));
          slots[i] = asm.keep(Asm.kind(a.dtype()));
        }
        nest(
            r.loops(),
            () -> {
              for (int i = 0; i < slots.length; i++) {
                Phase.Accumulator a = r.accs().get(i);
                code.loadLocal(Asm.kind(a.dtype()), slots[i]);
                scalar.push(a.value());
                scalar.combine(a.reducer(), a.dtype());
                code.storeLocal(Asm.kind(a.dtype()), slots[i]);
              }
            });
        for (int i = 0; i < slots.length; i++) {
          Phase.Accumulator a = r.accs().get(i);
          code.loadLocal(Asm.kind(a.dtype()), slots[i]);
          finish(a);
        }
      }
      case Phase.Emit e -> nest(e.loops(), () -> store(e.stores()));
      case Phase.ScatterAdd s ->
          nest(
              s.loops(),
              () -> {
                Label skip = code.newLabel();
                scalar.branchUnless(s.bounds(), skip);
                Phase.Store st = s.store();
                DType t = st.value().dtype();
                scalar.address(st.param(), t, st.index());
                code.dup2();
                asm.get(t);
                scalar.push(st.value());
                scalar.apply(tapedeck.ad.kir.ScalarOp.ADD, t, t);
                asm.put(t);
                code.labelBinding(skip);
              });
    }
  }

  /** All values, then all stores. */
  private void store(List<Phase.Store> stores) {
    scalar.open();
    int[] slots = new int[stores.size()];
    for (int i = 0; i < slots.length; i++) {
      scalar.push(stores.get(i).value());
      slots[i] = asm.keep(Asm.kind(stores.get(i).value().dtype()));
    }
    for (int i = 0; i < slots.length; i++) {
      Phase.Store s = stores.get(i);
      DType t = s.value().dtype();
      scalar.address(s.param(), t, s.index());
      code.loadLocal(Asm.kind(t), slots[i]);
      asm.put(t);
    }
    scalar.close();
  }

  // ---- parts of a matrix product --------------------------------------------------------------

  private void tile(int i) {
    code.aload(code.parameterSlot(4)).loadConstant(i).laload();
  }

  private void tileRow(int unit) {
    Loop axis = region.columns().isEmpty() ? new Loop(-1, 1) : region.columns().get(0);
    tile(TileCode.BATCH);
    int batch = asm.keep(TypeKind.LONG);
    decompose(batch, region.batch());
    decompose(unit, region.rows());
    DType t = kernel.contraction().orElseThrow().lhs().dtype();
    blocks(
        axis,
        () -> tile(TileCode.COLUMN),
        () -> {
          tile(TileCode.COLUMN);
          tile(TileCode.COLUMNS);
          code.ladd();
        },
        at -> {
          // address + ((row - row0) * ld + column - column0) * bytes
          tile(TileCode.ADDRESS);
          code.lload(unit);
          tile(TileCode.ROW);
          code.lsub();
          tile(TileCode.STRIDE);
          code.lmul().lload(at[0]).ladd();
          tile(TileCode.COLUMN);
          code.lsub().loadConstant((long) t.bytes()).lmul().ladd();
          int address = asm.keep(TypeKind.LONG);
          scalar.bindAcc(
              0,
              Set.of(axis),
              id -> {
                code.lload(address).lload(scalar.slot(axis)).lload(at[0]).lsub();
                code.loadConstant((long) t.bytes()).lmul().ladd();
                asm.get(t);
              });
          List<Sink> sinks = new ArrayList<>();
          if (region.operand() != null) {
            sinks.add(new Sink.ToTile(region.operand(), address));
          } else {
            Phase.Emit e = (Phase.Emit) kernel.phases().get(1);
            e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
          }
          emit(block(axis, at, Map.of(), Map.of(0, address)), sinks);
        });
  }
}
