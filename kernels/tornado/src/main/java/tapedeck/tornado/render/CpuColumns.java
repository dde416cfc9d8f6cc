package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.List;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/**
 * Reductions of columns on CPU devices: a work-item alone reduces a block of neighbouring columns,
 * row by row as memory has them, with accumulators in local memory.
 */
final class CpuColumns {
  private static final int MOST_COLUMNS = 256;
  private static final int LEAST_COLUMNS = 16;

  private final Kernel kernel;
  private final Target target;
  private final Phase.Reduce reduce;
  private final Phase.Emit emit;
  private final Loop last;
  private final List<Loop> outer;
  private final int columns;
  private final long groups;

  private CpuColumns(Kernel kernel, Phase.Reduce reduce, Phase.Emit emit, Target target) {
    this.kernel = kernel;
    this.target = target;
    this.reduce = reduce;
    this.emit = emit;
    this.last = kernel.grid().getLast();
    this.outer = kernel.grid().subList(0, kernel.grid().size() - 1);
    long points = Contraction.extent(outer);
    int width = (int) Math.min(MOST_COLUMNS, last.extent());
    // Two blocks for each core, unless that makes them tiny.
    while (width > LEAST_COLUMNS
        && points * Math.ceilDiv(last.extent(), width) < 2L * target.computeUnits()) {
      width /= 2;
    }
    this.columns = width;
    this.groups = points * Math.ceilDiv(last.extent(), columns);
  }

  /** The kernel in this form, or null where it is no reduction of columns. */
  static JavaKernel render(String name, Kernel kernel, Target target) {
    if (kernel.phases().size() != 2
        || !(kernel.phases().get(0) instanceof Phase.Reduce r)
        || !(kernel.phases().get(1) instanceof Phase.Emit e)
        || !e.loops().isEmpty()
        || kernel.grid().isEmpty()
        || kernel.grid().getLast().extent() < LEAST_COLUMNS
        || Contraction.extent(r.loops()) < LEAST_COLUMNS
        || r.accs().stream().anyMatch(a -> !a.dtype().isFloat())
        || 8L * r.accs().size() * MOST_COLUMNS > target.localBytes()
        || Uses.contiguous(r, kernel.grid().getLast()) <= Uses.contiguous(r, r.loops().getLast())) {
      return null;
    }
    return new CpuColumns(kernel, r, e, target).write(name);
  }

  private JavaKernel write(String name) {
    return KernelClass.kernel(
        name, kernel, target, groups, 1, "columns " + columns, g -> body(g.code, g));
  }

  private void body(CodeBuilder code, ExprGen g) {
    int extent = Math.toIntExact(last.extent());
    int blocks = Math.ceilDiv(extent, columns);
    int group = g.workItem("groupIdx");
    int[] arrays = reduce.accs().stream().mapToInt(a -> g.localArray(a.dtype(), columns)).toArray();
    int n0 = g.digit(group, blocks, columns, true);
    g.decode(g.digit(group, blocks, 1, false), outer);
    Runnable nn = g.blockSize(extent, columns, n0);
    each(
        code,
        g,
        nn,
        j -> {
          for (int a = 0; a < arrays.length; a++) {
            Phase.Accumulator acc = reduce.accs().get(a);
            code.aload(arrays[a]).iload(j);
            g.constant(acc.dtype(), acc.reducer().identity(acc.dtype()));
            g.arrayStore(acc.dtype());
          }
        });
    g.loops(
        reduce.loops(),
        () ->
            each(
                code,
                g,
                nn,
                j -> {
                  column(code, g, n0, j);
                  for (int a = 0; a < arrays.length; a++) {
                    Phase.Accumulator acc = reduce.accs().get(a);
                    code.aload(arrays[a]).iload(j);
                    g.arrayLoad(acc.dtype());
                    g.push(acc.value());
                    g.combine(acc.reducer(), acc.dtype());
                    int sum = g.keep(Types.kind(acc.dtype()));
                    code.aload(arrays[a]).iload(j).loadLocal(Types.kind(acc.dtype()), sum);
                    g.arrayStore(acc.dtype());
                  }
                }));
    each(
        code,
        g,
        nn,
        j -> {
          column(code, g, n0, j);
          for (int a = 0; a < arrays.length; a++) {
            Phase.Accumulator acc = reduce.accs().get(a);
            code.aload(arrays[a]).iload(j);
            g.arrayLoad(acc.dtype());
            g.bindAcc(acc.id(), g.keep(Types.kind(acc.dtype())));
          }
          g.stores(emit.stores());
        });
  }

  private void column(CodeBuilder code, ExprGen g, int n0, int j) {
    code.iload(n0).iload(j).iadd();
    g.bind(last, g.keep(TypeKind.INT));
  }

  private static void each(CodeBuilder code, ExprGen g, Runnable limit, IntConsumer body) {
    int j = code.allocateLocal(TypeKind.INT);
    g.count(j, code::iconst_0, limit, 1, () -> body.accept(j));
  }
}
