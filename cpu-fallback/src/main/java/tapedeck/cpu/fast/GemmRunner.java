package tapedeck.cpu.fast;

import java.lang.foreign.MemorySegment;

/**
 * Runs a {@link GemmPlan}. Work is shared out panel by panel while packing and tile by tile after;
 * each sum is formed in one order whatever the number of threads.
 */
final class GemmRunner implements LaunchRunner, WorkerPool.Job {
  /** Bytes of packed operands; batches are packed in groups that stay below this. */
  private static final long PACKED_BYTES = 64L << 20;

  /** Elements or multiply-adds that a thread should get at a time. */
  private static final long PACK_GRAIN = 1 << 15;

  private static final long TILE_GRAIN = 1 << 19;

  private enum Stage {
    MAKE_LEFT,
    MAKE_RIGHT,
    PACK_LEFT,
    PACK_RIGHT,
    TILES
  }

  private final GemmPlan p;
  private final long[] addresses;
  private final long[] makeLeft;
  private final long[] makeRight;
  private final int bytes;

  /** Whether left panels hold whole rows (k runs fastest) rather than columns. */
  private final boolean leftByRow;

  private final int leftPanels;
  private final int rightPanels;
  private final long leftPanelBytes;
  private final long rightPanelBytes;
  private final long group;

  /** By the number of vectors across, less one. */
  private final MicroKernel[] kernels;

  private final int tileRows;
  private final int tilesDown;
  private final int tilesAcross;

  private Stage stage = Stage.TILES;
  private long chunk;
  private long items;
  private long firstBatch;
  private long left;
  private long right;
  private long packedLeft;
  private long packedRight;

  GemmRunner(GemmPlan plan) {
    p = plan;
    bytes = p.type.bytes;
    int params = p.kernel.params().size();
    addresses = new long[params];
    makeLeft = new long[params + 1];
    makeRight = new long[params + 1];
    leftByRow = p.lhs.stepStride() == 1;
    leftPanels = (p.m + p.rows - 1) / p.rows;
    rightPanels = (p.n + p.columns - 1) / p.columns;
    long blocks = ((long) p.k + GemmPlan.KC - 1) / GemmPlan.KC;
    leftPanelBytes = leftByRow ? blocks * p.rows * rowStride() : (long) p.k * p.rows * bytes;
    rightPanelBytes = (long) p.k * p.columns * bytes;
    long each = leftPanels * leftPanelBytes + rightPanels * rightPanelBytes;
    group = Math.clamp(PACKED_BYTES / each, 1, p.batches);
    tileRows = GemmPlan.TILE_ROWS / p.rows * p.rows;
    tilesDown = (p.m + tileRows - 1) / tileRows;
    tilesAcross = (p.n + p.tileColumns - 1) / p.tileColumns;
    kernels = new MicroKernel[p.columns / p.lanes];
    for (int i = 0; i < kernels.length; i++) {
      kernels[i] = kernel(i + 1);
    }
  }

  /** Bytes of a row of a left panel: not a multiple of a page, so that rows share no cache set. */
  private int rowStride() {
    return GemmPlan.KC * bytes + 64;
  }

  private MicroKernel kernel(int columns) {
    return MicroKernel.of(
        new MicroKernel.Shape(
            p.type,
            p.lanes,
            p.rows,
            columns,
            leftByRow ? rowStride() : bytes,
            leftByRow ? bytes : p.rows * bytes,
            p.columns * bytes,
            p.tileColumns * bytes));
  }

  @Override
  public long[] addresses() {
    return addresses;
  }

  private static long aligned(long bytes) {
    return (bytes + 63) / 64 * 64;
  }

  @Override
  public long workBytes() {
    return aligned(p.lhs.bytes())
        + aligned(p.rhs.bytes())
        + aligned(group * leftPanels * leftPanelBytes)
        + aligned(group * rightPanels * rightPanelBytes);
  }

  @Override
  public void run(WorkerPool pool, long scratch, long work) {
    left = made(p.lhs, makeLeft, work);
    right = made(p.rhs, makeRight, work + aligned(p.lhs.bytes()));
    packedLeft = work + aligned(p.lhs.bytes()) + aligned(p.rhs.bytes());
    packedRight = packedLeft + aligned(group * leftPanels * leftPanelBytes);
    if (p.lhs.made() != null) {
      make(Stage.MAKE_LEFT, p.lhs, pool, scratch);
    }
    if (p.rhs.made() != null) {
      make(Stage.MAKE_RIGHT, p.rhs, pool, scratch);
    }
    for (firstBatch = 0; firstBatch < p.batches; firstBatch += group) {
      long batches = Math.min(group, p.batches - firstBatch);
      share(pool, scratch, Stage.PACK_LEFT, batches * leftPanels, PACK_GRAIN, (long) p.rows * p.k);
      share(
          pool,
          scratch,
          Stage.PACK_RIGHT,
          batches * rightPanels,
          PACK_GRAIN,
          (long) p.columns * p.k);
      long tile = (long) Math.min(tileRows, p.m) * Math.min(p.tileColumns, p.n) * p.k;
      share(pool, scratch, Stage.TILES, batches * tilesDown * tilesAcross, TILE_GRAIN, tile);
    }
  }

  /** Address of an operand, which is evaluated into working memory where it is not a plain load. */
  private long made(GemmPlan.Operand o, long[] params, long work) {
    if (o.made() == null) {
      return addresses[o.param()] + o.base() * bytes;
    }
    System.arraycopy(addresses, 0, params, 0, addresses.length);
    params[addresses.length] = work;
    return work;
  }

  private void make(Stage s, GemmPlan.Operand o, WorkerPool pool, long scratch) {
    stage = s;
    chunk = o.made().chunk(pool.size());
    items = o.made().points;
    pool.run(this, (items + chunk - 1) / chunk, scratch);
  }

  private void share(
      WorkerPool pool, long scratch, Stage s, long count, long grain, long costOfEach) {
    stage = s;
    items = count;
    chunk = Math.max(1, grain / Math.max(1, costOfEach));
    pool.run(this, (count + chunk - 1) / chunk, scratch);
  }

  @Override
  public void run(long task, long scratch) {
    long begin = task * chunk;
    long end = Math.min(items, begin + chunk);
    switch (stage) {
      case MAKE_LEFT -> p.lhs.made().code.run(makeLeft, scratch, begin, end);
      case MAKE_RIGHT -> p.rhs.made().code.run(makeRight, scratch, begin, end);
      case PACK_LEFT -> {
        for (long i = begin; i < end; i++) {
          packLeft(i / leftPanels, (int) (i % leftPanels));
        }
      }
      case PACK_RIGHT -> {
        for (long i = begin; i < end; i++) {
          packRight(i / rightPanels, (int) (i % rightPanels));
        }
      }
      case TILES -> {
        long tiles = (long) tilesDown * tilesAcross;
        for (long i = begin; i < end; i++) {
          int t = (int) (i % tiles);
          // Neighbouring tasks share the right panels, which are the larger part.
          tile(i / tiles, t % tilesDown, t / tilesDown, scratch);
        }
      }
    }
  }

  /** Bytes from an operand's start to its matrix of a batch. */
  private long batchOffset(GemmPlan.Operand o, long batch) {
    long rest = firstBatch + batch;
    long offset = 0;
    var loops = p.kernel.contraction().orElseThrow().batch();
    for (int i = loops.size() - 1; i >= 0; i--) {
      offset += rest % loops.get(i).extent() * o.batchStrides()[i];
      rest /= loops.get(i).extent();
    }
    return offset * bytes;
  }

  private void packLeft(long batch, int panel) {
    long from =
        left + batchOffset(p.lhs, batch) + (long) panel * p.rows * p.lhs.rowStride() * bytes;
    long to = packedLeft + (batch * leftPanels + panel) * leftPanelBytes;
    int height = Math.min(p.rows, p.m - panel * p.rows);
    if (!leftByRow) {
      Packing.columns(p.type, from, p.lhs.rowStride(), p.lhs.stepStride(), height, p.rows, p.k, to);
      return;
    }
    for (int k0 = 0; k0 < p.k; k0 += GemmPlan.KC) {
      long length = (long) Math.min(GemmPlan.KC, p.k - k0) * bytes;
      for (int r = 0; r < p.rows; r++) {
        if (r < height) {
          MemorySegment.copy(
              NativeMemory.ALL,
              from + (r * p.lhs.rowStride() + k0) * bytes,
              NativeMemory.ALL,
              to,
              length);
        } else {
          NativeMemory.ALL.asSlice(to, length).fill((byte) 0);
        }
        to += rowStride();
      }
    }
  }

  private void packRight(long batch, int panel) {
    long first = (long) panel * p.columns;
    long from = right + batchOffset(p.rhs, batch) + first * p.rhs.rowStride() * bytes;
    long to = packedRight + (batch * rightPanels + panel) * rightPanelBytes;
    int width = (int) Math.min(p.columns, p.n - first);
    Packing.columns(p.type, from, p.rhs.rowStride(), p.rhs.stepStride(), width, p.columns, p.k, to);
  }

  private void tile(long batch, int down, int side, long scratch) {
    int m0 = down * tileRows;
    int n0 = side * p.tileColumns;
    int m1 = Math.min(p.m, m0 + tileRows);
    int n1 = Math.min(p.n, n0 + p.tileColumns);
    long tile = scratch + Plan.scratchBytes();
    long pitch = (long) p.tileColumns * bytes;
    long paddedRows = ((long) m1 - m0 + p.rows - 1) / p.rows * p.rows;
    NativeMemory.ALL.asSlice(tile, paddedRows * pitch).fill((byte) 0);
    for (int k0 = 0; k0 < p.k; k0 += GemmPlan.KC) {
      int length = Math.min(GemmPlan.KC, p.k - k0);
      for (int n = n0; n < n1; n += p.columns) {
        long b =
            packedRight
                + (batch * rightPanels + n / p.columns) * rightPanelBytes
                + (long) k0 * p.columns * bytes;
        int across = (Math.min(p.columns, n1 - n) + p.lanes - 1) / p.lanes;
        MicroKernel kernel = kernels[across - 1];
        for (int m = m0; m < m1; m += p.rows) {
          long a = packedLeft + (batch * leftPanels + m / p.rows) * leftPanelBytes;
          a +=
              leftByRow
                  ? (long) (k0 / GemmPlan.KC) * p.rows * rowStride()
                  : (long) k0 * p.rows * bytes;
          kernel.run(a, b, tile + (m - m0) * pitch + (long) (n - n0) * bytes, length);
        }
      }
    }
    // The epilogue numbers sums by their place in the whole matrix.
    long[] params = new long[addresses.length + 1];
    System.arraycopy(addresses, 0, params, 0, addresses.length);
    params[addresses.length] = tile - (long) m0 * pitch - (long) n0 * bytes;
    for (int m = m0; m < m1; m++) {
      long row = ((firstBatch + batch) * p.m + m) * p.n;
      p.epilogue.code.run(params, scratch, row + n0, row + n1);
    }
  }
}
