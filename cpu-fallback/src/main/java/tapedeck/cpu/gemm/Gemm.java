package tapedeck.cpu.gemm;

import tapedeck.cpu.math.Memory;

/**
 * Dense matrix products. The product is cut into blocks for the caches, as Goto and van de Geijn
 * describe (Anatomy of high-performance matrix multiplication, 2008), with the roles of A and B
 * exchanged, since vectors lie along the rows of B here.
 *
 * <p>Each element is summed in an order that depends on its depth and on the machine alone, so
 * results do not depend on the number of threads.
 */
public final class Gemm {
  /** Products of fewer multiplications run on the calling thread. */
  private static final double WORTH_THREADS = 2e5;

  private final boolean f64;
  private final int size;
  private final int m;
  private final int n;
  private final int k;
  private final Operand a;
  private final Operand b;
  private final Epilogue epilogue;
  private final Epilogue.Store store;
  private final Blocking blocking;

  /** Depth of the blocks that are multiplied at a time, evened out. */
  private final int kc;

  /** Columns and depth of B that are packed at a time. */
  private final int nc;

  private final int kPacked;

  private final int mc;
  private final int rowBlocks;

  /** Which part of B is packed. */
  private int n0;

  private int cols;
  private int paddedCols;
  private int k0;
  private int depth;
  private int colBlocks;
  private int colsPerBlock;
  private long packedB;
  private long sums;

  private Gemm(
      boolean f64, int m, int n, int k, Operand a, Operand b, Epilogue epilogue, int threads) {
    this.f64 = f64;
    this.size = f64 ? 8 : 4;
    this.m = m;
    this.n = n;
    this.k = k;
    this.a = a;
    this.b = b;
    this.epilogue = epilogue;
    this.store = epilogue instanceof Epilogue.Store s ? s : null;
    this.blocking = f64 ? Blocking.F64 : Blocking.F32;
    int slices = ceilDiv(k, blocking.kc());
    this.kc = ceilDiv(k, slices);
    long columns = Blocking.PACKED / ((long) k * size) / blocking.nb() * blocking.nb();
    this.nc =
        (int) Math.min(roundUp(n, blocking.nr()), Math.max(columns, roundUp(1024, blocking.nb())));
    long slicesPacked = Math.max(1, Blocking.PACKED / ((long) kc * nc * size));
    this.kPacked = (int) Math.min(k, slicesPacked * kc);
    int blocks = ceilDiv(m, blocking.mc());
    if (blocks > threads) {
      blocks = roundUp(blocks, threads);
    }
    this.mc = roundUp(ceilDiv(m, blocks), blocking.mr());
    this.rowBlocks = ceilDiv(m, mc);
  }

  /**
   * Multiplies an m x k by a k x n matrix and hands the product to the epilogue.
   *
   * @param f64 whether elements are float64, otherwise float32
   * @param parallel runs the parts; a product run inside of a task gets {@link Parallel#SEQUENTIAL}
   * @throws IllegalArgumentException if a size is negative
   */
  public static void run(
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      Parallel parallel) {
    if (m < 0 || n < 0 || k < 0) {
      throw new IllegalArgumentException("negative size: " + m + " x " + n + " x " + k);
    }
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      zeros(f64, m, n, epilogue);
      return;
    }
    Parallel by = (double) m * n * k < WORTH_THREADS ? Parallel.SEQUENTIAL : parallel;
    if (Math.min(m, n) <= SkinnyProduct.FEW && k <= SkinnyProduct.DEEP) {
      SkinnyProduct.run(f64, m, n, k, a, b, epilogue, by);
      return;
    }
    new Gemm(f64, m, n, k, a, b, epilogue, by.threads()).run(by);
  }

  private static void zeros(boolean f64, int m, int n, Epilogue epilogue) {
    long bytes = (f64 ? 8L : 4L) * n;
    long row = Workspace.get().c.bytes(bytes);
    for (int i = 0; i < m; i++) {
      Memory.zero(row, bytes);
      epilogue.tile(row, n, i, 1, 0, n);
    }
  }

  private void run(Parallel by) {
    int nr = blocking.nr();
    Workspace mine = Workspace.get();
    boolean split = kPacked < k;
    for (n0 = 0; n0 < n; n0 += nc) {
      cols = Math.min(nc, n - n0);
      paddedCols = roundUp(cols, nr);
      int wanted = rowBlocks >= 2 * by.threads() ? 1 : ceilDiv(2 * by.threads(), rowBlocks);
      colsPerBlock = by.threads() == 1 ? paddedCols : roundUp(ceilDiv(cols, wanted), nr);
      colBlocks = ceilDiv(cols, colsPerBlock);
      if (split && store == null) {
        sums = mine.sums.bytes((long) m * cols * size);
      }
      for (k0 = 0; k0 < k; k0 += kPacked) {
        depth = Math.min(kPacked, k - k0);
        packedB = mine.b.bytes((long) paddedCols * depth * size);
        by.run(ceilDiv(depth, kc) * ceilDiv(paddedCols, 4 * nr), this::packB);
        by.run(rowBlocks * colBlocks, this::block);
      }
    }
  }

  /** Packs four panels of one slice of B. */
  private void packB(int task) {
    int groups = ceilDiv(paddedCols, 4 * blocking.nr());
    int slice = task / groups;
    int col = task % groups * 4 * blocking.nr();
    int deep = Math.min(kc, depth - slice * kc);
    int width = Math.min(4 * blocking.nr(), cols - col);
    int row = k0 + slice * kc;
    long dst = packedB + ((long) slice * kc * paddedCols + (long) col * deep) * size;
    long src;
    long widthStride;
    long depthStride;
    switch (b) {
      case Operand.Strided s -> {
        src = s.address() + (row * s.rowStride() + (n0 + col) * s.colStride()) * size;
        widthStride = s.colStride();
        depthStride = s.rowStride();
      }
      case Operand.Computed c -> {
        src = Workspace.get().fill.bytes((long) width * deep * size);
        c.filler().fill(src, width, row, deep, n0 + col, width);
        widthStride = 1;
        depthStride = width;
      }
    }
    Packing packing = Workspace.get().packing;
    for (int w = 0; w < width; w += blocking.nr()) {
      int valid = Math.min(blocking.nr(), width - w);
      if (f64) {
        packing.panel64(src, widthStride, depthStride, valid, blocking.nr(), deep, dst);
      } else {
        packing.panel32(src, widthStride, depthStride, valid, blocking.nr(), deep, dst);
      }
      src += blocking.nr() * widthStride * size;
      dst += (long) blocking.nr() * deep * size;
    }
  }

  /** Packs rows of A: mc of them or what there is, from one slice. */
  private void packA(int m0, int rows, int row, int deep, Workspace mine) {
    switch (a) {
      case Operand.Strided s -> {
        long src = s.address() + (m0 * s.rowStride() + row * s.colStride()) * size;
        packRows(src, s.rowStride(), s.colStride(), rows, deep, mine);
      }
      case Operand.Computed c -> {
        long src = mine.fill.bytes((long) rows * deep * size);
        c.filler().fill(src, deep, m0, rows, row, deep);
        packRows(src, deep, 1, rows, deep, mine);
      }
    }
  }

  private void packRows(
      long src, long rowStride, long colStride, int rows, int deep, Workspace mine) {
    int mr = blocking.mr();
    Packing packing = mine.packing;
    for (int r = 0; r < rows; r += mr) {
      int valid = Math.min(mr, rows - r);
      if (f64) {
        packing.array64(src, rowStride, colStride, valid, mr, deep, mine.a64, r * deep);
      } else {
        packing.array32(src, rowStride, colStride, valid, mr, deep, mine.a32, r * deep);
      }
      src += mr * rowStride * size;
    }
  }

  /** Computes one block of the product, or adds a part of B's depth to it. */
  private void block(int task) {
    int m0 = task / colBlocks * mc;
    int rows = Math.min(mc, m - m0);
    int col0 = task % colBlocks * colsPerBlock;
    int width = Math.min(colsPerBlock, cols - col0);
    Workspace mine = Workspace.get();
    int mr = blocking.mr();
    int nr = blocking.nr();
    int nb = blocking.nb();
    boolean once = k <= kc;
    // one panel of rows is enough where it is finished at once
    long scratch = store != null ? 0 : mine.c.bytes((long) (once ? mr : rows) * width * size);
    for (int slice = 0; slice * kc < depth; slice++) {
      int row = slice * kc;
      int deep = Math.min(kc, depth - row);
      boolean add = k0 + row > 0;
      boolean last = k0 + row + deep == k;
      packA(m0, rows, k0 + row, deep, mine);
      long panels = packedB + (long) row * paddedCols * size;
      for (int jb = 0; jb < width; jb += nb) {
        int end = Math.min(width, jb + nb);
        for (int i = 0; i < rows; i += mr) {
          int pa = i * deep;
          long c;
          long ld;
          if (store != null) {
            ld = store.rowStride();
            c = store.address() + ((m0 + i) * ld + n0 + col0) * size;
          } else if (sums != 0) {
            ld = cols;
            c = sums + ((m0 + i) * ld + col0) * size;
          } else {
            ld = width;
            c = scratch + (once ? 0 : i * ld) * size;
          }
          for (int j = jb; j < end; j += nr) {
            long pb = panels + (long) (col0 + j) * deep * size;
            long to = c + (long) j * size;
            int tall = Math.min(mr, rows - i);
            tile(mine, deep, pa, pb, to, ld, tall, Math.min(nr, width - j), add);
          }
          if (last && store == null) {
            int tall = Math.min(mr, rows - i);
            epilogue.tile(c + (long) jb * size, (int) ld, m0 + i, tall, n0 + col0 + jb, end - jb);
          }
        }
      }
    }
  }

  /** One tile: of the packed rows from pa and the packed columns from pb on. */
  private void tile(
      Workspace mine,
      int deep,
      int pa,
      long pb,
      long c,
      long ld,
      int rows,
      int width,
      boolean add) {
    if (f64) {
      Kernel64.tile(mine.a64, pa, deep, pb, mine.tile);
      Kernel64.flush(mine.tile, c, 8 * ld, rows, width, add);
    } else {
      Kernel32.tile(mine.a32, pa, deep, pb, mine.tile);
      Kernel32.flush(mine.tile, c, 4 * ld, rows, width, add);
    }
  }

  private static int ceilDiv(int x, int y) {
    return (x + y - 1) / y;
  }

  private static int roundUp(int x, int y) {
    return ceilDiv(x, y) * y;
  }
}
