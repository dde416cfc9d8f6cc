package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/**
 * A matrix product in tiles. A work-group computes a few rows by as many columns as it has
 * work-items; each work-item keeps its column's sums in registers. For each piece of k the group
 * puts the left operand into local memory, and the right one too unless neighbouring work-items
 * read neighbouring elements of it anyway. The steps between two barriers are written out, so that
 * a device which runs a group as a loop over its work-items can do it in vectors.
 */
final class ProductForm {
  /** Products with fewer multiplications are not worth the compile time. */
  private static final double SMALL = 32768;

  private static final int ROWS = 16;
  private static final int DEPTH = 16;
  private static final int COLUMNS = 128;

  private final Kernel kernel;
  private final Contraction c;
  private final List<Phase.Store> stores;
  private final DType t;
  private final int m;
  private final int n;
  private final int k;
  private final int rows;
  private final int columns;
  private final boolean packRight;
  private final boolean gpu;
  private ExprGen g;
  private CodeBuilder code;

  private ProductForm(
      Kernel kernel, Contraction c, DType t, List<Phase.Store> stores, Target target) {
    this.kernel = kernel;
    this.c = c;
    this.t = t;
    this.stores = stores;
    this.m = (int) Contraction.extent(c.m());
    this.n = (int) Contraction.extent(c.n());
    this.k = (int) Contraction.extent(c.k());
    int width = 16;
    while (width < COLUMNS && width < n && width < target.maxGroup()) {
      width *= 2;
    }
    this.columns = width;
    int height = ROWS;
    long batch = Contraction.extent(c.batch());
    while (height > 2
        && (height > m || batch * blocks(m, height) * blocks(n, width) < target.computeUnits())) {
      height /= 2;
    }
    this.rows = height;
    this.packRight = !target.gpu() || !contiguous(c.rhs(), c.n());
    this.gpu = target.gpu();
  }

  private static long blocks(long extent, long step) {
    return (extent + step - 1) / step;
  }

  /** Whether the operand is a plain load whose neighbours along the loops are neighbours. */
  private static boolean contiguous(Expr side, List<Loop> along) {
    return side instanceof Expr.Load l
        && along.size() == 1
        && l.index().isAffine()
        && l.index().coef(along.getFirst()) == 1;
  }

  /** The kernel in this form, or null where it is not a product or too small for it. */
  static JavaKernel render(String name, Kernel kernel, Target target) {
    if (kernel.contraction().isEmpty()
        || kernel.phases().size() != 2
        || !(kernel.phases().get(0) instanceof Phase.Reduce r)
        || !(kernel.phases().get(1) instanceof Phase.Emit e)) {
      return null;
    }
    Contraction c = kernel.contraction().get();
    DType t = r.accs().getFirst().dtype();
    double work = (double) kernel.points() * Contraction.extent(c.k());
    boolean thin =
        Contraction.extent(c.m()) < 4
            || Contraction.extent(c.n()) < 8
            || Contraction.extent(c.k()) < 8;
    if (!t.isFloat() || work < SMALL || thin || target.maxGroup() < 16) {
      return null;
    }
    return new ProductForm(kernel, c, t, e.stores(), target).write(name);
  }

  private JavaKernel write(String name) {
    long groups = Contraction.extent(c.batch()) * blocks(m, rows) * blocks(n, columns);
    List<Integer> used = Uses.params(kernel);
    byte[] bytes =
        KernelClass.build(
            name,
            kernel,
            used,
            (to, params) -> {
              code = to;
              g = new ExprGen(to, params);
              body();
            });
    return new JavaKernel(
        name,
        bytes,
        used,
        groups * columns,
        columns,
        "product " + rows + "x" + columns + "x" + DEPTH + (packRight ? " packed" : ""));
  }

  private void body() {
    int group = g.workItem("groupIdx");
    int lid = g.workItem("localIdx");
    int left = local(rows * DEPTH);
    int right = packRight ? local(DEPTH * columns) : -1;
    int n0 = multiple(group, (int) blocks(n, columns), columns, true);
    int rest = multiple(group, (int) blocks(n, columns), 1, false);
    int m0 = multiple(rest, (int) blocks(m, rows), rows, true);
    int batch = multiple(rest, (int) blocks(m, rows), 1, false);
    g.decode(batch, c.batch());
    code.iload(n0).iload(lid).iadd();
    int column = g.keep(TypeKind.INT);
    int[] sums = new int[rows];
    for (int i = 0; i < rows; i++) {
      g.constant(t, 0);
      sums[i] = g.keep(Types.kind(t));
    }
    int k0 = code.allocateLocal(TypeKind.INT);
    g.count(
        k0,
        code::iconst_0,
        k,
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
      finish(m0, i, column, sums[i]);
    }
  }

  /** {@code value % by * scale} or {@code value / by * scale}, in a new local. */
  private int multiple(int value, int by, int scale, boolean remainder) {
    code.iload(value).loadConstant(by);
    if (remainder) {
      code.irem();
    } else {
      code.idiv();
    }
    code.loadConstant(scale).imul();
    return g.keep(TypeKind.INT);
  }

  private int local(int size) {
    ClassDesc array = Types.scalar(t).arrayType();
    code.aload(0).loadConstant(size);
    code.invokevirtual(
        Types.CONTEXT,
        t == DType.FLOAT32 ? "allocateFloatLocalArray" : "allocateDoubleLocalArray",
        MethodTypeDesc.of(array, ConstantDescs.CD_int));
    return g.keep(TypeKind.REFERENCE);
  }

  private void barrier() {
    code.aload(0)
        .invokevirtual(Types.CONTEXT, "localBarrier", MethodTypeDesc.of(ConstantDescs.CD_void));
  }

  /** Binds a side's loops to a flat index that is on the stack. */
  private int bind(List<Loop> loops) {
    int flat = g.keep(TypeKind.INT);
    if (loops.size() == 1) {
      g.bind(loops.getFirst(), flat);
    } else {
      g.decode(flat, loops);
    }
    return flat;
  }

  /** An operand's element, or 0 beyond the matrix, into a local. */
  private int element(Expr side, int outer, int outerEnd, boolean ragged, int inner) {
    TypeKind kind = Types.kind(t);
    int value = code.allocateLocal(kind);
    boolean raggedK = k % DEPTH != 0;
    if (!ragged && !raggedK) {
      g.push(side);
      code.storeLocal(kind, value);
      return value;
    }
    Label outside = code.newLabel();
    Label end = code.newLabel();
    code.loadConstant(outerEnd - 1).iload(outer).isub();
    code.loadConstant(k - 1).iload(inner).isub();
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
    boolean byRows = contiguous(c.lhs(), c.m());
    for (int at = 0; at < rows * DEPTH; at += columns) {
      Label skip = code.newLabel();
      boolean partial = at + columns > rows * DEPTH;
      if (partial) {
        code.iload(lid).loadConstant(rows * DEPTH - at).if_icmpge(skip);
      }
      g.open();
      code.iload(lid).loadConstant(at).iadd();
      int e = g.keep(TypeKind.INT);
      int minor = multiple(e, byRows ? rows : DEPTH, 1, true);
      int major = multiple(e, byRows ? rows : DEPTH, 1, false);
      code.iload(m0).iload(byRows ? minor : major).iadd();
      int row = bind(c.m());
      code.iload(k0).iload(byRows ? major : minor).iadd();
      int depth = bind(c.k());
      int v = element(c.lhs(), row, m, m % rows != 0, depth);
      g.close();
      code.aload(tile).iload(byRows ? minor : major).loadConstant(DEPTH).imul();
      code.iload(byRows ? major : minor).iadd();
      put(v);
      code.labelBinding(skip).nop();
    }
  }

  /** The right operand's piece, rows of n in local memory. */
  private void packRight(int tile, int lid, int n0, int k0) {
    // Devices that run a group as a loop are better off with stores side by side.
    boolean byDepth = gpu && contiguous(c.rhs(), c.k());
    for (int step = 0; step < DEPTH; step++) {
      g.open();
      int x;
      int d;
      if (byDepth) {
        code.iload(lid).loadConstant(step * columns).iadd();
        int e = g.keep(TypeKind.INT);
        x = multiple(e, DEPTH, 1, false);
        d = multiple(e, DEPTH, 1, true);
      } else {
        x = lid;
        code.loadConstant(step);
        d = g.keep(TypeKind.INT);
      }
      code.iload(n0).iload(x).iadd();
      int column = bind(c.n());
      code.iload(k0).iload(d).iadd();
      int depth = bind(c.k());
      int v = element(c.rhs(), column, n, n % columns != 0, depth);
      g.close();
      code.aload(tile).iload(d).loadConstant(columns).imul().iload(x).iadd();
      put(v);
    }
  }

  private void put(int value) {
    if (t == DType.FLOAT32) {
      code.fload(value).fastore();
    } else {
      code.dload(value).dastore();
    }
  }

  private void multiply(int left, int right, int lid, int column, int k0, int[] sums) {
    TypeKind kind = Types.kind(t);
    for (int d = 0; d < DEPTH; d++) {
      int b;
      if (packRight) {
        code.aload(right).iload(lid).loadConstant(d * columns).iadd();
        get();
        b = g.keep(kind);
      } else {
        g.open();
        code.iload(column);
        int x = bind(c.n());
        code.iload(k0).loadConstant(d).iadd();
        int depth = bind(c.k());
        b = element(c.rhs(), x, n, n % columns != 0, depth);
        g.close();
      }
      for (int i = 0; i < rows; i++) {
        code.loadLocal(kind, sums[i]);
        code.aload(left).loadConstant(i * DEPTH + d);
        get();
        code.loadLocal(kind, b);
        if (t == DType.FLOAT32) {
          code.fmul().fadd().fstore(sums[i]);
        } else {
          code.dmul().dadd().dstore(sums[i]);
        }
      }
    }
  }

  private void get() {
    if (t == DType.FLOAT32) {
      code.faload();
    } else {
      code.daload();
    }
  }

  /** The stores of one row's element, with its sum as accumulator 0. */
  private void finish(int m0, int row, int column, int sum) {
    Label skip = code.newLabel();
    g.open();
    code.iload(m0).loadConstant(row).iadd();
    int y = bind(c.m());
    code.iload(column);
    int x = bind(c.n());
    boolean ragged = m % rows != 0 || n % columns != 0;
    if (ragged) {
      code.loadConstant(m - 1).iload(y).isub();
      code.loadConstant(n - 1).iload(x).isub();
      code.ior().iflt(skip);
    }
    g.bindAcc(0, sum);
    g.stores(stores);
    g.close();
    code.labelBinding(skip).nop();
  }
}
