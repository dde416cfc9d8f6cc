package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/**
 * Copies parts of operands into panels: depth groups of width elements, without gaps. An instance
 * has scratch memory of one thread.
 */
final class Packing {
  private static final VectorSpecies<Float> FEW32 = FloatVector.SPECIES_128;
  private static final VectorSpecies<Double> FEW64 = DoubleVector.SPECIES_128;

  /** As high as a tile, or as long as vectors are. */
  private static final VectorSpecies<Float> HEIGHT32 =
      VectorSpecies.of(float.class, shape(32 * Blocking.F32.mr()));

  private static final VectorSpecies<Double> HEIGHT64 =
      VectorSpecies.of(double.class, shape(64 * Blocking.F64.mr()));

  /** Bytes of scratch arrays, of which two fit in the first-level cache. */
  private static final int SCRATCH = 12 << 10;

  /** Rows before and after they are turned to columns. */
  private final float[] rows32 = new float[SCRATCH / 4];

  private final float[] turned32 = new float[SCRATCH / 4];
  private final double[] rows64 = new double[SCRATCH / 8];
  private final double[] turned64 = new double[SCRATCH / 8];

  private static VectorShape shape(int bits) {
    return VectorShape.forBitSize(Math.min(bits, Lanes.F32.vectorBitSize()));
  }

  /**
   * Packs one panel of float64 into native memory: element (w, d) of the source is at {@code src}
   * plus {@code w * widthStride + d * depthStride} elements. Only valid of width elements are
   * there, the others are set to 0.
   */
  void panel64(
      long src, long widthStride, long depthStride, int valid, int width, int depth, long dst) {
    int step = turned64.length / width;
    for (int d = 0; d < depth; d += step) {
      int n = Math.min(step, depth - d);
      long from = src + 8L * d * depthStride;
      array64(from, widthStride, depthStride, valid, width, n, turned64, 0);
      MemorySegment.copy(
          turned64,
          0,
          Memory.ALL,
          ValueLayout.JAVA_DOUBLE_UNALIGNED,
          dst + 8L * d * width,
          n * width);
    }
  }

  /** As {@link #panel64}, into an array from index at on. */
  void array64(
      long src,
      long widthStride,
      long depthStride,
      int valid,
      int width,
      int depth,
      double[] dst,
      int at) {
    long ws = 8 * widthStride;
    long ds = 8 * depthStride;
    if (depthStride == 1) {
      int step = Math.min(rows64.length / width, depth);
      for (int d = 0; d < depth; d += step) {
        int n = Math.min(step, depth - d);
        for (int w = 0; w < valid; w++) {
          MemorySegment.copy(
              Memory.ALL,
              ValueLayout.JAVA_DOUBLE_UNALIGNED,
              src + w * ws + 8L * d,
              rows64,
              w * n,
              n);
        }
        Arrays.fill(rows64, valid * n, width * n, 0);
        turn64(n, width, dst, at + d * width);
      }
      return;
    }
    if (valid < width) {
      Arrays.fill(dst, at, at + depth * width, 0);
    }
    for (int d = 0; d < depth; d++) {
      long from = src + d * ds;
      int to = at + d * width;
      int w = 0;
      if (widthStride == 1) {
        for (; w <= valid - FEW64.length(); w += FEW64.length()) {
          DoubleVector.fromMemorySegment(FEW64, Memory.ALL, from + 8L * w, nativeOrder())
              .intoArray(dst, to + w);
        }
      }
      for (; w < valid; w++) {
        dst[to + w] = Memory.getDouble(from + w * ws);
      }
    }
  }

  /** Writes the columns of a width x depth matrix one after the other. */
  private void turn64(int depth, int width, double[] dst, int at) {
    double[] src = rows64;
    int w = 0;
    for (; w <= width - 4; w += 4) {
      int first = w * depth;
      int to = at + w;
      for (int d = first; d < first + depth; d++) {
        dst[to] = src[d];
        dst[to + 1] = src[d + depth];
        dst[to + 2] = src[d + 2 * depth];
        dst[to + 3] = src[d + 3 * depth];
        to += width;
      }
    }
    for (; w < width; w++) {
      for (int d = 0; d < depth; d++) {
        dst[at + w + d * width] = src[w * depth + d];
      }
    }
  }

  /**
   * Packs one panel of float32 into native memory: element (w, d) of the source is at {@code src}
   * plus {@code w * widthStride + d * depthStride} elements. Only valid of width elements are
   * there, the others are set to 0.
   */
  void panel32(
      long src, long widthStride, long depthStride, int valid, int width, int depth, long dst) {
    int step = turned32.length / width;
    for (int d = 0; d < depth; d += step) {
      int n = Math.min(step, depth - d);
      long from = src + 4L * d * depthStride;
      array32(from, widthStride, depthStride, valid, width, n, turned32, 0);
      MemorySegment.copy(
          turned32,
          0,
          Memory.ALL,
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          dst + 4L * d * width,
          n * width);
    }
  }

  /** As {@link #panel32}, into an array from index at on. */
  void array32(
      long src,
      long widthStride,
      long depthStride,
      int valid,
      int width,
      int depth,
      float[] dst,
      int at) {
    long ws = 4 * widthStride;
    long ds = 4 * depthStride;
    if (depthStride == 1) {
      int step = Math.min(rows32.length / width, depth);
      for (int d = 0; d < depth; d += step) {
        int n = Math.min(step, depth - d);
        for (int w = 0; w < valid; w++) {
          MemorySegment.copy(
              Memory.ALL,
              ValueLayout.JAVA_FLOAT_UNALIGNED,
              src + w * ws + 4L * d,
              rows32,
              w * n,
              n);
        }
        Arrays.fill(rows32, valid * n, width * n, 0);
        turn32(n, width, dst, at + d * width);
      }
      return;
    }
    if (valid < width) {
      Arrays.fill(dst, at, at + depth * width, 0);
    }
    for (int d = 0; d < depth; d++) {
      long from = src + d * ds;
      int to = at + d * width;
      int w = 0;
      if (widthStride == 1) {
        for (; w <= valid - FEW32.length(); w += FEW32.length()) {
          FloatVector.fromMemorySegment(FEW32, Memory.ALL, from + 4L * w, nativeOrder())
              .intoArray(dst, to + w);
        }
      }
      for (; w < valid; w++) {
        dst[to + w] = Memory.getFloat(from + w * ws);
      }
    }
  }

  /** Writes the columns of a width x depth matrix one after the other. */
  private void turn32(int depth, int width, float[] dst, int at) {
    float[] src = rows32;
    int w = 0;
    for (; w <= width - 4; w += 4) {
      int first = w * depth;
      int to = at + w;
      for (int d = first; d < first + depth; d++) {
        dst[to] = src[d];
        dst[to + 1] = src[d + depth];
        dst[to + 2] = src[d + 2 * depth];
        dst[to + 3] = src[d + 3 * depth];
        to += width;
      }
    }
    for (; w < width; w++) {
      for (int d = 0; d < depth; d++) {
        dst[at + w + d * width] = src[w * depth + d];
      }
    }
  }

  /**
   * Packs the columns of a matrix of whole rows, pitch bytes apart, into panels of two vectors, the
   * last of one if no more are needed. What is missing of a vector is set to 0.
   */
  static void strips32(long src, long pitch, int cols, int depth, long dst) {
    int lanes = Lanes.F32.length();
    long bytes = Lanes.F32.vectorByteSize();
    int whole = cols / (2 * lanes);
    int rest = cols - 2 * lanes * whole;
    long panel = 2 * bytes * depth;
    int vectors = (rest + lanes - 1) / lanes;
    VectorMask<Float> mask = Lanes.F32.indexInRange(0, rest - lanes * (vectors - 1));
    for (int d = 0; d < depth; d++) {
      long from = src + d * pitch;
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

  /** As {@link #strips32}. */
  static void strips64(long src, long pitch, int cols, int depth, long dst) {
    int lanes = Lanes.F64.length();
    long bytes = Lanes.F64.vectorByteSize();
    int whole = cols / (2 * lanes);
    int rest = cols - 2 * lanes * whole;
    long panel = 2 * bytes * depth;
    int vectors = (rest + lanes - 1) / lanes;
    VectorMask<Double> mask = Lanes.F64.indexInRange(0, rest - lanes * (vectors - 1));
    for (int d = 0; d < depth; d++) {
      long from = src + d * pitch;
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

  /**
   * Packs count panels side by side of matrices of height rows into an array: element (r, d) of the
   * source is at {@code src} plus {@code r + d * depthStride} elements.
   */
  static void columns32(long src, long depthStride, int count, int height, int depth, float[] dst) {
    for (int d = 0; d < depth; d++) {
      long from = src + 4 * d * depthStride;
      for (int p = 0; p < count; p++) {
        int to = (p * depth + d) * height;
        for (int r = 0; r < height; r += HEIGHT32.length()) {
          FloatVector.fromMemorySegment(HEIGHT32, Memory.ALL, from, nativeOrder())
              .intoArray(dst, to + r);
          from += HEIGHT32.vectorByteSize();
        }
      }
    }
  }

  /** As {@link #columns32}. */
  static void columns64(
      long src, long depthStride, int count, int height, int depth, double[] dst) {
    for (int d = 0; d < depth; d++) {
      long from = src + 8 * d * depthStride;
      for (int p = 0; p < count; p++) {
        int to = (p * depth + d) * height;
        for (int r = 0; r < height; r += HEIGHT64.length()) {
          DoubleVector.fromMemorySegment(HEIGHT64, Memory.ALL, from, nativeOrder())
              .intoArray(dst, to + r);
          from += HEIGHT64.vectorByteSize();
        }
      }
    }
  }

  /** Copies rows to an array, lda elements apart; up to a whole vector of others may follow. */
  static void rows32(long src, long rowStride, int rows, int depth, float[] dst, int lda) {
    for (int r = 0; r < rows; r++) {
      long from = src + 4 * r * rowStride;
      int to = r * lda;
      int d = 0;
      for (; d <= depth - Lanes.F32.length(); d += Lanes.F32.length()) {
        Lanes.load32(from + 4L * d).intoArray(dst, to + d);
      }
      if (d < depth) {
        Lanes.load32(from + 4L * d, Lanes.F32.indexInRange(d, depth)).intoArray(dst, to + d);
      }
    }
  }

  /** As {@link #rows32}. */
  static void rows64(long src, long rowStride, int rows, int depth, double[] dst, int lda) {
    for (int r = 0; r < rows; r++) {
      long from = src + 8 * r * rowStride;
      int to = r * lda;
      int d = 0;
      for (; d <= depth - Lanes.F64.length(); d += Lanes.F64.length()) {
        Lanes.load64(from + 8L * d).intoArray(dst, to + d);
      }
      if (d < depth) {
        Lanes.load64(from + 8L * d, Lanes.F64.indexInRange(d, depth)).intoArray(dst, to + d);
      }
    }
  }
}
