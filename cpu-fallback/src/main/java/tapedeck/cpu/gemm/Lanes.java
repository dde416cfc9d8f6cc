package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/** Vectors in native memory. */
final class Lanes {
  static final VectorSpecies<Float> F32 = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Double> F64 = DoubleVector.SPECIES_PREFERRED;

  /** For {@code selectFrom}: lanes of the lower or the higher halves of two vectors in turns. */
  static final FloatVector LOW32 = FloatVector.fromArray(F32, zip32(0), 0);

  static final FloatVector HIGH32 = FloatVector.fromArray(F32, zip32(1), 0);
  static final DoubleVector LOW64 = DoubleVector.fromArray(F64, zip64(0), 0);
  static final DoubleVector HIGH64 = DoubleVector.fromArray(F64, zip64(1), 0);

  /** For {@code rearrange}: lanes of the lower or the higher half, each twice. */
  static final VectorShuffle<Double> TWICE_LOW64 = VectorShuffle.fromOp(F64, i -> i / 2);

  static final VectorShuffle<Double> TWICE_HIGH64 =
      VectorShuffle.fromOp(F64, i -> (F64.length() + i) / 2);

  static final VectorMask<Double> ODD64 = VectorMask.fromLong(F64, 0xAAAAAAAAAAAAAAAAL);

  private Lanes() {}

  private static double[] zip64(int half) {
    return zip(F64.length(), half).toArray();
  }

  private static float[] zip32(int half) {
    double[] d = zip(F32.length(), half).toArray();
    float[] f = new float[d.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) d[i];
    }
    return f;
  }

  private static DoubleStream zip(int lanes, int half) {
    return IntStream.range(0, lanes).mapToDouble(i -> half * lanes / 2 + i / 2 + i % 2 * lanes);
  }

  static FloatVector load32(long address) {
    return FloatVector.fromMemorySegment(F32, Memory.ALL, address, nativeOrder());
  }

  /** Loads the lanes that a mask has. */
  static FloatVector load32(long address, VectorMask<Float> mask) {
    return FloatVector.fromMemorySegment(F32, Memory.ALL, address, nativeOrder(), mask);
  }

  static DoubleVector load64(long address) {
    return DoubleVector.fromMemorySegment(F64, Memory.ALL, address, nativeOrder());
  }

  /** Loads the lanes that a mask has. */
  static DoubleVector load64(long address, VectorMask<Double> mask) {
    return DoubleVector.fromMemorySegment(F64, Memory.ALL, address, nativeOrder(), mask);
  }

  /**
   * Copies rows of a tile, two vectors apart, to c (ld bytes apart), or adds them; of each, the
   * first cols elements.
   */
  static void flush32(long tile, long c, long ld, int rows, int cols, boolean add) {
    for (int j = 0; j < cols; j += F32.length()) {
      VectorMask<Float> mask = F32.indexInRange(j, cols);
      long from = tile + 4L * j;
      long to = c + 4L * j;
      for (int r = 0; r < rows; r++) {
        FloatVector v = load32(from);
        if (add) {
          v = v.add(load32(to, mask));
        }
        v.intoMemorySegment(Memory.ALL, to, nativeOrder(), mask);
        from += 2L * F32.vectorByteSize();
        to += ld;
      }
    }
  }

  /** As {@link #flush32}. */
  static void flush64(long tile, long c, long ld, int rows, int cols, boolean add) {
    for (int j = 0; j < cols; j += F64.length()) {
      VectorMask<Double> mask = F64.indexInRange(j, cols);
      long from = tile + 8L * j;
      long to = c + 8L * j;
      for (int r = 0; r < rows; r++) {
        DoubleVector v = load64(from);
        if (add) {
          v = v.add(load64(to, mask));
        }
        v.intoMemorySegment(Memory.ALL, to, nativeOrder(), mask);
        from += 2L * F64.vectorByteSize();
        to += ld;
      }
    }
  }
}
