package tapedeck.cpu.gemm;

import tapedeck.cpu.math.Memory;

/**
 * Products one side of which is at most {@link #FEW} long: packing the other factor would take
 * longer than multiplying it, so it is read where it lies. If it is n that is small, the transposed
 * product is computed: X (few x k) is then B transposed and Y (k x many) A transposed.
 */
final class SkinnyProduct {
  static final int FEW = 12;

  /** Deeper products are summed in slices instead. */
  static final int DEEP = 1 << 16;

  /**
   * Depth that is multiplied at a time where one task has all columns: both factors' parts stay in
   * the first-level cache.
   */
  private static final int SLICE = 512;

  /** Columns of the product that make a task. */
  private static final int CHUNK = 256;

  /** Columns of Y that stay in the cache while groups of X pass. */
  private static final int STRIP = 64;

  /**
   * Bytes of Y that are computed or copied at a time, where it does not lie in memory as needed.
   */
  private static final int COPIED = 256 << 10;

  private final boolean f64;
  private final int size;
  private final boolean transposed;
  private final int few;
  private final int many;
  private final int k;
  private final Operand x;
  private final Operand y;
  private final Epilogue epilogue;

  /** Whether rows of the given Y are read along k, rather than along its columns. */
  private final boolean alongDepth;

  private final int chunk;
  private long rows;

  /** X in groups of four rows, by columns: an array of the type at hand. */
  private Object columns;

  private SkinnyProduct(boolean f64, int m, int n, int k, Operand a, Operand b, Epilogue epilogue) {
    this.f64 = f64;
    this.size = f64 ? 8 : 4;
    this.transposed = n < m;
    this.few = Math.min(m, n);
    this.many = Math.max(m, n);
    this.k = k;
    this.x = transposed ? b : a;
    this.y = transposed ? a : b;
    this.epilogue = epilogue;
    this.alongDepth =
        switch (y) {
          case Operand.Strided s -> (transposed ? s.colStride() : s.rowStride()) == 1;
          case Operand.Computed _ -> transposed;
        };
    boolean copied =
        switch (y) {
          case Operand.Strided s ->
              !alongDepth && (transposed ? s.rowStride() : s.colStride()) != 1;
          case Operand.Computed _ -> true;
        };
    this.chunk = copied ? Math.clamp(COPIED / ((long) k * size) / 16 * 16, 16, CHUNK) : CHUNK;
  }

  static void run(
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      Parallel parallel) {
    SkinnyProduct p = new SkinnyProduct(f64, m, n, k, a, b, epilogue);
    if (!p.alongDepth && p.many <= p.chunk && k > SLICE) {
      p.bySlices();
    } else {
      p.packX(0, k);
      parallel.run((p.many + p.chunk - 1) / p.chunk, p::chunk);
    }
  }

  private void bySlices() {
    long out = out();
    for (int from = 0; from < k; from += SLICE) {
      int deep = Math.min(SLICE, k - from);
      packX(from, deep);
      part(0, many, from, deep, out);
    }
    finish(out, 0, many);
  }

  /** Brings a part of X into rows, or into groups of four rows, by columns. */
  private void packX(int start, int deep) {
    Workspace mine = Workspace.get();
    long at;
    long rowStride;
    long colStride;
    switch (x) {
      case Operand.Strided s -> {
        rowStride = transposed ? s.colStride() : s.rowStride();
        colStride = transposed ? s.rowStride() : s.colStride();
        at = s.address() + start * colStride * size;
      }
      case Operand.Computed c -> {
        at = mine.fill.bytes((long) few * deep * size);
        if (transposed) {
          c.filler().fill(at, few, start, deep, 0, few);
        } else {
          c.filler().fill(at, deep, 0, few, start, deep);
        }
        rowStride = transposed ? 1 : deep;
        colStride = transposed ? few : 1;
      }
    }
    if (alongDepth) {
      rows = mine.b.bytes((long) few * deep * size);
      copy(at, rowStride, colStride, few, deep, rows);
      return;
    }
    int groups = (few + 3) / 4;
    columns = f64 ? mine.columns64(4 * groups * deep) : mine.columns32(4 * groups * deep);
    for (int g = 0; g < groups; g++) {
      long from = at + 4L * g * rowStride * size;
      int valid = Math.min(4, few - 4 * g);
      if (f64) {
        group64(from, 8 * rowStride, 8 * colStride, valid, deep, (double[]) columns, 4 * g * deep);
      } else {
        group32(from, 4 * rowStride, 4 * colStride, valid, deep, (float[]) columns, 4 * g * deep);
      }
    }
  }

  private static void group32(
      long from, long row, long col, int valid, int deep, float[] to, int at) {
    for (int p = 0; p < deep; p++) {
      long src = from + p * col;
      to[at + 4 * p] = Memory.getFloat(src);
      to[at + 4 * p + 1] = valid > 1 ? Memory.getFloat(src + row) : 0;
      to[at + 4 * p + 2] = valid > 2 ? Memory.getFloat(src + 2 * row) : 0;
      to[at + 4 * p + 3] = valid > 3 ? Memory.getFloat(src + 3 * row) : 0;
    }
  }

  private static void group64(
      long from, long row, long col, int valid, int deep, double[] to, int at) {
    for (int p = 0; p < deep; p++) {
      long src = from + p * col;
      to[at + 4 * p] = Memory.getDouble(src);
      to[at + 4 * p + 1] = valid > 1 ? Memory.getDouble(src + row) : 0;
      to[at + 4 * p + 2] = valid > 2 ? Memory.getDouble(src + 2 * row) : 0;
      to[at + 4 * p + 3] = valid > 3 ? Memory.getDouble(src + 3 * row) : 0;
    }
  }

  /** Copies a strided matrix to rows without gaps. */
  private void copy(long src, long rowStride, long colStride, int height, int width, long dst) {
    for (int r = 0; r < height; r++) {
      long from = src + r * rowStride * size;
      long to = dst + (long) r * width * size;
      if (colStride == 1) {
        Memory.copy(from, to, (long) width * size);
      } else if (f64) {
        for (int c = 0; c < width; c++) {
          Memory.putDouble(to + 8L * c, Memory.getDouble(from + 8L * c * colStride));
        }
      } else {
        for (int c = 0; c < width; c++) {
          Memory.putFloat(to + 4L * c, Memory.getFloat(from + 4L * c * colStride));
        }
      }
    }
  }

  /** Computes one chunk of the long side and hands it on. */
  private void chunk(int task) {
    int first = task * chunk;
    int count = Math.min(chunk, many - first);
    long out = out();
    part(first, count, 0, k, out);
    finish(out, first, count);
  }

  /** Room for a chunk of the product, and for the same transposed. */
  private long out() {
    return Workspace.get().c.bytes(2L * tall() * CHUNK * size);
  }

  private int tall() {
    return (few + 3) / 4 * 4;
  }

  /** Computes a chunk for a part of the depth, which is added unless it is the first. */
  private void part(int first, int count, int from, int deep, long out) {
    Workspace mine = Workspace.get();
    long at;
    long pitch;
    switch (y) {
      case Operand.Strided s -> {
        long along = transposed ? s.colStride() : s.rowStride();
        long across = transposed ? s.rowStride() : s.colStride();
        at = s.address() + (first * across + from * along) * size;
        pitch = alongDepth ? across : along;
        if (!alongDepth && across != 1) {
          long copied = mine.chunk.bytes((long) deep * count * size);
          copy(at, along, across, deep, count, copied);
          at = copied;
          pitch = count;
        }
      }
      case Operand.Computed c -> {
        at = mine.chunk.bytes((long) deep * count * size);
        if (transposed) {
          c.filler().fill(at, deep, first, count, from, deep);
          pitch = deep;
        } else {
          c.filler().fill(at, count, from, deep, first, count);
          pitch = count;
        }
      }
    }
    long ld = (long) count * size;
    for (int j = 0; j < count; j += STRIP) {
      int wide = Math.min(STRIP, count - j);
      long to = out + (long) j * size;
      if (alongDepth) {
        dots(at + j * pitch * size, pitch * size, wide, to, ld, mine);
      } else {
        columns(at + (long) j * size, pitch * size, wide, deep, to, ld, from > 0, mine);
      }
    }
  }

  private void finish(long out, int first, int count) {
    if (transposed) {
      long turned = out + (long) tall() * CHUNK * size;
      copy(out, 1, count, count, few, turned);
      epilogue.tile(turned, few, first, count, 0, few);
    } else {
      epilogue.tile(out, count, 0, few, first, count);
    }
  }

  /** Products of X's rows with count rows at y. */
  private void dots(long y, long pitch, int count, long out, long ld, Workspace mine) {
    long deep = (long) k * size;
    for (int g = 0; g < few; g += 4) {
      int tall = Math.min(4, few - g);
      long row = rows + g * deep;
      long to = out + g * ld;
      Dots.multiply(f64, row, deep, tall, y, pitch, count, k, to, ld, mine.tile);
    }
  }

  /** Products of X with count columns at y. */
  private void columns(
      long y, long pitch, int count, int deep, long out, long ld, boolean add, Workspace mine) {
    int lanes = (f64 ? Blocking.F64 : Blocking.F32).lanes();
    int j = 0;
    while (j <= count - lanes) {
      int vectors = j <= count - 4 * lanes ? 4 : 1;
      Tile tile = new Tile.Form(f64, false, false, 4, vectors).tile().best();
      for (int g = 0; g < few; g += 4) {
        long to = out + g * ld + (long) j * size;
        tile.run(columns, g * deep, 0, deep, y + (long) j * size, pitch, to, ld, add);
      }
      j += vectors * lanes;
    }
    if (j < count) {
      long from = y + (long) j * size;
      rest(from, pitch, count - j, deep, lanes, out + (long) j * size, ld, add, mine);
    }
  }

  /** As {@link #columns} for less than a vector, which must not be read beyond its end. */
  private void rest(
      long y,
      long pitch,
      int count,
      int deep,
      int lanes,
      long out,
      long ld,
      boolean add,
      Workspace mine) {
    long packed = mine.b.bytes((long) deep * lanes * size);
    Tile tile = new Tile.Form(f64, false, true, 4, 1).tile().best();
    if (f64) {
      Packing.STRIPS64.best().run(y, pitch, count, 0, deep, deep, packed);
    } else {
      Packing.STRIPS32.best().run(y, pitch, count, 0, deep, deep, packed);
    }
    for (int g = 0; g < few; g += 4) {
      int tall = Math.min(4, few - g);
      long ldTile = 2L * lanes * size;
      tile.run(columns, g * deep, 0, deep, packed, (long) lanes * size, mine.tile, ldTile, false);
      if (f64) {
        Lanes.flush64(mine.tile, out + g * ld, ld, tall, count, add);
      } else {
        Lanes.flush32(mine.tile, out + g * ld, ld, tall, count, add);
      }
    }
  }
}
