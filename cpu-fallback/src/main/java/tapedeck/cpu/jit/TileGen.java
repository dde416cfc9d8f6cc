package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/**
 * Generates a part of a matrix product: code that fills tiles with a computed operand, or that
 * takes finished tiles on. A work unit is a row.
 */
final class TileGen {
  /** Rows and columns of the matrix, and the operand; that is null for finished tiles. */
  record Region(List<Loop> batch, List<Loop> rows, List<Loop> columns, Expr operand) {}

  private final Kernel kernel;
  private final Region region;
  private final Loop axis;
  private final DType type;
  private final boolean half;
  private final ScratchSpace space = new ScratchSpace();
  private final Dependences dependences = new Dependences();
  private final ClassGen out = new ClassGen();

  /** Where the address of the tile's row stands in scratch. */
  private final long row = space.allocate(8);

  private TileGen(Kernel kernel, Region region) {
    this.kernel = kernel;
    this.region = region;
    this.axis = region.columns().isEmpty() ? new Loop(-1, 1) : region.columns().get(0);
    this.type = kernel.contraction().orElseThrow().lhs().dtype();
    this.half = new KernelShape(kernel).hasFloat64();
    dependences.acc(0, Set.of(axis));
  }

  static KernelGen.Generated generate(Kernel kernel, Region region) {
    TileGen g = new TileGen(kernel, region);
    KernelCode code = g.out.load(g::run);
    return new KernelGen.Generated(
        code, WorkUnits.flat(Contraction.extent(region.rows()), 1), g.space.bytes());
  }

  private MethodGen open(CodeBuilder b, int buffers, int scratch, int base) {
    Asm asm = new Asm(b);
    int[] params = new int[kernel.params().size()];
    for (int i = 0; i < params.length; i++) {
      b.aload(buffers).loadConstant(i).laload();
      params[i] = asm.keep(TypeKind.LONG);
    }
    MethodGen m = new MethodGen(b, asm, new ScalarGen(asm, params, dependences), buffers, scratch);
    m.scalar()
        .bindAcc(
            0,
            id -> {
              m.getLong(row);
              b.lload(m.scalar().slot(axis)).lload(base).lsub();
              b.loadConstant((long) type.bytes()).lmul().ladd();
              asm.get(type);
            });
    return m;
  }

  private void run(CodeBuilder b) {
    // Blocks of the axis start at a local of this method.
    int base = b.allocateLocal(TypeKind.LONG);
    MethodGen m = open(b, b.parameterSlot(0), b.parameterSlot(3), base);
    int unit = m.asm().local(TypeKind.LONG);
    m.asm()
        .longLoop(
            unit,
            () -> b.lload(b.parameterSlot(1)),
            () -> b.lload(b.parameterSlot(2)),
            1,
            () -> {
              m.scalar().open();
              row(m, unit, base);
              m.scalar().close();
            });
    b.return_();
  }

  private static void tile(MethodGen m, int i) {
    m.code().aload(m.code().parameterSlot(4)).loadConstant(i).laload();
  }

  private void row(MethodGen m, int unit, int base) {
    CodeBuilder code = m.code();
    tile(m, TileCode.BATCH);
    int batch = m.asm().keep(TypeKind.LONG);
    Nest.decompose(m, batch, region.batch());
    Nest.decompose(m, unit, region.rows());
    Nest.blocks(
        m,
        axis,
        KernelGen.BLOCK,
        () -> tile(m, TileCode.COLUMN),
        () -> {
          tile(m, TileCode.COLUMN);
          tile(m, TileCode.COLUMNS);
          code.ladd();
        },
        at -> {
          code.lload(at.base()).lstore(base);
          // address + ((row - row0) * ld + column - column0) * bytes
          tile(m, TileCode.ADDRESS);
          code.lload(unit);
          tile(m, TileCode.ROW);
          code.lsub();
          tile(m, TileCode.STRIDE);
          code.lmul().lload(at.base()).ladd();
          tile(m, TileCode.COLUMN);
          code.lsub().loadConstant((long) type.bytes()).lmul().ladd();
          m.putLong(row);
          List<Sink> sinks = new ArrayList<>();
          if (region.operand() != null) {
            sinks.add(new Sink.ToTile(region.operand(), row));
          } else {
            Phase.Emit e = (Phase.Emit) kernel.phases().get(1);
            e.stores().forEach(s -> sinks.add(new Sink.ToParam(s)));
          }
          BlockPlan plan =
              new BlockPlan(
                  axis,
                  List.of(),
                  sinks,
                  dependences,
                  space,
                  KernelGen.slotBytes(KernelGen.BLOCK, half));
          BlockGen.AccBlocks accs = (method, id) -> method.getLong(row);
          BlockGen.emit(new BlockGen.Place(out, this::open, accs, half, false), plan, at, m);
        });
  }
}
