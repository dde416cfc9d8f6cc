package tapedeck.cpu.fast;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.DType;

/**
 * How a matrix product is run: both operands are packed into panels once (those that are not plain
 * loads are evaluated into memory before), then tiles of results are summed in registers and caches
 * in the manner of Goto and van de Geijn (Anatomy of High-Performance Matrix Multiplication, 2008),
 * and the kernel's stores run on each finished tile.
 */
final class GemmPlan {
  /** Bytes of a thread's tile of results. */
  static final long TILE_BYTES = 1 << 17;

  /**
   * Length of the sums between visits of a tile: a right panel of this length fits the L1 cache.
   */
  static final int KC = 128;

  /** Rows of a tile: that many rows of the left operand, KC long, fit the L2 cache. */
  static final int TILE_ROWS = 128;

  /** Smallest product that is worth packing, in multiply-adds. */
  private static final long WORTH = 1 << 13;

  final Kernel kernel;
  final Type type;
  final DType dtype;
  final long batches;
  final int m;
  final int n;
  final int k;
  final int lanes;

  /** Rows and columns of the tile in registers. */
  final int rows;

  final int columns;

  /** Columns of a tile of results in memory. */
  final int tileColumns;

  final Operand lhs;
  final Operand rhs;
  final CompiledKernel epilogue;

  /**
   * An operand as a matrix in memory.
   *
   * @param made evaluates the operand into working memory, or null if it is loaded as it is
   * @param param parameter it is loaded from
   * @param base first element
   * @param rowStride elements from row to row (m of the left operand, n of the right)
   * @param stepStride elements from k to k
   * @param batchStrides elements per step of each batch loop
   */
  record Operand(
      CompiledKernel made,
      int param,
      long base,
      long rowStride,
      long stepStride,
      long[] batchStrides,
      long bytes) {}

  GemmPlan(Kernel kernel, Vectors vectors) {
    this.kernel = kernel;
    Contraction c = kernel.contraction().orElseThrow();
    dtype = c.lhs().dtype();
    type = Type.of(dtype);
    batches = Contraction.extent(c.batch());
    m = Math.toIntExact(Contraction.extent(c.m()));
    n = Math.toIntExact(Contraction.extent(c.n()));
    k = Math.toIntExact(Contraction.extent(c.k()));
    lanes = vectors.lanes(type.bytes);
    // 12 sums, columns and a factor fit 16 registers; larger tiles gained nothing where 32 exist.
    rows = 4;
    columns = 3 * lanes;
    int most = (int) (TILE_BYTES / TILE_ROWS / type.bytes) / columns * columns;
    tileColumns = Math.min(most, (n + columns - 1) / columns * columns);
    lhs = operand(c, c.lhs(), c.m(), true, vectors);
    rhs = operand(c, c.rhs(), c.n(), false, vectors);
    epilogue = CompiledKernel.of(epilogue(c), vectors, true);
  }

  /** Whether a kernel is a product that is faster this way than as plain loops. */
  static boolean accepts(Kernel kernel, Vectors vectors) {
    if (vectors.bits() == 0 || kernel.contraction().isEmpty() || kernel.phases().size() != 2) {
      return false;
    }
    Contraction c = kernel.contraction().get();
    long m = Contraction.extent(c.m());
    long n = Contraction.extent(c.n());
    long k = Contraction.extent(c.k());
    DType t = c.lhs().dtype();
    return kernel.phases().get(0) instanceof Phase.Reduce r
        && r.accs().size() == 1
        && r.accs().get(0).reducer() == Reducer.SUM
        && r.accs().get(0).dtype() == t
        && t.isFloat()
        && c.rhs().dtype() == t
        && m >= 4
        && n >= 4
        && k >= 4
        && Math.max(Math.max(m, n), k) < 1 << 24
        && m * n * k >= WORTH
        && !sumInIndex(kernel);
  }

  /** Whether a store's place depends on the sum; such stores are left to the plain loops. */
  private static boolean sumInIndex(Kernel kernel) {
    return !(kernel.phases().get(1) instanceof Phase.Emit e)
        || !e.loops().isEmpty()
        || e.stores().stream()
            .anyMatch(
                s ->
                    indexHasSum(s.index())
                        || allOf(s.value()).stream()
                            .anyMatch(x -> x instanceof Expr.Load l && indexHasSum(l.index())));
  }

  private static boolean indexHasSum(Index index) {
    for (Index.Term t : index.terms()) {
      boolean has =
          switch (t.atom()) {
            case Index.Var v -> false;
            case Index.Div d -> indexHasSum(d.arg());
            case Index.Mod d -> indexHasSum(d.arg());
            case Index.Dyn d -> allOf(d.value()).stream().anyMatch(Expr.Acc.class::isInstance);
          };
      if (has) {
        return true;
      }
    }
    return false;
  }

  private static java.util.Set<Expr> allOf(Expr root) {
    java.util.Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    java.util.ArrayDeque<Expr> open = new java.util.ArrayDeque<>(List.of(root));
    while (!open.isEmpty()) {
      Expr e = open.pop();
      if (seen.add(e)) {
        open.addAll(e.children());
      }
    }
    return seen;
  }

  private Operand operand(Contraction c, Expr e, List<Loop> rowLoops, boolean left, Vectors v) {
    if (e instanceof Expr.Load l && l.index().isAffine()) {
      long row = stride(l.index(), rowLoops);
      long step = stride(l.index(), c.k());
      if (row != NONE && step != NONE) {
        long[] batch = c.batch().stream().mapToLong(l.index()::coef).toArray();
        return new Operand(null, l.param(), l.index().base(), row, step, batch, 0);
      }
    }
    List<Loop> grid = new ArrayList<>(c.batch());
    grid.addAll(left ? rowLoops : c.k());
    grid.addAll(left ? c.k() : rowLoops);
    long size = Contraction.extent(grid);
    Kernel make =
        new Kernel(
            with(kernel.params(), new Kernel.Param(dtype, size, false, true)),
            grid,
            List.of(
                new Phase.Emit(
                    List.of(), List.of(new Phase.Store(kernel.params().size(), flat(grid), e)))),
            Optional.empty());
    long[] batch = new long[c.batch().size()];
    long stride = size / batches;
    for (int i = batch.length - 1; i >= 0; i--) {
      batch[i] = stride;
      stride *= c.batch().get(i).extent();
    }
    return new Operand(
        CompiledKernel.of(make, v, false),
        kernel.params().size(),
        0,
        left ? k : 1,
        left ? 1 : n,
        batch,
        size * type.bytes);
  }

  private static List<Kernel.Param> with(List<Kernel.Param> params, Kernel.Param last) {
    List<Kernel.Param> all = new ArrayList<>(params);
    all.add(last);
    return List.copyOf(all);
  }

  private static final long NONE = Long.MIN_VALUE;

  /** Stride along several loops as if they were one, or NONE. */
  private static long stride(Index index, List<Loop> loops) {
    long expected = NONE;
    long innermost = 0;
    for (int i = loops.size() - 1; i >= 0; i--) {
      long coef = index.coef(loops.get(i));
      if (expected == NONE) {
        innermost = coef;
      } else if (coef != expected) {
        return NONE;
      }
      expected = coef * loops.get(i).extent();
    }
    return innermost;
  }

  private static Index flat(List<Loop> loops) {
    Index sum = Index.ZERO;
    long stride = 1;
    for (Loop l : loops.reversed()) {
      sum = sum.plus(Index.of(l).times(stride));
      stride *= l.extent();
    }
    return sum;
  }

  /** The stores as a kernel of their own that finds the sums in one more parameter. */
  private Kernel epilogue(Contraction c) {
    Index at = flat(c.m()).times(tileColumns).plus(flat(c.n()));
    Expr sum = new Expr.Load(kernel.params().size(), dtype, at);
    Map<Expr, Expr> done = new IdentityHashMap<>();
    List<Phase.Store> stores = new ArrayList<>();
    for (Phase.Store s : ((Phase.Emit) kernel.phases().get(1)).stores()) {
      stores.add(new Phase.Store(s.param(), s.index(), replace(s.value(), sum, done)));
    }
    Kernel.Param tile = new Kernel.Param(dtype, (long) m * tileColumns, true, false);
    return new Kernel(
        with(kernel.params(), tile),
        kernel.grid(),
        List.of(new Phase.Emit(List.of(), stores)),
        Optional.empty());
  }

  private static Expr replace(Expr e, Expr sum, Map<Expr, Expr> done) {
    Expr known = done.get(e);
    if (known != null) {
      return known;
    }
    Expr r =
        switch (e) {
          case Expr.Acc a -> sum;
          case Expr.Const x -> x;
          case Expr.Load l -> l;
          case Expr.IndexValue v -> v;
          case Expr.Apply a ->
              new Expr.Apply(
                  a.op(), a.dtype(), a.args().stream().map(x -> replace(x, sum, done)).toList());
          case Expr.Guarded g ->
              new Expr.Guarded(
                  g.bounds(), replace(g.value(), sum, done), replace(g.otherwise(), sum, done));
        };
    done.put(e, r);
    return r;
  }
}
