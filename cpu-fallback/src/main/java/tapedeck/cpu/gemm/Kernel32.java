package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.math.Memory;

/**
 * The innermost loop of a float32 product: a tile of the result in registers. Every accumulator is
 * a variable of its own, since the JIT keeps no array in registers; with 32 vector registers 24 of
 * them fit beside the operands, with 16 there are 10: of 12 the JIT would spill some.
 */
final class Kernel32 {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final long BYTES = S.vectorByteSize();

  private Kernel32() {}

  /**
   * Writes to c, by rows, the product of an MR x depth and a depth x NR panel. The first begins at
   * a[from] and is stored by columns, the second at b by rows; nothing has gaps.
   */
  static void tile(float[] a, int from, int depth, long b, long c) {
    if (Blocking.TALL) {
      tile12(a, from, depth, b, c);
    } else {
      tile5(a, from, depth, b, c);
    }
  }

  /** Copies a tile to c (row pitch ld, in bytes), or adds it; cols of its NR columns are wanted. */
  static void flush(long tile, long c, long ld, int rows, int cols, boolean add) {
    for (int r = 0; r < rows; r++) {
      int j = 0;
      for (; j <= cols - S.length(); j += S.length()) {
        FloatVector v = FloatVector.fromMemorySegment(S, Memory.ALL, tile + 4L * j, nativeOrder());
        if (add) {
          v = v.add(FloatVector.fromMemorySegment(S, Memory.ALL, c + 4L * j, nativeOrder()));
        }
        v.intoMemorySegment(Memory.ALL, c + 4L * j, nativeOrder());
      }
      for (; j < cols; j++) {
        float v = Memory.getFloat(tile + 4L * j);
        Memory.putFloat(c + 4L * j, add ? v + Memory.getFloat(c + 4L * j) : v);
      }
      tile += 2 * BYTES;
      c += ld;
    }
  }

  private static void tile12(float[] a, int from, int depth, long b, long c) {
    FloatVector zero = FloatVector.zero(S);
    FloatVector c0_0 = zero;
    FloatVector c0_1 = zero;
    FloatVector c1_0 = zero;
    FloatVector c1_1 = zero;
    FloatVector c2_0 = zero;
    FloatVector c2_1 = zero;
    FloatVector c3_0 = zero;
    FloatVector c3_1 = zero;
    FloatVector c4_0 = zero;
    FloatVector c4_1 = zero;
    FloatVector c5_0 = zero;
    FloatVector c5_1 = zero;
    FloatVector c6_0 = zero;
    FloatVector c6_1 = zero;
    FloatVector c7_0 = zero;
    FloatVector c7_1 = zero;
    FloatVector c8_0 = zero;
    FloatVector c8_1 = zero;
    FloatVector c9_0 = zero;
    FloatVector c9_1 = zero;
    FloatVector c10_0 = zero;
    FloatVector c10_1 = zero;
    FloatVector c11_0 = zero;
    FloatVector c11_1 = zero;
    for (int i = from, end = from + 12 * depth; i < end; i += 12) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, Memory.ALL, b, nativeOrder());
      FloatVector b1 = FloatVector.fromMemorySegment(S, Memory.ALL, b + BYTES, nativeOrder());
      FloatVector v;
      v = FloatVector.broadcast(S, a[i]);
      c0_0 = v.fma(b0, c0_0);
      c0_1 = v.fma(b1, c0_1);
      v = FloatVector.broadcast(S, a[i + 1]);
      c1_0 = v.fma(b0, c1_0);
      c1_1 = v.fma(b1, c1_1);
      v = FloatVector.broadcast(S, a[i + 2]);
      c2_0 = v.fma(b0, c2_0);
      c2_1 = v.fma(b1, c2_1);
      v = FloatVector.broadcast(S, a[i + 3]);
      c3_0 = v.fma(b0, c3_0);
      c3_1 = v.fma(b1, c3_1);
      v = FloatVector.broadcast(S, a[i + 4]);
      c4_0 = v.fma(b0, c4_0);
      c4_1 = v.fma(b1, c4_1);
      v = FloatVector.broadcast(S, a[i + 5]);
      c5_0 = v.fma(b0, c5_0);
      c5_1 = v.fma(b1, c5_1);
      v = FloatVector.broadcast(S, a[i + 6]);
      c6_0 = v.fma(b0, c6_0);
      c6_1 = v.fma(b1, c6_1);
      v = FloatVector.broadcast(S, a[i + 7]);
      c7_0 = v.fma(b0, c7_0);
      c7_1 = v.fma(b1, c7_1);
      v = FloatVector.broadcast(S, a[i + 8]);
      c8_0 = v.fma(b0, c8_0);
      c8_1 = v.fma(b1, c8_1);
      v = FloatVector.broadcast(S, a[i + 9]);
      c9_0 = v.fma(b0, c9_0);
      c9_1 = v.fma(b1, c9_1);
      v = FloatVector.broadcast(S, a[i + 10]);
      c10_0 = v.fma(b0, c10_0);
      c10_1 = v.fma(b1, c10_1);
      v = FloatVector.broadcast(S, a[i + 11]);
      c11_0 = v.fma(b0, c11_0);
      c11_1 = v.fma(b1, c11_1);
      b += 2 * BYTES;
    }
    c0_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c0_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c1_0.intoMemorySegment(Memory.ALL, c + 2 * BYTES, nativeOrder());
    c1_1.intoMemorySegment(Memory.ALL, c + 3 * BYTES, nativeOrder());
    c2_0.intoMemorySegment(Memory.ALL, c + 4 * BYTES, nativeOrder());
    c2_1.intoMemorySegment(Memory.ALL, c + 5 * BYTES, nativeOrder());
    c3_0.intoMemorySegment(Memory.ALL, c + 6 * BYTES, nativeOrder());
    c3_1.intoMemorySegment(Memory.ALL, c + 7 * BYTES, nativeOrder());
    c4_0.intoMemorySegment(Memory.ALL, c + 8 * BYTES, nativeOrder());
    c4_1.intoMemorySegment(Memory.ALL, c + 9 * BYTES, nativeOrder());
    c5_0.intoMemorySegment(Memory.ALL, c + 10 * BYTES, nativeOrder());
    c5_1.intoMemorySegment(Memory.ALL, c + 11 * BYTES, nativeOrder());
    c6_0.intoMemorySegment(Memory.ALL, c + 12 * BYTES, nativeOrder());
    c6_1.intoMemorySegment(Memory.ALL, c + 13 * BYTES, nativeOrder());
    c7_0.intoMemorySegment(Memory.ALL, c + 14 * BYTES, nativeOrder());
    c7_1.intoMemorySegment(Memory.ALL, c + 15 * BYTES, nativeOrder());
    c8_0.intoMemorySegment(Memory.ALL, c + 16 * BYTES, nativeOrder());
    c8_1.intoMemorySegment(Memory.ALL, c + 17 * BYTES, nativeOrder());
    c9_0.intoMemorySegment(Memory.ALL, c + 18 * BYTES, nativeOrder());
    c9_1.intoMemorySegment(Memory.ALL, c + 19 * BYTES, nativeOrder());
    c10_0.intoMemorySegment(Memory.ALL, c + 20 * BYTES, nativeOrder());
    c10_1.intoMemorySegment(Memory.ALL, c + 21 * BYTES, nativeOrder());
    c11_0.intoMemorySegment(Memory.ALL, c + 22 * BYTES, nativeOrder());
    c11_1.intoMemorySegment(Memory.ALL, c + 23 * BYTES, nativeOrder());
  }

  private static void tile5(float[] a, int from, int depth, long b, long c) {
    FloatVector zero = FloatVector.zero(S);
    FloatVector c0_0 = zero;
    FloatVector c0_1 = zero;
    FloatVector c1_0 = zero;
    FloatVector c1_1 = zero;
    FloatVector c2_0 = zero;
    FloatVector c2_1 = zero;
    FloatVector c3_0 = zero;
    FloatVector c3_1 = zero;
    FloatVector c4_0 = zero;
    FloatVector c4_1 = zero;
    for (int i = from, end = from + 5 * depth; i < end; i += 5) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, Memory.ALL, b, nativeOrder());
      FloatVector b1 = FloatVector.fromMemorySegment(S, Memory.ALL, b + BYTES, nativeOrder());
      FloatVector v;
      v = FloatVector.broadcast(S, a[i]);
      c0_0 = v.fma(b0, c0_0);
      c0_1 = v.fma(b1, c0_1);
      v = FloatVector.broadcast(S, a[i + 1]);
      c1_0 = v.fma(b0, c1_0);
      c1_1 = v.fma(b1, c1_1);
      v = FloatVector.broadcast(S, a[i + 2]);
      c2_0 = v.fma(b0, c2_0);
      c2_1 = v.fma(b1, c2_1);
      v = FloatVector.broadcast(S, a[i + 3]);
      c3_0 = v.fma(b0, c3_0);
      c3_1 = v.fma(b1, c3_1);
      v = FloatVector.broadcast(S, a[i + 4]);
      c4_0 = v.fma(b0, c4_0);
      c4_1 = v.fma(b1, c4_1);
      b += 2 * BYTES;
    }
    c0_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c0_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c1_0.intoMemorySegment(Memory.ALL, c + 2 * BYTES, nativeOrder());
    c1_1.intoMemorySegment(Memory.ALL, c + 3 * BYTES, nativeOrder());
    c2_0.intoMemorySegment(Memory.ALL, c + 4 * BYTES, nativeOrder());
    c2_1.intoMemorySegment(Memory.ALL, c + 5 * BYTES, nativeOrder());
    c3_0.intoMemorySegment(Memory.ALL, c + 6 * BYTES, nativeOrder());
    c3_1.intoMemorySegment(Memory.ALL, c + 7 * BYTES, nativeOrder());
    c4_0.intoMemorySegment(Memory.ALL, c + 8 * BYTES, nativeOrder());
    c4_1.intoMemorySegment(Memory.ALL, c + 9 * BYTES, nativeOrder());
  }
}
