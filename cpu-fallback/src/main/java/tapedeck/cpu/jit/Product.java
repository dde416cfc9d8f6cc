package tapedeck.cpu.jit;

import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.cpu.gemm.Epilogue;
import tapedeck.cpu.gemm.Gemm;
import tapedeck.cpu.gemm.Operand;
import tapedeck.cpu.gemm.Parallel;

/**
 * A matrix product. Operands that are affine views are packed from where they are; others are
 * computed by generated code while they are packed. What follows the product is generated code on
 * finished tiles.
 */
final class Product implements CpuKernel {
  private final Kernel kernel;
  private final Contraction c;
  private final boolean f64;
  private final int m;
  private final int n;
  private final int k;
  private final long batch;
  private final Side lhs;
  private final Side rhs;
  private final KernelGen.Generated after;
  private final Phase.Store plain;

  private Product(Kernel kernel) {
    this.kernel = kernel;
    this.c = kernel.contraction().orElseThrow();
    this.f64 = c.lhs().dtype() == DType.FLOAT64;
    this.m = (int) Contraction.extent(c.m());
    this.n = (int) Contraction.extent(c.n());
    this.k = (int) Contraction.extent(c.k());
    this.batch = Contraction.extent(c.batch());
    this.lhs = Side.of(kernel, c.lhs(), c.batch(), c.m(), c.k());
    this.rhs = Side.of(kernel, c.rhs(), c.batch(), c.k(), c.n());
    this.plain = plainStore();
    this.after =
        plain != null
            ? null
            : TileGen.generate(kernel, new TileGen.Region(c.batch(), c.m(), c.n(), null));
  }

  /** Whether a kernel is a product that is worth packing. */
  static boolean suits(Kernel kernel) {
    if (kernel.contraction().isEmpty()) {
      return false;
    }
    Contraction c = kernel.contraction().get();
    return c.n().size() == 1
        && c.k().size() == 1
        && !c.m().isEmpty()
        && c.lhs().dtype().isFloat()
        && !(isByVector(c) && ShortRows.haveTotals(kernel))
        && Gemm.suits(
            Contraction.extent(c.m()), Contraction.extent(c.n()), Contraction.extent(c.k()));
  }

  /** Whether one factor is a vector; sums along short rows of the other need no blocks of four. */
  private static boolean isByVector(Contraction c) {
    return Math.min(Contraction.extent(c.m()), Contraction.extent(c.n())) == 1;
  }

  static Product compile(Kernel kernel) {
    return new Product(kernel);
  }

  @Override
  public Kernel kernel() {
    return kernel;
  }

  /** The store if the product goes to memory as it is, else null. */
  private Phase.Store plainStore() {
    Phase.Emit e = (Phase.Emit) kernel.phases().get(1);
    if (e.stores().size() != 1 || c.m().size() != 1) {
      return null;
    }
    Phase.Store s = e.stores().get(0);
    boolean rows = s.value() instanceof Expr.Acc && s.index().isAffine();
    return rows && s.index().coef(c.n().get(0)) == 1 ? s : null;
  }

  @Override
  public void run(WorkerPool pool, long[] addresses, boolean @Nullable [] results) {
    if (batch >= 2L * pool.threads()) {
      pool.run(
          batch,
          1,
          (from, to) -> {
            for (long i = from; i < to; i++) {
              one(addresses, i, Parallel.SEQUENTIAL);
            }
          });
    } else {
      Parallel parallel = new Shared(pool);
      for (long i = 0; i < batch; i++) {
        one(addresses, i, parallel);
      }
    }
  }

  private void one(long[] addresses, long at, Parallel parallel) {
    Gemm.run(
        f64,
        m,
        n,
        k,
        lhs.operand(addresses, at),
        rhs.operand(addresses, at),
        epilogue(addresses, at),
        parallel);
  }

  private Epilogue epilogue(long[] addresses, long at) {
    if (plain != null) {
      long offset = offset(plain.index(), c.batch(), at);
      long size = f64 ? 8 : 4;
      return new Epilogue.Store(
          addresses[plain.param()] + offset * size, plain.index().coef(c.m().get(0)), f64);
    }
    return (acc, ld, m0, rows, n0, cols) -> tile(after, addresses, at, acc, ld, m0, rows, n0, cols);
  }

  /** Runs generated code on rows r0 to r0 + rows of a tile in memory. */
  private static void tile(
      KernelGen.Generated generated,
      long[] addresses,
      long at,
      long memory,
      int ld,
      int r0,
      int rows,
      int c0,
      int cols) {
    Scratch scratch = Scratch.own(generated.scratchBytes());
    long[] tile = scratch.tile();
    tile[0] = at;
    tile[1] = r0;
    tile[2] = c0;
    tile[3] = cols;
    tile[4] = memory;
    tile[5] = ld;
    generated.code().run(addresses, r0, r0 + rows, scratch.address(), tile);
  }

  /** Value of an affine index at a position of the flattened batch, other loops at 0. */
  private static long offset(Index index, List<Loop> batch, long at) {
    long out = index.base();
    long rest = at;
    for (int i = batch.size() - 1; i >= 0; i--) {
      Loop l = batch.get(i);
      out += index.coef(l) * (rest % l.extent());
      rest /= l.extent();
    }
    return out;
  }

  /** A factor: a strided matrix in a parameter, or generated code. */
  private sealed interface Side {
    Operand operand(long[] addresses, long at);

    static Side of(Kernel kernel, Expr e, List<Loop> batch, List<Loop> rows, List<Loop> columns) {
      if (e instanceof Expr.Load l
          && l.index().isAffine()
          && rows.size() == 1
          && columns.size() == 1) {
        return new View(l, batch, l.index().coef(rows.get(0)), l.index().coef(columns.get(0)));
      }
      return new Made(TileGen.generate(kernel, new TileGen.Region(batch, rows, columns, e)));
    }

    record View(Expr.Load load, List<Loop> batch, long rowStride, long columnStride)
        implements Side {
      @Override
      public Operand operand(long[] addresses, long at) {
        long offset = offset(load.index(), batch, at) * load.dtype().bytes();
        return new Operand.Strided(addresses[load.param()] + offset, rowStride, columnStride);
      }
    }

    record Made(KernelGen.Generated filler) implements Side {
      @Override
      public Operand operand(long[] addresses, long at) {
        return new Operand.Computed(
            (dst, ld, r0, rows, c0, cols) ->
                tile(filler, addresses, at, dst, ld, r0, rows, c0, cols));
      }
    }
  }

  /** The pool as the product sees it. */
  private record Shared(WorkerPool pool) implements Parallel {
    @Override
    public void run(int tasks, IntConsumer body) {
      pool.run(
          tasks,
          1,
          (from, to) -> {
            for (long i = from; i < to; i++) {
              body.accept((int) i);
            }
          });
    }

    @Override
    public int threads() {
      return pool.threads();
    }
  }
}
