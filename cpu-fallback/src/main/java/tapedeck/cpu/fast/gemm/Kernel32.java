package tapedeck.cpu.fast.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import tapedeck.cpu.fast.math.Memory;

/**
 * The innermost loop of a float32 product: a tile of the result in registers. Every accumulator is
 * a variable of its own, since the JIT keeps no array in registers; with 32 vector registers 24 of
 * them fit beside the operands, with 16 there are 12.
 */
final class Kernel32 {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final long BYTES = S.vectorByteSize();

  /** Whether there are 32 vector registers. */
  private static final boolean TALL = S.vectorBitSize() >= 512;

  /** Rows and columns of a tile. */
  static final int MR = TALL ? 12 : 6;

  static final int NR = 2 * S.length();

  private Kernel32() {}

  /**
   * Sets the MR x NR block at c (row pitch ld, in bytes) to the product of an MR x depth and a
   * depth x NR panel, or adds it. The first begins at a[from] and is stored by columns, the second
   * at b by rows, both without gaps.
   */
  static void tile(float[] a, int from, int depth, long b, long c, long ld, boolean add) {
    if (TALL) {
      tile12(a, from, depth, b, c, ld, add);
    } else {
      tile6(a, from, depth, b, c, ld, add);
    }
  }

  private static void tile12(float[] a, int from, int depth, long b, long c, long ld, boolean add) {
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
    if (add) {
      long r = c;
      c0_0 = c0_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c0_1 = c0_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c1_0 = c1_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c1_1 = c1_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c2_0 = c2_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c2_1 = c2_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c3_0 = c3_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c3_1 = c3_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c4_0 = c4_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c4_1 = c4_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c5_0 = c5_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c5_1 = c5_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c6_0 = c6_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c6_1 = c6_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c7_0 = c7_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c7_1 = c7_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c8_0 = c8_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c8_1 = c8_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c9_0 = c9_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c9_1 = c9_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c10_0 = c10_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c10_1 = c10_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c11_0 = c11_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c11_1 = c11_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
    }
    c0_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c0_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c1_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c1_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c2_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c2_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c3_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c3_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c4_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c4_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c5_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c5_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c6_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c6_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c7_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c7_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c8_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c8_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c9_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c9_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c10_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c10_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c11_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c11_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
  }

  private static void tile6(float[] a, int from, int depth, long b, long c, long ld, boolean add) {
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
    for (int i = from, end = from + 6 * depth; i < end; i += 6) {
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
      b += 2 * BYTES;
    }
    if (add) {
      long r = c;
      c0_0 = c0_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c0_1 = c0_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c1_0 = c1_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c1_1 = c1_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c2_0 = c2_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c2_1 = c2_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c3_0 = c3_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c3_1 = c3_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c4_0 = c4_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c4_1 = c4_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
      r += ld;
      c5_0 = c5_0.add(FloatVector.fromMemorySegment(S, Memory.ALL, r, nativeOrder()));
      c5_1 = c5_1.add(FloatVector.fromMemorySegment(S, Memory.ALL, r + BYTES, nativeOrder()));
    }
    c0_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c0_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c1_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c1_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c2_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c2_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c3_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c3_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c4_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c4_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
    c += ld;
    c5_0.intoMemorySegment(Memory.ALL, c, nativeOrder());
    c5_1.intoMemorySegment(Memory.ALL, c + BYTES, nativeOrder());
  }
}
