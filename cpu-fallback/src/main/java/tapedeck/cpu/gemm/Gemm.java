package tapedeck.cpu.gemm;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import tapedeck.ad.type.Optimisation;
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

  /** Multiplications below which plain loops are as good, and with one short side. */
  private static final double SMALL = 2000;

  private static final double SMALL_SKINNY = 8192;

  /** With so few rows of A or bytes of B, packing B would take too long. */
  private static final int FEW_ROWS = Blocking.FEW_REGISTERS ? 32 : 64;

  private static final long FEW_BYTES = 256 << 10;

  /**
   * With few rows of A, but rows of B a page or more apart and more bytes of it than caches hold, a
   * tile in place would wait for a page at each row.
   */
  private static final long PAGE = 4096;

  private static final long CACHED = 2 << 20;

  /**
   * Most panels of B that are packed together, so that pieces of its rows are read that are longer
   * than a cache line. Panels often lie a power of two apart: many of them would take each other's
   * places in the cache.
   */
  private static final int GROUP = 4;

  /** Most blocks of rows each of which packs all of B for itself. */
  private static final int OWN_BLOCKS = 2;

  /** Columns at most of a task that packs its own part of B. */
  private static final int OWN_COLUMNS = 1024;

  /** Rows of a computed operand that are computed before they are packed. */
  private static final int FILLED = 32;

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
  private final int lanes;

  /** Depth of the blocks that are multiplied at a time, evened out. */
  private final int kc;

  /** Columns and depth of B that are packed at a time. */
  private final int nc;

  private final int kPacked;

  private final int mc;
  private final int rowBlocks;

  /** Columns of B that stay in the second-level cache. */
  private final int nb;

  /** Whether A is copied by rows; otherwise in panels as high as a tile, by columns. */
  private final boolean byRows;

  private final Tiles tiles;

  /** B if it is read where it lies, else null. */
  private final Operand.Strided inPlace;

  /**
   * Whether each task packs the part of B that it multiplies with. Where one block or two have all
   * rows hardly anybody else needs that part, and it stays in the second-level cache of who packed
   * it.
   */
  private final boolean own;

  /** Which part of B is at hand. */
  private int n0;

  private int cols;
  private int paddedCols;
  private int k0;
  private int depth;
  private int colBlocks;
  private int panels;
  private int group;
  private long packedB;
  private long sums;

  private Gemm(
      Blocking blocking,
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      int threads) {
    this.f64 = f64;
    this.size = f64 ? 8 : 4;
    this.m = m;
    this.n = n;
    this.k = k;
    this.a = a;
    this.b = b;
    this.epilogue = epilogue;
    this.store = epilogue instanceof Epilogue.Store s ? s : null;
    this.blocking = blocking;
    this.lanes = blocking.lanes();
    int slices = ceilDiv(k, blocking.kc());
    this.kc = ceilDiv(k, slices);
    this.nb = blocking.nb(kc, size);
    int blocks = ceilDiv(m, blocking.mc());
    if (blocks > threads) {
      blocks = roundUp(blocks, threads);
    }
    this.mc = roundUp(ceilDiv(m, blocks), blocking.mr());
    this.rowBlocks = ceilDiv(m, mc);
    boolean canBeRows = !isByColumns(a);
    boolean rows = blocking.byRows() && canBeRows;
    boolean smallInPlace = (rows || !Blocking.FEW_REGISTERS) && isSmall();
    this.inPlace =
        b instanceof Operand.Strided s
                && s.colStride() == 1
                && n % lanes == 0
                && (m <= FEW_ROWS ? isNear(s) : smallInPlace)
            ? s
            : null;
    this.own = inPlace == null && rowBlocks <= OWN_BLOCKS && Optimisation.OWN_PANELS.isOn();
    long columns = Blocking.PACKED / ((long) k * size) / nb * nb;
    int most = roundUp(n, lanes);
    this.nc = own ? most : (int) Math.min(most, Math.max(columns, roundUp(1024, nb)));
    long slicesPacked = Math.max(1, Blocking.PACKED / ((long) kc * nc * size));
    this.kPacked = own ? k : (int) Math.min(k, slicesPacked * kc);
    // where B is not packed the tile has an address of its own for it, and gains less from panels
    this.byRows = rows || (canBeRows && !Blocking.FEW_REGISTERS && inPlace != null);
    this.tiles = Tiles.of(f64, byRows, inPlace == null, blocking);
  }

  /**
   * Whether packing B would take longer than what is gained; panels gain much with 16 registers.
   */
  private boolean isSmall() {
    return (long) k * n * size <= FEW_BYTES;
  }

  /** Whether B can be read where it lies by few rows of A, as its rows share pages or caches. */
  private boolean isNear(Operand.Strided s) {
    return s.rowStride() * size < PAGE || (long) k * n * size <= CACHED;
  }

  private static boolean isByColumns(Operand a) {
    return a instanceof Operand.Strided s && s.colStride() != 1;
  }

  /** Whether a product is neither so small that plain loops do as well, nor too large. */
  public static boolean suits(long m, long n, long k) {
    double least = Math.min(m, n) <= SkinnyProduct.FEW ? SMALL_SKINNY : SMALL;
    return (double) m * n * k >= least && (double) m * n < Integer.MAX_VALUE;
  }

  /**
   * Whether every product that has run so far would run at full speed now: at first scalar code
   * stands in for vectors that the JIT has not compiled yet.
   */
  public static boolean isSettled() {
    return Rehearsal.noneArePending();
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
    int parts = DeepProduct.parts(f64, m, n, k);
    if (parts > 1) {
      DeepProduct.run(f64, m, n, k, a, b, epilogue, parallel, parts);
    } else {
      whole(f64, m, n, k, a, b, epilogue, parallel);
    }
  }

  /** As above, of a product that has elements and is not cut by its depth. */
  static void whole(
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      Parallel parallel) {
    Parallel by = (double) m * n * k < WORTH_THREADS ? Parallel.SEQUENTIAL : parallel;
    if (Math.min(m, n) <= SkinnyProduct.FEW && k <= SkinnyProduct.DEEP) {
      SkinnyProduct.run(f64, m, n, k, a, b, epilogue, by);
      return;
    }
    run(Blocking.of(f64, n, isByColumns(a)), f64, m, n, k, a, b, epilogue, by);
  }

  /** As above, of a product that has elements, in blocks and tiles of given sizes. */
  static void run(
      Blocking blocking,
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      Parallel by) {
    new Gemm(blocking, f64, m, n, k, a, b, epilogue, by.threads()).run(by);
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
      paddedCols = roundUp(cols, lanes);
      int wanted = rowBlocks >= 2 * by.threads() ? 1 : ceilDiv(2 * by.threads(), rowBlocks);
      panels = ceilDiv(cols, nr);
      if (own) {
        wanted = Math.max(wanted, ceilDiv(cols, OWN_COLUMNS));
      }
      colBlocks = by.threads() == 1 && !own ? 1 : Math.min(wanted, panels);
      if (split && store == null) {
        sums = mine.sums.bytes((long) roundUp(m, blocking.mr()) * paddedCols * size);
      }
      for (k0 = 0; k0 < k; k0 += kPacked) {
        depth = Math.min(kPacked, k - k0);
        if (inPlace == null && !own) {
          packedB = mine.b.bytes((long) paddedCols * depth * size);
          int slices = ceilDiv(depth, kc);
          group = by.threads() == 1 ? GROUP : ceilDiv(panels * slices, 4 * by.threads());
          group = Math.min(group, GROUP);
          by.run(slices * ceilDiv(panels, group), this::packB);
        }
        by.run(rowBlocks * colBlocks, this::block);
      }
    }
  }

  /** Packs a group of panels of one slice of B. */
  private void packB(int task) {
    int nr = blocking.nr();
    int groups = ceilDiv(panels, group);
    int slice = task / groups;
    int col = task % groups * group * nr;
    int deep = Math.min(kc, depth - slice * kc);
    int width = Math.min(group * nr, cols - col);
    long dst = packedB + ((long) slice * kc * paddedCols + (long) col * deep) * size;
    packB(k0 + slice * kc, deep, col, width, dst);
  }

  /** Packs some columns of one slice of B into panels. */
  private void packB(int row, int deep, int col, int width, long dst) {
    int nr = blocking.nr();
    switch (b) {
      case Operand.Strided s when s.colStride() == 1 -> {
        long src = s.address() + (row * s.rowStride() + n0 + col) * size;
        strips(src, s.rowStride(), width, 0, deep, deep, dst);
      }
      case Operand.Strided s -> {
        for (int w = 0; w < width; w += nr) {
          int valid = Math.min(nr, width - w);
          long src = s.address() + (row * s.rowStride() + (n0 + col + w) * s.colStride()) * size;
          long to = dst + (long) w * deep * size;
          int wide = valid > lanes ? nr : lanes;
          Packing.panel(f64, src, s.colStride(), s.rowStride(), valid, wide, deep, to);
        }
      }
      case Operand.Computed c -> {
        long src = Workspace.get().fill.bytes((long) FILLED * width * size);
        for (int d = 0; d < deep; d += FILLED) {
          int some = Math.min(FILLED, deep - d);
          c.filler().fill(src, width, row + d, some, n0 + col, width);
          strips(src, width, width, d, some, deep, dst);
        }
      }
    }
  }

  private void strips(
      long src, long rowStride, int width, int first, int count, int deep, long dst) {
    if (f64) {
      Packing.STRIPS64.best().run(src, 8 * rowStride, width, first, count, deep, dst);
    } else {
      Packing.STRIPS32.best().run(src, 4 * rowStride, width, first, count, deep, dst);
    }
  }

  /** Copies rows of A: mc of them or what there is, from one slice. */
  private void packA(int m0, int rows, int row, int deep, Workspace mine) {
    switch (a) {
      case Operand.Strided s -> {
        long src = s.address() + (m0 * s.rowStride() + row * s.colStride()) * size;
        if (s.colStride() == 1) {
          copyRows(src, s.rowStride(), 0, rows, deep, mine);
        } else {
          packRows(src, s.rowStride(), s.colStride(), rows, deep, mine);
        }
      }
      case Operand.Computed c -> {
        int most = roundUp(FILLED, blocking.mr());
        long src = mine.fill.bytes((long) most * deep * size);
        for (int r = 0; r < rows; r += most) {
          int some = Math.min(most, rows - r);
          c.filler().fill(src, deep, m0 + r, some, row, deep);
          copyRows(src, deep, r, some, deep, mine);
        }
      }
    }
  }

  private void copyRows(long src, long rowStride, int first, int count, int deep, Workspace mine) {
    int lda = lda(deep);
    if (!byRows) {
      turnRows(src, rowStride, first, count, deep, mine);
    } else if (f64) {
      Packing.rows64(src, rowStride, count, deep, mine.a64(blocking), first * lda, lda);
    } else {
      Packing.rows32(src, rowStride, count, deep, mine.a32(blocking), first * lda, lda);
    }
  }

  /** Rows become panels: whole ones by vectors, as far as these go. */
  private void turnRows(long src, long rowStride, int first, int count, int deep, Workspace mine) {
    int mr = blocking.mr();
    Object panels = f64 ? mine.a64(blocking) : mine.a32(blocking);
    boolean usual = mr == (f64 ? Blocking.F64 : Blocking.F32).mr();
    for (int r = 0; r < count; r += mr) {
      int valid = Math.min(mr, count - r);
      int high = valid > mr / 2 ? mr : mr / 2;
      int to = panel(first + r, deep);
      long from = src + r * rowStride * size;
      if (usual && valid == mr && deep >= lanes) {
        PanelTurn turn = (f64 ? PanelTurn.F64 : PanelTurn.F32).best();
        turn.run(from, rowStride * size, panels, to, deep / lanes);
        if (deep % lanes > 0) {
          // the last vectors of the rows, some elements of which have been turned already
          int last = deep - lanes;
          int then = to + last * Tile.Form.columnStep(mr);
          turn.run(from + (long) last * size, rowStride * size, panels, then, 1);
        }
      } else {
        packPanel(from, rowStride, 1, valid, high, deep, panels, to);
      }
    }
  }

  private void packPanel(
      long src,
      long rowStride,
      long colStride,
      int valid,
      int high,
      int deep,
      Object panels,
      int to) {
    if (f64) {
      Packing.panel64(src, rowStride, colStride, valid, high, deep, (double[]) panels, to);
    } else {
      Packing.panel32(src, rowStride, colStride, valid, high, deep, (float[]) panels, to);
    }
  }

  /** Distance of rows of A: whole vectors, and one more so that rows do not meet in the cache. */
  private int lda(int deep) {
    return roundUp(deep, lanes) + lanes;
  }

  /** Where the panel begins that has this row of A first. */
  private int panel(int row, int deep) {
    return row / blocking.mr() * Tile.Form.columnStep(blocking.mr()) * deep;
  }

  private void packRows(
      long src, long rowStride, long colStride, int rows, int deep, Workspace mine) {
    int mr = blocking.mr();
    int whole = rowStride == 1 ? rows / mr : 0;
    Object panels = f64 ? mine.a64(blocking) : mine.a32(blocking);
    if (whole > 0) {
      var columns = f64 ? Packing.COLUMNS64 : Packing.COLUMNS32;
      columns.best().run(src, colStride, whole, mr, deep, panels);
    }
    for (int r = whole * mr; r < rows; r += mr) {
      int valid = Math.min(mr, rows - r);
      int high = valid > mr / 2 ? mr : mr / 2;
      long from = src + r * rowStride * size;
      packPanel(from, rowStride, colStride, valid, high, deep, panels, panel(r, deep));
    }
  }

  /** Where a block of columns begins: blocks differ by one panel at most. */
  private int firstCol(int block) {
    return (int) ((long) panels * block / colBlocks) * blocking.nr();
  }

  /** Computes one block of the product, or adds a part of B's depth to it. */
  private void block(int task) {
    int m0 = task / colBlocks * mc;
    int rows = Math.min(mc, m - m0);
    int col0 = firstCol(task % colBlocks);
    int width = Math.min(firstCol(task % colBlocks + 1), cols) - col0;
    Workspace mine = Workspace.get();
    int mr = blocking.mr();
    // one panel of rows is enough where it is finished at once
    boolean once = k <= kc;
    long ld;
    long first;
    if (store != null) {
      ld = store.rowStride();
      first = store.address() + (m0 * ld + n0 + col0) * size;
    } else if (sums != 0) {
      ld = paddedCols;
      first = sums + (m0 * ld + col0) * size;
    } else {
      ld = roundUp(width, lanes);
      first = mine.c.bytes((once ? mr : roundUp(rows, mr)) * ld * size);
    }
    for (int slice = 0; slice * kc < depth; slice++) {
      int row = slice * kc;
      int deep = Math.min(kc, depth - row);
      boolean last = k0 + row + deep == k;
      packA(m0, rows, k0 + row, deep, mine);
      Object panelsOfA = f64 ? mine.a64(blocking) : mine.a32(blocking);
      int lda = lda(deep);
      int panel = byRows ? mr * lda : panel(mr, deep);
      for (int jb = 0; jb < width; jb += nb) {
        int end = Math.min(width, jb + nb);
        long packed = packedB + ((long) row * paddedCols + (long) (col0 + jb) * deep) * size;
        if (own) {
          packed = mine.b.bytes((long) nb * deep * size);
          packB(row, deep, col0 + jb, end - jb, packed);
        }
        for (int i = 0, at = 0; i < rows; i += mr, at += panel) {
          int tall = Math.min(mr, rows - i);
          long c = first + (store == null && once ? 0 : i * ld * size);
          tiles(panelsOfA, at, lda, row, deep, tall, packed, col0, jb, end, c, ld, mine.tile);
          if (last && store == null) {
            epilogue.tile(c + (long) jb * size, (int) ld, m0 + i, tall, n0 + col0 + jb, end - jb);
          }
        }
      }
    }
  }

  /** Computes the tiles of one panel of A, in columns jb to end of a block. */
  private void tiles(
      Object from,
      int at,
      int lda,
      int row,
      int deep,
      int tall,
      long packed,
      int col0,
      int jb,
      int end,
      long c,
      long ld,
      long scratch) {
    int nr = blocking.nr();
    boolean add = k0 + row > 0;
    boolean low = tall <= blocking.mr() / 2;
    int height = low ? blocking.mr() / 2 : blocking.mr();
    for (int j = jb; j < end; j += nr) {
      int wide = Math.min(nr, end - j);
      boolean narrow = wide <= lanes;
      int vectors = narrow ? lanes : nr;
      Tile tile = tiles.get(low, narrow).best();
      long pb;
      long pitch;
      if (inPlace != null) {
        pitch = inPlace.rowStride() * size;
        pb = inPlace.address() + (k0 + row) * pitch + (long) (n0 + col0 + j) * size;
      } else {
        pitch = (long) vectors * size;
        pb = packed + (long) (j - jb) * deep * size;
      }
      long to = c + (long) j * size;
      if (store == null || (tall == height && wide == vectors)) {
        tile.run(from, at, lda, deep, pb, pitch, to, ld * size, add);
      } else {
        tile.run(from, at, lda, deep, pb, pitch, scratch, (long) nr * size, false);
        if (f64) {
          Lanes.flush64(scratch, to, 8 * ld, tall, wide, add);
        } else {
          Lanes.flush32(scratch, to, 4 * ld, tall, wide, add);
        }
      }
    }
  }

  private static int ceilDiv(int x, int y) {
    return (x + y - 1) / y;
  }

  private static int roundUp(int x, int y) {
    return ceilDiv(x, y) * y;
  }

  /** The tiles of a product. */
  private record Tiles(
      Rehearsal<Tile> whole,
      Rehearsal<Tile> narrow,
      Rehearsal<Tile> low,
      Rehearsal<Tile> lowNarrow) {
    private static final Map<Tile.Form, Tiles> MADE = new ConcurrentHashMap<>();

    static Tiles of(boolean f64, boolean byRows, boolean packed, Blocking by) {
      return MADE.computeIfAbsent(
          new Tile.Form(f64, byRows, packed, by.mr(), 2),
          f -> new Tiles(f.tile(), part(f, 1, 1), part(f, 2, 2), part(f, 2, 1)));
    }

    private static Rehearsal<Tile> part(Tile.Form f, int divisor, int vectors) {
      return new Tile.Form(f.f64(), f.byRows(), f.packed(), f.height() / divisor, vectors).tile();
    }

    Rehearsal<Tile> get(boolean isLow, boolean isNarrow) {
      return isLow ? (isNarrow ? lowNarrow : low) : isNarrow ? narrow : whole;
    }
  }
}
