package tapedeck.cpu.jit;

import static tapedeck.cpu.math.Memory.ALL;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vector instructions that generated code calls; each is small enough to be inlined. A kernel works
 * either on as many lanes as a register has floats, or, if it has float64 values, as it has
 * doubles; then float32 and int32 vectors have half a register, and their methods end in h. A bool
 * is a mask of the widest type.
 */
public final class Vec {
  static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
  static final VectorSpecies<Double> D = VectorSpecies.of(double.class, F.vectorShape());
  private static final VectorShape HALF =
      VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 2));
  static final VectorSpecies<Float> FH = VectorSpecies.of(float.class, HALF);
  static final VectorSpecies<Integer> IH = VectorSpecies.of(int.class, HALF);
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long ONES = 0x0101010101010101L;

  /** Lanes of a kernel without float64 values. */
  public static final int LANES = F.length();

  /** Lanes of a kernel with float64 values. */
  public static final int LANES_H = D.length();

  private Vec() {}

  // ---- memory ---------------------------------------------------------------------------------

  public static FloatVector loadF32(long address) {
    return FloatVector.fromMemorySegment(F, ALL, address, ORDER);
  }

  public static FloatVector splatF32(float v) {
    return FloatVector.broadcast(F, v);
  }

  public static IntVector loadI32(long address) {
    return IntVector.fromMemorySegment(I, ALL, address, ORDER);
  }

  public static IntVector splatI32(int v) {
    return IntVector.broadcast(I, v);
  }

  public static DoubleVector loadF64(long address) {
    return DoubleVector.fromMemorySegment(D, ALL, address, ORDER);
  }

  public static DoubleVector splatF64(double v) {
    return DoubleVector.broadcast(D, v);
  }

  public static FloatVector loadF32h(long address) {
    return FloatVector.fromMemorySegment(FH, ALL, address, ORDER);
  }

  public static FloatVector splatF32h(float v) {
    return FloatVector.broadcast(FH, v);
  }

  public static IntVector loadI32h(long address) {
    return IntVector.fromMemorySegment(IH, ALL, address, ORDER);
  }

  public static IntVector splatI32h(int v) {
    return IntVector.broadcast(IH, v);
  }

  public static void store(long address, FloatVector v) {
    v.intoMemorySegment(ALL, address, ORDER);
  }

  public static void store(long address, IntVector v) {
    v.intoMemorySegment(ALL, address, ORDER);
  }

  public static void store(long address, DoubleVector v) {
    v.intoMemorySegment(ALL, address, ORDER);
  }

  /** Stores the first {@code left} lanes, or all if there are no more. */
  public static void store(long address, FloatVector v, int left) {
    if (left >= v.length()) {
      v.intoMemorySegment(ALL, address, ORDER);
    } else {
      v.intoMemorySegment(ALL, address, ORDER, v.species().indexInRange(0, left));
    }
  }

  /** Stores the first {@code left} lanes, or all if there are no more. */
  public static void store(long address, IntVector v, int left) {
    if (left >= v.length()) {
      v.intoMemorySegment(ALL, address, ORDER);
    } else {
      v.intoMemorySegment(ALL, address, ORDER, v.species().indexInRange(0, left));
    }
  }

  /** Stores the first {@code left} lanes, or all if there are no more. */
  public static void store(long address, DoubleVector v, int left) {
    if (left >= v.length()) {
      v.intoMemorySegment(ALL, address, ORDER);
    } else {
      v.intoMemorySegment(ALL, address, ORDER, v.species().indexInRange(0, left));
    }
  }

  /** Bits of {@code lanes} bools. */
  private static long bits(long address, int lanes) {
    long out = 0;
    for (int at = 0; at < lanes; at += 8) {
      long eight = ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address + at);
      out |= Long.compress(eight, ONES) << at;
    }
    return out;
  }

  public static VectorMask<Float> loadBool(long address) {
    return VectorMask.fromLong(F, bits(address, LANES));
  }

  public static VectorMask<Double> loadBoolh(long address) {
    return VectorMask.fromLong(D, bits(address, LANES_H));
  }

  public static VectorMask<Float> splatBool(int v) {
    return F.maskAll(v != 0);
  }

  public static VectorMask<Double> splatBoolh(int v) {
    return D.maskAll(v != 0);
  }

  /** Stores a mask as bools, one for each of the first {@code left} lanes. */
  public static void storeBool(long address, VectorMask<?> m, int left) {
    bools(address, m.toLong(), Math.min(left, LANES));
  }

  /** Stores a mask as bools, one for each of the first {@code left} lanes. */
  public static void storeBoolh(long address, VectorMask<?> m, int left) {
    bools(address, m.toLong(), Math.min(left, LANES_H));
  }

  private static void bools(long address, long bits, int n) {
    int at = 0;
    for (; at + 8 <= n; at += 8) {
      ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address + at, Long.expand(bits >>> at, ONES));
    }
    for (; at < n; at++) {
      ALL.set(ValueLayout.JAVA_BYTE, address + at, (byte) (bits >>> at & 1));
    }
  }

  /** The first {@code n} lanes. */
  public static VectorMask<Float> tail(int n) {
    return F.indexInRange(0, n);
  }

  /** The first {@code n} lanes. */
  public static VectorMask<Double> tailh(int n) {
    return D.indexInRange(0, n);
  }

  // ---- arithmetic -----------------------------------------------------------------------------

  public static FloatVector add(FloatVector a, FloatVector b) {
    return a.add(b);
  }

  public static FloatVector sub(FloatVector a, FloatVector b) {
    return a.sub(b);
  }

  public static FloatVector mul(FloatVector a, FloatVector b) {
    return a.mul(b);
  }

  public static FloatVector min(FloatVector a, FloatVector b) {
    return a.min(b);
  }

  public static FloatVector max(FloatVector a, FloatVector b) {
    return a.max(b);
  }

  public static FloatVector neg(FloatVector a) {
    return a.neg();
  }

  public static FloatVector abs(FloatVector a) {
    return a.abs();
  }

  public static IntVector add(IntVector a, IntVector b) {
    return a.add(b);
  }

  public static IntVector sub(IntVector a, IntVector b) {
    return a.sub(b);
  }

  public static IntVector mul(IntVector a, IntVector b) {
    return a.mul(b);
  }

  public static IntVector min(IntVector a, IntVector b) {
    return a.min(b);
  }

  public static IntVector max(IntVector a, IntVector b) {
    return a.max(b);
  }

  public static IntVector neg(IntVector a) {
    return a.neg();
  }

  public static IntVector abs(IntVector a) {
    return a.abs();
  }

  public static DoubleVector add(DoubleVector a, DoubleVector b) {
    return a.add(b);
  }

  public static DoubleVector sub(DoubleVector a, DoubleVector b) {
    return a.sub(b);
  }

  public static DoubleVector mul(DoubleVector a, DoubleVector b) {
    return a.mul(b);
  }

  public static DoubleVector min(DoubleVector a, DoubleVector b) {
    return a.min(b);
  }

  public static DoubleVector max(DoubleVector a, DoubleVector b) {
    return a.max(b);
  }

  public static DoubleVector neg(DoubleVector a) {
    return a.neg();
  }

  public static DoubleVector abs(DoubleVector a) {
    return a.abs();
  }

  public static FloatVector div(FloatVector a, FloatVector b) {
    return a.div(b);
  }

  public static FloatVector sqrt(FloatVector a) {
    return a.sqrt();
  }

  public static FloatVector rsqrt(FloatVector a) {
    return a.broadcast(1).div(a.sqrt());
  }

  public static DoubleVector div(DoubleVector a, DoubleVector b) {
    return a.div(b);
  }

  public static DoubleVector sqrt(DoubleVector a) {
    return a.sqrt();
  }

  public static DoubleVector rsqrt(DoubleVector a) {
    return a.broadcast(1).div(a.sqrt());
  }

  public static IntVector and(IntVector a, IntVector b) {
    return a.and(b);
  }

  public static IntVector or(IntVector a, IntVector b) {
    return a.or(b);
  }

  public static IntVector xor(IntVector a, IntVector b) {
    return a.lanewise(VectorOperators.XOR, b);
  }

  public static IntVector not(IntVector a) {
    return a.not();
  }

  public static IntVector shl(IntVector a, IntVector b) {
    return a.lanewise(VectorOperators.LSHL, b);
  }

  public static IntVector shr(IntVector a, IntVector b) {
    return a.lanewise(VectorOperators.LSHR, b);
  }

  // ---- comparison and choice ------------------------------------------------------------------

  public static VectorMask<Float> lt(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.LT, b);
  }

  public static VectorMask<Float> lt(IntVector a, IntVector b) {
    return a.compare(VectorOperators.LT, b).cast(F);
  }

  public static VectorMask<Double> lth(DoubleVector a, DoubleVector b) {
    return a.compare(VectorOperators.LT, b);
  }

  public static VectorMask<Double> lth(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.LT, b).cast(D);
  }

  public static VectorMask<Double> lth(IntVector a, IntVector b) {
    return a.compare(VectorOperators.LT, b).cast(D);
  }

  public static VectorMask<Float> le(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.LE, b);
  }

  public static VectorMask<Float> le(IntVector a, IntVector b) {
    return a.compare(VectorOperators.LE, b).cast(F);
  }

  public static VectorMask<Double> leh(DoubleVector a, DoubleVector b) {
    return a.compare(VectorOperators.LE, b);
  }

  public static VectorMask<Double> leh(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.LE, b).cast(D);
  }

  public static VectorMask<Double> leh(IntVector a, IntVector b) {
    return a.compare(VectorOperators.LE, b).cast(D);
  }

  public static VectorMask<Float> eq(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.EQ, b);
  }

  public static VectorMask<Float> eq(IntVector a, IntVector b) {
    return a.compare(VectorOperators.EQ, b).cast(F);
  }

  public static VectorMask<Double> eqh(DoubleVector a, DoubleVector b) {
    return a.compare(VectorOperators.EQ, b);
  }

  public static VectorMask<Double> eqh(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.EQ, b).cast(D);
  }

  public static VectorMask<Double> eqh(IntVector a, IntVector b) {
    return a.compare(VectorOperators.EQ, b).cast(D);
  }

  public static VectorMask<Float> ne(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.NE, b);
  }

  public static VectorMask<Float> ne(IntVector a, IntVector b) {
    return a.compare(VectorOperators.NE, b).cast(F);
  }

  public static VectorMask<Double> neh(DoubleVector a, DoubleVector b) {
    return a.compare(VectorOperators.NE, b);
  }

  public static VectorMask<Double> neh(FloatVector a, FloatVector b) {
    return a.compare(VectorOperators.NE, b).cast(D);
  }

  public static VectorMask<Double> neh(IntVector a, IntVector b) {
    return a.compare(VectorOperators.NE, b).cast(D);
  }

  public static VectorMask<Float> and(VectorMask<Float> a, VectorMask<Float> b) {
    return a.and(b);
  }

  public static VectorMask<Float> or(VectorMask<Float> a, VectorMask<Float> b) {
    return a.or(b);
  }

  public static VectorMask<Float> min(VectorMask<Float> a, VectorMask<Float> b) {
    return a.and(b);
  }

  public static VectorMask<Float> max(VectorMask<Float> a, VectorMask<Float> b) {
    return a.or(b);
  }

  public static VectorMask<Float> xor(VectorMask<Float> a, VectorMask<Float> b) {
    return a.xor(b);
  }

  public static VectorMask<Float> ne(VectorMask<Float> a, VectorMask<Float> b) {
    return a.xor(b);
  }

  public static VectorMask<Float> eq(VectorMask<Float> a, VectorMask<Float> b) {
    return a.eq(b);
  }

  public static VectorMask<Float> lt(VectorMask<Float> a, VectorMask<Float> b) {
    return b.andNot(a);
  }

  public static VectorMask<Float> le(VectorMask<Float> a, VectorMask<Float> b) {
    return b.or(a.not());
  }

  public static VectorMask<Float> not(VectorMask<Float> a) {
    return a.not();
  }

  public static VectorMask<Float> select(
      VectorMask<Float> c, VectorMask<Float> a, VectorMask<Float> b) {
    return a.and(c).or(b.andNot(c));
  }

  public static VectorMask<Double> andh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.and(b);
  }

  public static VectorMask<Double> orh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.or(b);
  }

  public static VectorMask<Double> minh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.and(b);
  }

  public static VectorMask<Double> maxh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.or(b);
  }

  public static VectorMask<Double> xorh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.xor(b);
  }

  public static VectorMask<Double> neh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.xor(b);
  }

  public static VectorMask<Double> eqh(VectorMask<Double> a, VectorMask<Double> b) {
    return a.eq(b);
  }

  public static VectorMask<Double> lth(VectorMask<Double> a, VectorMask<Double> b) {
    return b.andNot(a);
  }

  public static VectorMask<Double> leh(VectorMask<Double> a, VectorMask<Double> b) {
    return b.or(a.not());
  }

  public static VectorMask<Double> noth(VectorMask<Double> a) {
    return a.not();
  }

  public static VectorMask<Double> selecth(
      VectorMask<Double> c, VectorMask<Double> a, VectorMask<Double> b) {
    return a.and(c).or(b.andNot(c));
  }

  public static FloatVector select(VectorMask<Float> c, FloatVector a, FloatVector b) {
    return b.blend(a, c);
  }

  public static IntVector select(VectorMask<Float> c, IntVector a, IntVector b) {
    return b.blend(a, c.cast(I));
  }

  public static DoubleVector selecth(VectorMask<Double> c, DoubleVector a, DoubleVector b) {
    return b.blend(a, c);
  }

  public static FloatVector selecth(VectorMask<Double> c, FloatVector a, FloatVector b) {
    return b.blend(a, c.cast(FH));
  }

  public static IntVector selecth(VectorMask<Double> c, IntVector a, IntVector b) {
    return b.blend(a, c.cast(IH));
  }

  // ---- conversion -----------------------------------------------------------------------------

  public static IntVector toI32(FloatVector a) {
    return (IntVector) a.convertShape(VectorOperators.F2I, I, 0);
  }

  public static FloatVector toF32(IntVector a) {
    return (FloatVector) a.convertShape(VectorOperators.I2F, F, 0);
  }

  public static FloatVector toF32(VectorMask<Float> a) {
    return FloatVector.zero(F).blend(1f, a);
  }

  public static IntVector toI32(VectorMask<Float> a) {
    return IntVector.zero(I).blend(1, a.cast(I));
  }

  public static VectorMask<Float> toBool(FloatVector a) {
    return a.compare(VectorOperators.NE, 0f);
  }

  public static VectorMask<Float> toBool(IntVector a) {
    return a.compare(VectorOperators.NE, 0).cast(F);
  }

  public static FloatVector toF32h(DoubleVector a) {
    return (FloatVector) a.convertShape(VectorOperators.D2F, FH, 0);
  }

  public static IntVector toI32h(DoubleVector a) {
    return (IntVector) a.convertShape(VectorOperators.D2I, IH, 0);
  }

  public static DoubleVector toF64h(FloatVector a) {
    return (DoubleVector) a.convertShape(VectorOperators.F2D, D, 0);
  }

  public static DoubleVector toF64h(IntVector a) {
    return (DoubleVector) a.convertShape(VectorOperators.I2D, D, 0);
  }

  public static DoubleVector toF64h(VectorMask<Double> a) {
    return DoubleVector.zero(D).blend(1d, a);
  }

  public static FloatVector toF32h(IntVector a) {
    return (FloatVector) a.convertShape(VectorOperators.I2F, FH, 0);
  }

  public static IntVector toI32h(FloatVector a) {
    return (IntVector) a.convertShape(VectorOperators.F2I, IH, 0);
  }

  public static FloatVector toF32h(VectorMask<Double> a) {
    return FloatVector.zero(FH).blend(1f, a.cast(FH));
  }

  public static IntVector toI32h(VectorMask<Double> a) {
    return IntVector.zero(IH).blend(1, a.cast(IH));
  }

  public static VectorMask<Double> toBoolh(DoubleVector a) {
    return a.compare(VectorOperators.NE, 0d);
  }

  public static VectorMask<Double> toBoolh(FloatVector a) {
    return a.compare(VectorOperators.NE, 0f).cast(D);
  }

  public static VectorMask<Double> toBoolh(IntVector a) {
    return a.compare(VectorOperators.NE, 0).cast(D);
  }
}
