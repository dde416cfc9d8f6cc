package tapedeck.cpu.jit;

import static tapedeck.cpu.math.Memory.ALL;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Constants and helpers of generated vector code. A kernel works either on as many lanes as a
 * register has floats, or, if it has float64 values, as it has doubles; then float32 and int32
 * vectors have half a register. A bool is a lane of a mask of the widest type.
 */
public final class Vec {
  static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
  static final VectorSpecies<Double> D = VectorSpecies.of(double.class, F.vectorShape());
  private static final VectorShape HALF =
      VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 2));
  static final VectorSpecies<Float> FH = VectorSpecies.of(float.class, HALF);
  static final VectorSpecies<Integer> IH = VectorSpecies.of(int.class, HALF);

  // Rotations by a number of lanes; the JIT knows constants only in fields of their own.
  static final VectorShuffle<Float> F_1 = rotation(F, 1);
  static final VectorShuffle<Float> F_2 = rotation(F, 2);
  static final VectorShuffle<Float> F_4 = rotation(F, 4);
  static final VectorShuffle<Float> F_8 = rotation(F, 8);
  static final VectorShuffle<Integer> I_1 = rotation(I, 1);
  static final VectorShuffle<Integer> I_2 = rotation(I, 2);
  static final VectorShuffle<Integer> I_4 = rotation(I, 4);
  static final VectorShuffle<Integer> I_8 = rotation(I, 8);
  static final VectorShuffle<Double> D_1 = rotation(D, 1);
  static final VectorShuffle<Double> D_2 = rotation(D, 2);
  static final VectorShuffle<Double> D_4 = rotation(D, 4);
  static final VectorShuffle<Double> D_8 = rotation(D, 8);
  static final VectorShuffle<Float> FH_1 = rotation(FH, 1);
  static final VectorShuffle<Float> FH_2 = rotation(FH, 2);
  static final VectorShuffle<Float> FH_4 = rotation(FH, 4);
  static final VectorShuffle<Float> FH_8 = rotation(FH, 8);
  static final VectorShuffle<Integer> IH_1 = rotation(IH, 1);
  static final VectorShuffle<Integer> IH_2 = rotation(IH, 2);
  static final VectorShuffle<Integer> IH_4 = rotation(IH, 4);
  static final VectorShuffle<Integer> IH_8 = rotation(IH, 8);

  static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long ONES = 0x0101010101010101L;

  /** Lanes of a kernel without float64 values. */
  static final int LANES = F.length();

  /** Lanes of a kernel with float64 values. */
  static final int LANES_H = D.length();

  private Vec() {}

  /**
   * Bootstrap method of a constant: which elements of a vector that holds part of a woven operand
   * belong into which lanes.
   *
   * @param species field of this class
   */
  public static VectorShuffle<?> weave(
      MethodHandles.Lookup caller,
      String species,
      Class<?> type,
      long by,
      long whole,
      long rest,
      int k) {
    VectorSpecies<?> s =
        switch (species) {
          case "F" -> F;
          case "I" -> I;
          case "D" -> D;
          case "FH" -> FH;
          case "IH" -> IH;
          default -> throw new IllegalArgumentException(species);
        };
    Woven.Pattern p = new Woven.Pattern(by, whole, rest);
    long first = p.first(k, s.length());
    return VectorShuffle.fromOp(s, i -> (int) (p.element(k + i) - first));
  }

  private static <T> VectorShuffle<T> rotation(VectorSpecies<T> s, int n) {
    return VectorShuffle.fromOp(s, i -> (i + n) % s.length());
  }

  /** Bits of {@code lanes} bools. */
  public static long bits(long address, int lanes) {
    long out = 0;
    for (int at = 0; at < lanes; at += 8) {
      long eight = ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address + at);
      out |= Long.compress(eight, ONES) << at;
    }
    return out;
  }

  /** Stores the first n bits as bools. */
  public static void bools(long address, long bits, int n) {
    int at = 0;
    for (; at + 8 <= n; at += 8) {
      ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address + at, Long.expand(bits >>> at, ONES));
    }
    for (; at < n; at++) {
      ALL.set(ValueLayout.JAVA_BYTE, address + at, (byte) (bits >>> at & 1));
    }
  }
}
