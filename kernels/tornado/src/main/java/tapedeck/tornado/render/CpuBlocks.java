package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.List;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Elementwise kernels on CPU devices. A work-item alone computes blocks of consecutive elements, in
 * the way of {@link BlockBody}, or of {@link VectorBody} where that is possible.
 */
final class CpuBlocks {
  private static final int MOST_ELEMENTS = 256;
  private static final int LEAST_ELEMENTS = 64;

  /** All arrays of a work-item, so that they stay in the first-level cache. */
  private static final int MOST_BYTES = 24 << 10;

  private final Kernel kernel;
  private final Target target;
  private final BlockBody body;

  /** In place of it where arithmetic is all, and null elsewhere. */
  private final VectorBody vectors;

  private final Loop last;
  private final List<Loop> outer;
  private final int elements;
  private final int blocks;
  private final long total;
  private final long items;
  private ExprGen g;
  private CodeBuilder code;

  private CpuBlocks(Kernel kernel, Phase.Emit emit, Target target) {
    this.kernel = kernel;
    this.target = target;
    this.last = kernel.grid().getLast();
    this.outer = kernel.grid().subList(0, kernel.grid().size() - 1);
    this.body = new BlockBody(emit.stores(), last);
    this.vectors = VectorBody.of(emit.stores(), last, target);
    int size = vectors != null || body.functions() ? MOST_ELEMENTS : BlockBody.FEW_ELEMENTS;
    while (vectors == null && size > LEAST_ELEMENTS && size * body.bytes() > MOST_BYTES) {
      size /= 2;
    }
    this.elements = size;
    this.blocks = Product.blocks(Math.toIntExact(last.extent()), size);
    this.total = Contraction.extent(outer) * blocks;
    this.items = Math.min(total, 32L * target.computeUnits());
  }

  /** The kernel in this form, or null where it is not elementwise or too small. */
  static JavaKernel render(String name, Kernel kernel, Target target) {
    if (kernel.phases().size() != 1
        || !(kernel.phases().getFirst() instanceof Phase.Emit e)
        || !e.loops().isEmpty()
        || kernel.grid().isEmpty()
        || kernel.grid().getLast().extent() < Math.min(LEAST_ELEMENTS, target.small())
        || kernel.points() < target.small()) {
      return null;
    }
    return new CpuBlocks(kernel, e, target).write(name);
  }

  private JavaKernel write(String name) {
    return KernelClass.kernel(
        name,
        kernel,
        target,
        items,
        1,
        "blocks " + elements + (vectors == null ? "" : " in vectors of " + vectors.lanes()),
        gen -> {
          g = gen;
          code = gen.code;
          items();
        });
  }

  private void items() {
    int item = g.workItem("globalIdx");
    if (vectors != null) {
      vectors.declare(g, new Vectors(code));
    } else {
      body.declare(g, new Vectors(code), elements);
    }
    int first = first(item, 0);
    int end = first(item, 1);
    int t = code.allocateLocal(TypeKind.INT);
    g.count(t, () -> code.iload(first), () -> code.iload(end), 1, () -> block(t));
  }

  private void block(int t) {
    int n0 = g.digit(t, blocks, elements, true);
    g.decode(g.digit(t, blocks, 1, false), outer);
    Runnable block = g.blockSize(Math.toIntExact(last.extent()), elements, n0);
    if (vectors != null) {
      vectors.block(n0, block);
    } else {
      body.block(n0, block, i -> {});
    }
  }

  /** The first block of a work-item or of the one after it, in a new local. */
  private int first(int item, int next) {
    long each = total / items;
    long more = total % items;
    code.iload(item).loadConstant(next).iadd();
    int i = g.keep(TypeKind.INT);
    code.iload(i).loadConstant(Math.toIntExact(each)).imul();
    code.iload(i).loadConstant(Math.toIntExact(more));
    g.apply(ScalarOp.MIN, DType.INT32);
    code.iadd();
    return g.keep(TypeKind.INT);
  }
}
