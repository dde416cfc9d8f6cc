package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/** Copies parts of operands to where tiles read them. */
final class Packing {
  /** As high as a tile or as a part of it, or as long as vectors are. */
  private static final VectorSpecies<Float> HEIGHT32 =
      VectorSpecies.of(float.class, shape(32 * Integer.highestOneBit(Blocking.F32.mr())));

  private static final VectorSpecies<Double> HEIGHT64 =
      VectorSpecies.of(double.class, shape(64 * Integer.highestOneBit(Blocking.F64.mr())));

  /** For the two rows of six that are left. */
  private static final VectorSpecies<Float> REST32 = FloatVector.SPECIES_64;

  private static final VectorSpecies<Double> REST64 = DoubleVector.SPECIES_128;

  /**
   * Columns that panels of A get in turns: panels often lie a power of two apart, and more of their
   * unfinished lines than these would not stay in the cache.
   */
  private static final int COLUMNS = 8;

  /** Packs rows into panels. */
  @FunctionalInterface
  interface Strips {
    /**
     * Packs count rows of a matrix, pitch bytes apart, into panels of two vectors and depth rows:
     * from row first of the panels on. The last panel is one vector wide if no more are needed;
     * what is missing of a vector is set to 0.
     */
    void run(long src, long pitch, int cols, int first, int count, int depth, long dst);
  }

  static final Rehearsal<Strips> STRIPS32 = strips(4, Lanes.F32.length(), Packing::vectors32);
  static final Rehearsal<Strips> STRIPS64 = strips(8, Lanes.F64.length(), Packing::vectors64);

  /** Packs what lies by columns. */
  @FunctionalInterface
  interface Columns {
    /**
     * Packs count panels side by side of matrices of height rows into an array of the element type:
     * element (r, d) of the source is at {@code src} plus {@code r + d * depthStride} elements.
     */
    void run(long src, long depthStride, int count, int height, int depth, Object dst);
  }

  static final Rehearsal<Columns> COLUMNS32 = columns(false, Packing::columns32);
  static final Rehearsal<Columns> COLUMNS64 = columns(true, Packing::columns64);

  private Packing() {}

  private static Rehearsal<Columns> columns(boolean f64, Columns vectors) {
    int height = (f64 ? Blocking.F64 : Blocking.F32).mr();
    int depth = 2 * COLUMNS + 1;
    int elements = 2 * Tile.Form.columnStep(height) * depth;
    Object some = f64 ? new double[elements] : new float[elements];
    return new Rehearsal<>(
        (src, depthStride, count, rows, deep, dst) -> {
          for (int p = 0; p < count; p++) {
            int at = p * deep * Tile.Form.columnStep(rows);
            if (f64) {
              panel64(src + 8L * p * rows, 1, depthStride, rows, rows, deep, (double[]) dst, at);
            } else {
              panel32(src + 4L * p * rows, 1, depthStride, rows, rows, deep, (float[]) dst, at);
            }
          }
        },
        () -> vectors,
        (code, memory, i) -> code.run(memory, 2L * height, 2, height, depth - i % 2, some));
  }

  private static Rehearsal<Strips> strips(int size, int lanes, Strips vectors) {
    return new Rehearsal<>(
        (src, pitch, cols, first, count, depth, dst) ->
            copies((long) size * lanes, size, src, pitch, cols, first, count, depth, dst),
        () -> vectors,
        // two panels, or one and a part of one
        (code, memory, i) ->
            code.run(memory, 0, i % 4 == 0 ? 3 * lanes - 1 : 4 * lanes, 0, 2, 2, memory));
  }

  private static void copies(
      long vector,
      int size,
      long src,
      long pitch,
      int cols,
      int first,
      int count,
      int depth,
      long dst) {
    long bytes = (long) cols * size;
    for (int d = 0; d < count; d++) {
      for (long at = 0; at < bytes; at += 2 * vector) {
        long wide = bytes - at > vector ? 2 * vector : vector;
        long there = Math.min(wide, bytes - at);
        long to = dst + at * depth + wide * (first + d);
        Memory.copy(src + d * pitch + at, to, there);
        Memory.zero(to + there, wide - there);
      }
    }
  }

  private static VectorShape shape(int bits) {
    return VectorShape.forBitSize(Math.min(bits, Lanes.F32.vectorBitSize()));
  }

  /**
   * Packs one panel of width columns into native memory, by rows: element (d, w) of the source is
   * at {@code src} plus {@code d * depthStride + w * widthStride} elements. Only valid columns are
   * there, the others are set to 0.
   */
  static void panel(
      boolean f64,
      long src,
      long widthStride,
      long depthStride,
      int valid,
      int width,
      int depth,
      long dst) {
    long size = f64 ? 8 : 4;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    int turned = depthStride == 1 && depth >= lanes ? valid / lanes * lanes : 0;
    Turn turn = (f64 ? Turn.F64 : Turn.F32).best();
    for (int w = 0; w < turned; w += lanes) {
      long from = src + w * widthStride * size;
      long to = dst + w * size;
      turn.run(from, widthStride * size, to, width * size, depth / lanes);
      if (depth % lanes > 0) {
        // the last vectors, some elements of which have been turned already
        long last = (long) depth - lanes;
        turn.run(from + last * size, widthStride * size, to + last * width * size, width * size, 1);
      }
    }
    for (int d = 0; d < depth; d++) {
      for (int w = turned; w < width; w++) {
        long from = src + (d * depthStride + w * widthStride) * size;
        long to = dst + ((long) d * width + w) * size;
        if (f64) {
          Memory.putDouble(to, w < valid ? Memory.getDouble(from) : 0);
        } else {
          Memory.putFloat(to, w < valid ? Memory.getFloat(from) : 0);
        }
      }
    }
  }

  private static void vectors32(
      long src, long pitch, int cols, int first, int count, int depth, long dst) {
    int lanes = Lanes.F32.length();
    long bytes = Lanes.F32.vectorByteSize();
    int whole = cols / (2 * lanes);
    int rest = cols - 2 * lanes * whole;
    long panel = 2 * bytes * depth;
    int vectors = (rest + lanes - 1) / lanes;
    VectorMask<Float> mask = Lanes.F32.indexInRange(0, rest - lanes * (vectors - 1));
    for (int d = first; d < first + count; d++) {
      long from = src + (d - first) * pitch;
      long to = dst + 2 * bytes * d;
      for (int p = 0; p < whole; p++) {
        Lanes.load32(from).intoMemorySegment(Memory.ALL, to, nativeOrder());
        Lanes.load32(from + bytes).intoMemorySegment(Memory.ALL, to + bytes, nativeOrder());
        from += 2 * bytes;
        to += panel;
      }
      if (vectors == 2) {
        Lanes.load32(from).intoMemorySegment(Memory.ALL, to, nativeOrder());
        Lanes.load32(from + bytes, mask).intoMemorySegment(Memory.ALL, to + bytes, nativeOrder());
      } else if (vectors == 1) {
        to = dst + whole * panel + bytes * d;
        Lanes.load32(from, mask).intoMemorySegment(Memory.ALL, to, nativeOrder());
      }
    }
  }

  private static void vectors64(
      long src, long pitch, int cols, int first, int count, int depth, long dst) {
    int lanes = Lanes.F64.length();
    long bytes = Lanes.F64.vectorByteSize();
    int whole = cols / (2 * lanes);
    int rest = cols - 2 * lanes * whole;
    long panel = 2 * bytes * depth;
    int vectors = (rest + lanes - 1) / lanes;
    VectorMask<Double> mask = Lanes.F64.indexInRange(0, rest - lanes * (vectors - 1));
    for (int d = first; d < first + count; d++) {
      long from = src + (d - first) * pitch;
      long to = dst + 2 * bytes * d;
      for (int p = 0; p < whole; p++) {
        Lanes.load64(from).intoMemorySegment(Memory.ALL, to, nativeOrder());
        Lanes.load64(from + bytes).intoMemorySegment(Memory.ALL, to + bytes, nativeOrder());
        from += 2 * bytes;
        to += panel;
      }
      if (vectors == 2) {
        Lanes.load64(from).intoMemorySegment(Memory.ALL, to, nativeOrder());
        Lanes.load64(from + bytes, mask).intoMemorySegment(Memory.ALL, to + bytes, nativeOrder());
      } else if (vectors == 1) {
        to = dst + whole * panel + bytes * d;
        Lanes.load64(from, mask).intoMemorySegment(Memory.ALL, to, nativeOrder());
      }
    }
  }

  private static void columns32(
      long src, long depthStride, int count, int height, int depth, Object array) {
    float[] dst = (float[]) array;
    int step = Tile.Form.columnStep(height);
    for (int d0 = 0; d0 < depth; d0 += COLUMNS) {
      int end = Math.min(depth, d0 + COLUMNS);
      for (int p = 0; p < count; p++) {
        long from = src + 4L * (d0 * depthStride + (long) p * height);
        int to = (p * depth + d0) * step;
        int r = 0;
        for (; r <= height - HEIGHT32.length(); r += HEIGHT32.length()) {
          tall32(from + 4L * r, 4L * depthStride, end - d0, dst, to + r, step);
        }
        for (; r < height; r += REST32.length()) {
          rest32(from + 4L * r, 4L * depthStride, end - d0, dst, to + r, step);
        }
      }
    }
  }

  private static void tall32(long from, long pitch, int count, float[] dst, int to, int step) {
    for (int d = 0; d < count; d++) {
      FloatVector.fromMemorySegment(HEIGHT32, Memory.ALL, from + d * pitch, nativeOrder())
          .intoArray(dst, to + d * step);
    }
  }

  private static void rest32(long from, long pitch, int count, float[] dst, int to, int step) {
    for (int d = 0; d < count; d++) {
      FloatVector.fromMemorySegment(REST32, Memory.ALL, from + d * pitch, nativeOrder())
          .intoArray(dst, to + d * step);
    }
  }

  private static void columns64(
      long src, long depthStride, int count, int height, int depth, Object array) {
    double[] dst = (double[]) array;
    int step = Tile.Form.columnStep(height);
    for (int d0 = 0; d0 < depth; d0 += COLUMNS) {
      int end = Math.min(depth, d0 + COLUMNS);
      for (int p = 0; p < count; p++) {
        long from = src + 8L * (d0 * depthStride + (long) p * height);
        int to = (p * depth + d0) * step;
        int r = 0;
        for (; r <= height - HEIGHT64.length(); r += HEIGHT64.length()) {
          tall64(from + 8L * r, 8L * depthStride, end - d0, dst, to + r, step);
        }
        for (; r < height; r += REST64.length()) {
          rest64(from + 8L * r, 8L * depthStride, end - d0, dst, to + r, step);
        }
      }
    }
  }

  private static void tall64(long from, long pitch, int count, double[] dst, int to, int step) {
    for (int d = 0; d < count; d++) {
      DoubleVector.fromMemorySegment(HEIGHT64, Memory.ALL, from + d * pitch, nativeOrder())
          .intoArray(dst, to + d * step);
    }
  }

  private static void rest64(long from, long pitch, int count, double[] dst, int to, int step) {
    for (int d = 0; d < count; d++) {
      DoubleVector.fromMemorySegment(REST64, Memory.ALL, from + d * pitch, nativeOrder())
          .intoArray(dst, to + d * step);
    }
  }

  /**
   * Packs one panel of height rows into an array from index at on, by columns: element (r, d) of
   * the source is at {@code src} plus {@code r * rowStride + d * depthStride} elements. Only valid
   * rows are there, the others are set to 0.
   */
  static void panel32(
      long src,
      long rowStride,
      long depthStride,
      int valid,
      int height,
      int depth,
      float[] dst,
      int at) {
    int step = Tile.Form.columnStep(height);
    for (int d = 0; d < depth; d++) {
      long from = src + 4L * d * depthStride;
      for (int r = 0; r < height; r++) {
        dst[at + d * step + r] = r < valid ? Memory.getFloat(from + 4L * r * rowStride) : 0;
      }
    }
  }

  /** As {@link #panel32}. */
  static void panel64(
      long src,
      long rowStride,
      long depthStride,
      int valid,
      int height,
      int depth,
      double[] dst,
      int at) {
    int step = Tile.Form.columnStep(height);
    for (int d = 0; d < depth; d++) {
      long from = src + 8L * d * depthStride;
      for (int r = 0; r < height; r++) {
        dst[at + d * step + r] = r < valid ? Memory.getDouble(from + 8L * r * rowStride) : 0;
      }
    }
  }

  /**
   * Copies rows to an array from index at on, lda elements apart; up to a whole vector of others
   * may follow.
   */
  static void rows32(long src, long rowStride, int rows, int depth, float[] dst, int at, int lda) {
    for (int r = 0; r < rows; r++) {
      Memory.copy(src + 4L * r * rowStride, dst, at + r * lda, depth);
    }
  }

  /** As {@link #rows32}. */
  static void rows64(long src, long rowStride, int rows, int depth, double[] dst, int at, int lda) {
    for (int r = 0; r < rows; r++) {
      Memory.copy(src + 8L * r * rowStride, dst, at + r * lda, depth);
    }
  }
}
