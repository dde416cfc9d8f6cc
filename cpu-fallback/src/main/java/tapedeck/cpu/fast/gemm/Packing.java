package tapedeck.cpu.fast.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.fast.math.Memory;

/** Copies parts of operands into panels: depth groups of width elements, without gaps. */
final class Packing {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;

  private Packing() {}

  /**
   * Packs one panel of float64: element (w, d) of the source is at {@code src} plus {@code w *
   * widthStride + d * depthStride} elements. Only valid of width elements are there, the others are
   * set to 0.
   */
  static void panel64(
      long src, long widthStride, long depthStride, int valid, int width, int depth, long dst) {
    if (widthStride == 1 && valid == width && width * 8 % BYTES.length() == 0) {
      rows(src, 8 * depthStride, 8 * width, depth, dst);
      return;
    }
    long ws = 8 * widthStride;
    long ds = 8 * depthStride;
    for (int w = 0; w < width; w++) {
      long from = src + w * ws;
      long to = dst + 8L * w;
      for (int d = 0; d < depth; d++) {
        Memory.putDouble(to, w < valid ? Memory.getDouble(from) : 0);
        from += ds;
        to += 8L * width;
      }
    }
  }

  /** As {@link #panel64}, of float32. */
  static void panel32(
      long src, long widthStride, long depthStride, int valid, int width, int depth, long dst) {
    if (widthStride == 1 && valid == width && width * 4 % BYTES.length() == 0) {
      rows(src, 4 * depthStride, 4 * width, depth, dst);
      return;
    }
    long ws = 4 * widthStride;
    long ds = 4 * depthStride;
    for (int w = 0; w < width; w++) {
      long from = src + w * ws;
      long to = dst + 4L * w;
      for (int d = 0; d < depth; d++) {
        Memory.putFloat(to, w < valid ? Memory.getFloat(from) : 0);
        from += ds;
        to += 4L * width;
      }
    }
  }

  /** As {@link #panel64}, into an array from index at on. */
  static void array64(
      long src,
      long widthStride,
      long depthStride,
      int valid,
      int width,
      int depth,
      double[] dst,
      int at) {
    long ds = 8 * depthStride;
    for (int w = 0; w < width; w++) {
      long from = src + 8 * w * widthStride;
      int to = at + w;
      for (int d = 0; d < depth; d++) {
        dst[to] = w < valid ? Memory.getDouble(from) : 0;
        from += ds;
        to += width;
      }
    }
  }

  /** As {@link #panel32}, into an array from index at on. */
  static void array32(
      long src,
      long widthStride,
      long depthStride,
      int valid,
      int width,
      int depth,
      float[] dst,
      int at) {
    long ds = 4 * depthStride;
    for (int w = 0; w < width; w++) {
      long from = src + 4 * w * widthStride;
      int to = at + w;
      for (int d = 0; d < depth; d++) {
        dst[to] = w < valid ? Memory.getFloat(from) : 0;
        from += ds;
        to += width;
      }
    }
  }

  private static void rows(long src, long pitch, int bytes, int depth, long dst) {
    for (int d = 0; d < depth; d++) {
      for (int i = 0; i < bytes; i += BYTES.length()) {
        ByteVector.fromMemorySegment(BYTES, Memory.ALL, src + i, nativeOrder())
            .intoMemorySegment(Memory.ALL, dst + i, nativeOrder());
      }
      src += pitch;
      dst += bytes;
    }
  }
}
