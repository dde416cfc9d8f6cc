package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.List;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * A matrix product for CPU devices, without barriers: a work-item alone computes a block of m by n,
 * whose sums are in local memory. For each chunk of k it copies panels of the right operand to
 * local memory, and the left operand too unless it is a plain load; the inner loop keeps a tile of
 * rows by vectors in registers. These are vectors of TornadoVM: of a loop over elements of local
 * memory, device compilers make vectors too, but narrower ones, and keep no sums in registers.
 */
final class CpuProduct {
  private static final int MOST_ROWS = 8;
  private static final int MOST_M = 128;
  private static final int MOST_N = 128;
  private static final int MOST_K = 512;
  private static final int LEAST_K = 16;

  /** Blocks for each core, unless that makes them tiny. */
  private static final long BLOCKS = 4;

  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final DType t;
  private final TypeKind kind;

  /** Elements of a vector, vectors of a tile's row and columns of a tile. */
  private final int lanes;

  private final int vectors;
  private final int panel;
  private final int rows;
  private final boolean plain;
  private final int blockM;
  private final int blockN;
  private final int blockK;

  /** Stores along n, where that is one loop, and null elsewhere. */
  private final BlockBody stores;

  private final int elements;
  private ExprGen g;
  private CodeBuilder code;
  private Vectors v;
  private int left;
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
    int most = target.vectorBytes() / t.bytes();
    while (most > 4 && most / 2 >= p.n()) {
      most /= 2;
    }
    this.lanes = Math.max(4, most);
    // Sums and operands of two vectors a row need more than sixteen registers.
    this.vectors = target.vectorBytes() < 64 || p.n() <= lanes ? 1 : 2;
    this.panel = lanes * vectors;
    this.rows = Math.min(MOST_ROWS, p.m());
    this.plain =
        p.c().k().size() == 1 && p.c().lhs() instanceof Expr.Load l && l.index().isAffine();
    int m = Math.min(MOST_M / rows, Product.blocks(p.m(), rows)) * rows;
    int n = Math.min(MOST_N / panel, Product.blocks(p.n(), panel)) * panel;
    int k = Math.min(MOST_K, p.k());
    while (groups(m, n) < BLOCKS * target.computeUnits() && (m > 4 * rows || n > 2 * panel)) {
      if (m <= 4 * rows || (n > 2 * panel && n >= m)) {
        n = Math.max(1, n / 2 / panel) * panel;
      } else {
        m = Math.max(4, m / 2 / rows) * rows;
      }
    }
    while (bytes(m, n, k) > target.localBytes() && (k > LEAST_K || m > rows || n > panel)) {
      if (k > LEAST_K) {
        k = Math.max(LEAST_K, k / 8 * 4);
      } else if (n > panel) {
        n = Math.max(1, n / 2 / panel) * panel;
      } else {
        m = Math.max(1, m / 2 / rows) * rows;
      }
    }
    this.blockM = m;
    this.blockN = n;
    this.blockK = k;
    this.stores = p.c().n().size() == 1 ? new BlockBody(p.stores(), p.c().n().getFirst()) : null;
    this.elements =
        stores != null && stores.functions()
            ? blockN
            : blockN % BlockBody.FEW_ELEMENTS == 0 ? BlockBody.FEW_ELEMENTS : panel;
  }

  private long groups(int m, int n) {
    return (long) p.batch() * Product.blocks(p.m(), m) * Product.blocks(p.n(), n);
  }

  private long bytes(long m, long n, long k) {
    return t.bytes() * (m * n + k * panel + (plain ? 0 : m * k));
  }

  static JavaKernel render(String name, Kernel kernel, Product p, Target target) {
    return new CpuProduct(kernel, p, target).write(name);
  }

  private JavaKernel write(String name) {
    String tile = ", tile " + rows + "x" + panel + (plain ? "" : " packed");
    return KernelClass.kernel(
        name,
        kernel,
        target,
        groups(blockM, blockN),
        1,
        "product " + blockM + "x" + blockN + "x" + blockK + tile,
        gen -> {
          g = gen;
          code = gen.code;
          v = new Vectors(code);
          body();
        });
  }

  private void body() {
    int nBlocks = Product.blocks(p.n(), blockN);
    int mBlocks = Product.blocks(p.m(), blockM);
    int group = g.workItem("groupIdx");
    if (rightLanes() > 1) {
      v.declare(g.local(((Expr.Load) p.c().rhs()).param()), t, rightLanes());
    }
    if (stores != null) {
      stores.declare(g, v, elements);
    }
    right = g.localArray(t, blockK * panel);
    sums = g.localArray(t, blockM * blockN);
    left = plain ? 0 : g.localArray(t, blockM * blockK);
    n0 = g.digit(group, nBlocks, blockN, true);
    int rest = g.digit(group, nBlocks, 1, false);
    m0 = g.digit(rest, mBlocks, blockM, true);
    int batch = g.digit(rest, mBlocks, 1, false);
    g.decode(batch, p.c().batch());
    mn = g.blockSize(p.m(), blockM, m0);
    nn = g.blockSize(p.n(), blockN, n0);
    clear(sums, blockM * blockN);
    if (p.n() % panel != 0) {
      // Columns beyond the matrix are computed with, and not stored.
      clear(right, blockK * panel);
    }
    k0 = code.allocateLocal(TypeKind.INT);
    g.count(
        k0,
        code::iconst_0,
        constant(p.k()),
        blockK,
        () -> {
          kn = g.blockSize(p.k(), blockK, k0);
          if (!plain) {
            packLeft();
          }
          loop(
              nn,
              panel,
              pn -> {
                packRight(pn);
                loop(mn, rows, m -> tile(m, pn));
              });
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

  private void clear(int array, int size) {
    loop(constant(size), 1, i -> set(array, () -> code.iload(i), () -> g.constant(t, 0)));
  }

  private void set(int array, Runnable index, Runnable value) {
    code.aload(array);
    index.run();
    value.run();
    g.arrayStore(t);
  }

  /** Binds loops to the sum of two locals and a number. */
  private void bind(List<Loop> loops, int from, int at, int more) {
    code.iload(from).iload(at).iadd().loadConstant(more).iadd();
    g.bindFlat(loops);
  }

  /** The left operand's chunk, rows of k; reads follow memory. */
  private void packLeft() {
    Contraction c = p.c();
    IntConsumer whole =
        Product.contiguous(c.lhs(), c.m())
            ? y -> loop(mn, 1, x -> leftElement(x, y))
            : x -> loop(kn, 1, y -> leftElement(x, y));
    loop(Product.contiguous(c.lhs(), c.m()) ? kn : mn, 1, whole);
  }

  private void leftElement(int m, int k) {
    bind(p.c().m(), m0, m, 0);
    bind(p.c().k(), k0, k, 0);
    set(
        left,
        () -> code.iload(m).loadConstant(blockK).imul().iload(k).iadd(),
        () -> g.push(p.c().lhs()));
  }

  /** Lanes with which the right operand is read: along n, or along k for blocks of four by four. */
  private int rightLanes() {
    Contraction c = p.c();
    if (!(c.rhs() instanceof Expr.Load l)) {
      return 1;
    }
    if (Product.contiguous(l, c.n())) {
      return Vectors.lanes(l.index(), t, c.n().getFirst(), lanes, p.n());
    }
    return Product.contiguous(l, c.k()) && p.n() % 4 == 0 && c.n().size() == 1
        ? Vectors.lanes(l.index(), t, c.k().getFirst(), 4, p.k())
        : 1;
  }

  /** One panel of the right operand: rows of a few vectors. */
  private void packRight(int pn) {
    code.loadConstant(panel);
    nn.run();
    code.iload(pn).isub();
    g.apply(ScalarOp.MIN, DType.INT32);
    int size = g.keep(TypeKind.INT);
    Runnable pw = p.n() % panel == 0 ? constant(panel) : () -> code.iload(size);
    int from = code.allocateLocal(TypeKind.INT);
    code.iload(n0).iload(pn).iadd().istore(from);
    int wide = rightLanes();
    boolean byK = Product.contiguous(p.c().rhs(), p.c().k());
    if (wide == 1) {
      loop(
          byK ? pw : kn,
          1,
          i -> loop(byK ? kn : pw, 1, j -> element(from, byK ? j : i, byK ? i : j)));
    } else if (byK) {
      loop(pw, 4, j -> loop(kn, 4, i -> transpose(from, i, j)));
    } else {
      loop(
          kn,
          1,
          i ->
              loop(
                  pw,
                  wide,
                  j -> v.scatter(vector(from, i, 0, j, 0, wide), t, wide, right, place(i, 0, j))));
    }
  }

  /** A new local with the place of an element of the panel. */
  private int place(int i, int more, int j) {
    code.iload(i).loadConstant(more).iadd().loadConstant(panel).imul().iload(j).iadd();
    return g.keep(TypeKind.INT);
  }

  private void element(int from, int i, int j) {
    bind(p.c().k(), k0, i, 0);
    bind(p.c().n(), from, j, 0);
    int at = place(i, 0, j);
    set(right, () -> code.iload(at), () -> g.push(p.c().rhs()));
  }

  /** Reads a vector of the right operand into a new local. */
  private int vector(int from, int i, int moreI, int j, int moreJ, int wide) {
    Expr.Load l = (Expr.Load) p.c().rhs();
    bind(p.c().k(), k0, i, moreI);
    bind(p.c().n(), from, j, moreJ);
    return v.read(
        g.local(l.param()),
        t,
        wide,
        () -> {
          g.index(l.index());
          code.loadConstant(Integer.numberOfTrailingZeros(wide)).ishr();
        });
  }

  private void transpose(int from, int i, int j) {
    int[] column = new int[4];
    for (int c = 0; c < 4; c++) {
      column[c] = vector(from, i, 0, j, c, 4);
    }
    for (int r = 0; r < 4; r++) {
      int row = r;
      v.of(t, 4, c -> v.lane(column[c], t, 4, row));
      int turned = g.keep(TypeKind.REFERENCE);
      v.scatter(turned, t, 4, right, place(i, r, j));
    }
  }

  /** All terms of the chunk for a few rows of the panel at {@code pn}. */
  private void tile(int m, int pn) {
    int[] row = new int[rows];
    int[][] at = new int[rows][vectors];
    int[][] c = new int[rows][vectors];
    for (int r = 0; r < rows; r++) {
      code.iload(m).loadConstant(r).iadd();
      if (p.m() % rows != 0) {
        // Rows beyond the matrix repeat its last one, and are not stored.
        code.loadConstant(p.m() - 1).iload(m0).isub();
        g.apply(ScalarOp.MIN, DType.INT32);
      }
      row[r] = g.keep(TypeKind.INT);
      for (int u = 0; u < vectors; u++) {
        code.iload(m).loadConstant(r).iadd().loadConstant(blockN).imul();
        code.iload(pn).iadd().loadConstant(u * lanes).iadd();
        at[r][u] = g.keep(TypeKind.INT);
        v.gather(t, lanes, sums, at[r][u]);
        c[r][u] = g.keep(TypeKind.REFERENCE);
      }
    }
    loop(
        kn,
        1,
        k -> {
          int[] b = new int[vectors];
          for (int u = 0; u < vectors; u++) {
            code.iload(k).loadConstant(panel).imul().loadConstant(u * lanes).iadd();
            v.gather(t, lanes, right, g.keep(TypeKind.INT));
            b[u] = g.keep(TypeKind.REFERENCE);
          }
          bind(p.c().k(), k0, k, 0);
          for (int r = 0; r < rows; r++) {
            g.open();
            leftTerm(row[r], k);
            g.close();
            int a = g.keep(kind);
            v.of(t, lanes, i -> code.loadLocal(kind, a));
            int all = g.keep(TypeKind.REFERENCE);
            for (int u = 0; u < vectors; u++) {
              v.multiplyAdd(t, lanes, all, b[u], c[r][u], target.ownMath());
              code.astore(c[r][u]);
            }
          }
        });
    for (int r = 0; r < rows; r++) {
      for (int u = 0; u < vectors; u++) {
        v.scatter(c[r][u], t, lanes, sums, at[r][u]);
      }
    }
  }

  /** Pushes an element of the left operand; k is bound. */
  private void leftTerm(int row, int k) {
    if (plain) {
      code.iload(m0).iload(row).iadd();
      g.bindFlat(p.c().m());
      g.push(p.c().lhs());
    } else {
      code.aload(left).iload(row).loadConstant(blockK).imul().iload(k).iadd();
      g.arrayLoad(t);
    }
  }

  /** The stores of one row's elements. */
  private void finish(int m) {
    bind(p.c().m(), m0, m, 0);
    if (stores == null) {
      code.iconst_0();
      int zero = g.keep(TypeKind.INT);
      loop(
          nn,
          1,
          j -> {
            bind(p.c().n(), n0, j, 0);
            sum(m, j, zero);
            g.stores(p.stores());
          });
      return;
    }
    loop(
        nn,
        elements,
        j -> {
          code.iload(n0).iload(j).iadd();
          int from = g.keep(TypeKind.INT);
          stores.block(from, g.blockSize(p.n(), elements, from), i -> sum(m, j, i));
        });
  }

  /** Binds the accumulator to a sum of the block, at column j + i. */
  private void sum(int m, int j, int i) {
    code.aload(sums).iload(m).loadConstant(blockN).imul().iload(j).iadd().iload(i).iadd();
    g.arrayLoad(t);
    g.bindAcc(0, g.keep(kind));
  }
}
