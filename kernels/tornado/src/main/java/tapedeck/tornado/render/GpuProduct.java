package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.DType;

/**
 * A matrix product for GPUs. A work-group computes a few rows by as many columns as it has
 * work-items; each work-item keeps its column's sums in private memory. For each piece of k the
 * group puts the left operand into local memory, and the right one too unless neighbouring
 * work-items read neighbouring elements of it anyway.
 */
final class GpuProduct {
  private static final int ROWS = 16;
  private static final int DEPTH = 16;
  private static final int COLUMNS = 128;

  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final DType t;
  private final int rows;
  private final int columns;
  private final boolean packRight;
  private ExprGen g;
  private CodeBuilder code;

  private GpuProduct(Kernel kernel, Product p, Target target) {
    this.kernel = kernel;
    this.target = target;
    this.p = p;
    this.t = p.dtype();
    int width = 16;
    while (width < COLUMNS && width < p.n() && width < target.maxGroup()) {
      width *= 2;
    }
    this.columns = width;
    int height = ROWS;
    while (height > 2
        && (height > p.m()
            || (long) p.batch() * Product.blocks(p.m(), height) * Product.blocks(p.n(), width)
                < target.computeUnits())) {
      height /= 2;
    }
    this.rows = height;
    this.packRight = !Product.contiguous(p.c().rhs(), p.c().n());
  }

  static JavaKernel render(String name, Kernel kernel, Product p, Target target) {
    return new GpuProduct(kernel, p, target).write(name);
  }

  private JavaKernel write(String name) {
    int mBlocks = Product.blocks(p.m(), rows);
    int nBlocks = Product.blocks(p.n(), columns);
    long groups = (long) p.batch() * mBlocks * nBlocks;
    return KernelClass.kernel(
        name,
        kernel,
        target,
        groups * columns,
        columns,
        "product " + rows + "x" + columns + "x" + DEPTH + (packRight ? " packed" : ""),
        gen -> {
          g = gen;
          code = gen.code;
          body(mBlocks, nBlocks);
        });
  }

  private void body(int mBlocks, int nBlocks) {
    int group = g.workItem("groupIdx");
    int lid = g.workItem("localIdx");
    int left = g.localArray(t, rows * DEPTH);
    int right = packRight ? g.localArray(t, DEPTH * columns) : -1;
    int n0 = g.digit(group, nBlocks, columns, true);
    int rest = g.digit(group, nBlocks, 1, false);
    int m0 = g.digit(rest, mBlocks, rows, true);
    int batch = g.digit(rest, mBlocks, 1, false);
    g.decode(batch, p.c().batch());
    code.iload(n0).iload(lid).iadd();
    int column = g.keep(TypeKind.INT);
    // In an array, because TornadoVM would move plain additions behind the barrier, and with them
    // every value that they read.
    code.loadConstant(rows).newarray(Types.kind(t));
    int sums = g.keep(TypeKind.REFERENCE);
    for (int i = 0; i < rows; i++) {
      code.aload(sums).loadConstant(i);
      g.constant(t, 0);
      g.arrayStore(t);
    }
    int k0 = code.allocateLocal(TypeKind.INT);
    g.count(
        k0,
        code::iconst_0,
        () -> code.loadConstant(p.k()),
        DEPTH,
        () -> {
          packLeft(left, lid, m0, k0);
          if (packRight) {
            packRight(right, lid, n0, k0);
          }
          barrier();
          multiply(left, right, lid, column, k0, sums);
          barrier();
        });
    for (int i = 0; i < rows; i++) {
      finish(m0, i, column, sums);
    }
  }

  private void barrier() {
    code.aload(0)
        .invokevirtual(Types.CONTEXT, "localBarrier", MethodTypeDesc.of(ConstantDescs.CD_void));
  }

  /** An operand's element, or 0 beyond the matrix, into a local. */
  private int element(Expr side, int outer, int outerEnd, boolean ragged, int inner) {
    TypeKind kind = Types.kind(t);
    int value = code.allocateLocal(kind);
    boolean raggedK = p.k() % DEPTH != 0;
    if (!ragged && !raggedK) {
      g.push(side);
      code.storeLocal(kind, value);
      return value;
    }
    Label outside = code.newLabel();
    Label end = code.newLabel();
    code.loadConstant(outerEnd - 1).iload(outer).isub();
    code.loadConstant(p.k() - 1).iload(inner).isub();
    code.ior().iflt(outside);
    g.open();
    g.push(side);
    g.close();
    code.storeLocal(kind, value).goto_(end).labelBinding(outside);
    g.constant(t, 0);
    code.storeLocal(kind, value).labelBinding(end).nop();
    return value;
  }

  /** Rows of k in local memory; neighbouring work-items take what is contiguous. */
  private void packLeft(int tile, int lid, int m0, int k0) {
    boolean byRows = Product.contiguous(p.c().lhs(), p.c().m());
    for (int at = 0; at < rows * DEPTH; at += columns) {
      Label skip = code.newLabel();
      boolean partial = at + columns > rows * DEPTH;
      if (partial) {
        code.iload(lid).loadConstant(rows * DEPTH - at).if_icmpge(skip);
      }
      g.open();
      code.iload(lid).loadConstant(at).iadd();
      int e = g.keep(TypeKind.INT);
      int minor = g.digit(e, byRows ? rows : DEPTH, 1, true);
      int major = g.digit(e, byRows ? rows : DEPTH, 1, false);
      code.iload(m0).iload(byRows ? minor : major).iadd();
      int row = g.bindFlat(p.c().m());
      code.iload(k0).iload(byRows ? major : minor).iadd();
      int depth = g.bindFlat(p.c().k());
      int v = element(p.c().lhs(), row, p.m(), p.m() % rows != 0, depth);
      g.close();
      code.aload(tile).iload(byRows ? minor : major).loadConstant(DEPTH).imul();
      code.iload(byRows ? major : minor).iadd();
      code.loadLocal(Types.kind(t), v);
      g.arrayStore(t);
      code.labelBinding(skip).nop();
    }
  }

  /** The right operand's piece, rows of n in local memory. */
  private void packRight(int tile, int lid, int n0, int k0) {
    boolean byDepth = Product.contiguous(p.c().rhs(), p.c().k());
    for (int step = 0; step < DEPTH; step++) {
      g.open();
      int x;
      int d;
      if (byDepth) {
        code.iload(lid).loadConstant(step * columns).iadd();
        int e = g.keep(TypeKind.INT);
        x = g.digit(e, DEPTH, 1, false);
        d = g.digit(e, DEPTH, 1, true);
      } else {
        x = lid;
        code.loadConstant(step);
        d = g.keep(TypeKind.INT);
      }
      code.iload(n0).iload(x).iadd();
      int column = g.bindFlat(p.c().n());
      code.iload(k0).iload(d).iadd();
      int depth = g.bindFlat(p.c().k());
      int v = element(p.c().rhs(), column, p.n(), p.n() % columns != 0, depth);
      g.close();
      code.aload(tile).iload(d).loadConstant(columns).imul().iload(x).iadd();
      code.loadLocal(Types.kind(t), v);
      g.arrayStore(t);
    }
  }

  private void multiply(int left, int right, int lid, int column, int k0, int array) {
    TypeKind kind = Types.kind(t);
    int[] sums = new int[rows];
    for (int i = 0; i < rows; i++) {
      code.aload(array).loadConstant(i);
      g.arrayLoad(t);
      sums[i] = g.keep(kind);
    }
    for (int d = 0; d < DEPTH; d++) {
      int b;
      if (packRight) {
        code.aload(right).iload(lid).loadConstant(d * columns).iadd();
        g.arrayLoad(t);
        b = g.keep(kind);
      } else {
        g.open();
        code.iload(column);
        int x = g.bindFlat(p.c().n());
        code.iload(k0).loadConstant(d).iadd();
        int depth = g.bindFlat(p.c().k());
        b = element(p.c().rhs(), x, p.n(), p.n() % columns != 0, depth);
        g.close();
      }
      for (int i = 0; i < rows; i++) {
        code.loadLocal(kind, sums[i]);
        code.aload(left).loadConstant(i * DEPTH + d);
        g.arrayLoad(t);
        code.loadLocal(kind, b);
        g.ops.multiplyAdd(t);
        code.storeLocal(kind, sums[i]);
      }
    }
    for (int i = 0; i < rows; i++) {
      code.aload(array).loadConstant(i).loadLocal(kind, sums[i]);
      g.arrayStore(t);
    }
  }

  /** The stores of one row's element, with its sum as accumulator 0. */
  private void finish(int m0, int row, int column, int sums) {
    Label skip = code.newLabel();
    g.open();
    code.iload(m0).loadConstant(row).iadd();
    int y = g.bindFlat(p.c().m());
    code.iload(column);
    int x = g.bindFlat(p.c().n());
    boolean ragged = p.m() % rows != 0 || p.n() % columns != 0;
    if (ragged) {
      code.loadConstant(p.m() - 1).iload(y).isub();
      code.loadConstant(p.n() - 1).iload(x).isub();
      code.ior().iflt(skip);
    }
    code.aload(sums).loadConstant(row);
    g.arrayLoad(t);
    g.bindAcc(0, g.keep(Types.kind(t)));
    g.stores(p.stores());
    g.close();
    code.labelBinding(skip).nop();
  }
}
