package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * A matrix product for CPU devices, without barriers: a work-item alone computes a block of m by n,
 * whose sums are in local memory. Each chunk of k of the right operand is copied to local memory
 * too, because only there do device compilers see that neighbours are neighbours: TornadoVM
 * computes addresses of global memory as integers. The innermost loop, along n, adds a few terms to
 * the sums of a few rows; the device compiler makes vectors of it.
 */
final class CpuProduct {
  private static final int ROWS = 8;
  private static final int TERMS = 4;
  private static final int MOST_M = 64;
  private static final int MOST_N = 128;
  private static final int MOST_K = 128;

  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final DType t;
  private final TypeKind kind;
  private final int blockM;
  private final int blockN;
  private final int blockK;
  private ExprGen g;
  private CodeBuilder code;
  private int right;
  private int sums;
  private int m0;
  private int n0;
  private int k0;
  private Runnable mn;
  private Runnable nn;
  private Runnable kn;

  private CpuProduct(Kernel kernel, Product p, Target target) {
    this.kernel = kernel;
    this.target = target;
    this.p = p;
    this.t = p.dtype();
    this.kind = Types.kind(t);
    int m = Math.min(MOST_M, Product.blocks(p.m(), ROWS) * ROWS);
    int n = Math.min(MOST_N, p.n());
    int k = Math.min(MOST_K, p.k());
    // Two blocks for each core, unless that makes them tiny.
    while (groups(m, n) < 2L * target.computeUnits() && (m > 4 * ROWS || n > 32)) {
      if (n > 32 && n >= m) {
        n = Math.max(32, n / 2);
      } else {
        m = Math.max(4 * ROWS, m / 2 / ROWS * ROWS);
      }
    }
    while (t.bytes() * ((long) m * n + (long) k * n) > target.localBytes() && k > TERMS) {
      k = k / 2;
    }
    this.blockM = m;
    this.blockN = n;
    this.blockK = k;
  }

  private long groups(int m, int n) {
    return (long) p.batch() * Product.blocks(p.m(), m) * Product.blocks(p.n(), n);
  }

  static JavaKernel render(String name, Kernel kernel, Product p, Target target) {
    return new CpuProduct(kernel, p, target).write(name);
  }

  private JavaKernel write(String name) {
    return KernelClass.kernel(
        name,
        kernel,
        target,
        groups(blockM, blockN),
        1,
        "product " + blockM + "x" + blockN + "x" + blockK + ", tile " + ROWS + "x" + TERMS,
        gen -> {
          g = gen;
          code = gen.code;
          body();
        });
  }

  private void body() {
    int nBlocks = Product.blocks(p.n(), blockN);
    int mBlocks = Product.blocks(p.m(), blockM);
    int group = g.workItem("groupIdx");
    right = g.localArray(t, blockK * blockN);
    sums = g.localArray(t, blockM * blockN);
    n0 = g.digit(group, nBlocks, blockN, true);
    int rest = g.digit(group, nBlocks, 1, false);
    m0 = g.digit(rest, mBlocks, blockM, true);
    int batch = g.digit(rest, mBlocks, 1, false);
    g.decode(batch, p.c().batch());
    mn = g.blockSize(p.m(), blockM, m0);
    nn = g.blockSize(p.n(), blockN, n0);
    loop(
        constant(blockM * blockN),
        1,
        i ->
            set(
                sums,
                () -> code.iload(i),
                () -> {
                  g.constant(t, 0);
                }));
    k0 = code.allocateLocal(TypeKind.INT);
    g.count(
        k0,
        code::iconst_0,
        constant(p.k()),
        blockK,
        () -> {
          kn = g.blockSize(p.k(), blockK, k0);
          pack();
          loop(mn, ROWS, this::rows);
        });
    loop(mn, 1, this::finish);
  }

  private void loop(Runnable limit, int step, IntConsumer body) {
    int i = code.allocateLocal(TypeKind.INT);
    g.count(i, code::iconst_0, limit, step, () -> body.accept(i));
  }

  private Runnable constant(int value) {
    return () -> code.loadConstant(value);
  }

  private void set(int array, Runnable index, Runnable value) {
    code.aload(array);
    index.run();
    value.run();
    g.arrayStore(t);
  }

  /** The right operand's chunk, rows of n; reads follow memory. */
  private void pack() {
    if (Product.contiguous(p.c().rhs(), p.c().k())) {
      loop(nn, 1, j -> loop(kn, 1, i -> element(i, j)));
    } else {
      loop(kn, 1, i -> loop(nn, 1, j -> element(i, j)));
    }
  }

  private void element(int i, int j) {
    code.iload(k0).iload(i).iadd();
    g.bindFlat(p.c().k());
    code.iload(n0).iload(j).iadd();
    g.bindFlat(p.c().n());
    set(
        right,
        () -> code.iload(i).loadConstant(blockN).imul().iload(j).iadd(),
        () -> g.push(p.c().rhs()));
  }

  /** All terms of the chunk for a few rows. */
  private void rows(int m) {
    if (p.k() % blockK == 0 && blockK % TERMS == 0) {
      loop(constant(blockK), TERMS, k -> terms(m, k, TERMS));
      return;
    }
    // Whole steps, and what is left one by one.
    kn.run();
    code.loadConstant(TERMS).idiv().loadConstant(TERMS).imul();
    int whole = g.keep(TypeKind.INT);
    loop(() -> code.iload(whole), TERMS, k -> terms(m, k, TERMS));
    int k = code.allocateLocal(TypeKind.INT);
    g.count(k, () -> code.iload(whole), kn, 1, () -> terms(m, k, 1));
  }

  private void terms(int m, int k, int terms) {
    int[][] a = new int[ROWS][terms];
    for (int r = 0; r < ROWS; r++) {
      g.open();
      code.iload(m0).iload(m).iadd().loadConstant(r).iadd();
      if (p.m() % ROWS != 0) {
        // Rows beyond the matrix repeat its last one, and are not stored.
        code.loadConstant(p.m() - 1);
        g.apply(ScalarOp.MIN, DType.INT32);
      }
      g.bindFlat(p.c().m());
      for (int u = 0; u < terms; u++) {
        g.open();
        code.iload(k0).iload(k).iadd().loadConstant(u).iadd();
        g.bindFlat(p.c().k());
        g.push(p.c().lhs());
        a[r][u] = g.keep(kind);
        g.close();
      }
      g.close();
    }
    loop(
        nn,
        1,
        j -> {
          int[] b = new int[terms];
          for (int u = 0; u < terms; u++) {
            code.aload(right).iload(k).loadConstant(u).iadd().loadConstant(blockN).imul();
            code.iload(j).iadd();
            g.arrayLoad(t);
            b[u] = g.keep(kind);
          }
          int[] at = new int[ROWS];
          int[] sum = new int[ROWS];
          for (int r = 0; r < ROWS; r++) {
            code.iload(m).loadConstant(r).iadd().loadConstant(blockN).imul().iload(j).iadd();
            at[r] = g.keep(TypeKind.INT);
            code.aload(sums).iload(at[r]);
            g.arrayLoad(t);
            for (int u = 0; u < terms; u++) {
              code.loadLocal(kind, a[r][u]).loadLocal(kind, b[u]);
              g.ops.multiplyAdd(t);
            }
            sum[r] = g.keep(kind);
          }
          for (int r = 0; r < ROWS; r++) {
            int row = r;
            set(sums, () -> code.iload(at[row]), () -> code.loadLocal(kind, sum[row]));
          }
        });
  }

  /** The stores of one row's elements. */
  private void finish(int m) {
    code.iload(m0).iload(m).iadd();
    g.bindFlat(p.c().m());
    loop(
        nn,
        1,
        j -> {
          code.iload(n0).iload(j).iadd();
          g.bindFlat(p.c().n());
          code.aload(sums).iload(m).loadConstant(blockN).imul().iload(j).iadd();
          g.arrayLoad(t);
          g.bindAcc(0, g.keep(kind));
          g.stores(p.stores());
        });
  }
}
