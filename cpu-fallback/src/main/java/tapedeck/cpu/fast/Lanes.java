package tapedeck.cpu.fast;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Constants of vector code: species by element type and number of lanes. Loaded only where the
 * Vector API is present.
 */
final class Lanes {
  static final MemorySegment ALL = NativeMemory.ALL;
  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;
  static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;
  static final VectorSpecies<Float> F4 = FloatVector.SPECIES_128;
  static final VectorSpecies<Float> F2 = FloatVector.SPECIES_64;
  static final VectorSpecies<Double> D8 = DoubleVector.SPECIES_512;
  static final VectorSpecies<Double> D4 = DoubleVector.SPECIES_256;
  static final VectorSpecies<Double> D2 = DoubleVector.SPECIES_128;
  static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
  static final VectorSpecies<Integer> I2 = IntVector.SPECIES_64;
  static final VectorSpecies<Long> L8 = LongVector.SPECIES_512;
  static final VectorSpecies<Long> L4 = LongVector.SPECIES_256;
  static final VectorSpecies<Long> L2 = LongVector.SPECIES_128;
  static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;
  static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;

  /** 0, 1, 2, ... in the lanes. */
  static final IntVector IOTA16 = IntVector.zero(I16).addIndex(1);

  static final IntVector IOTA8 = IntVector.zero(I8).addIndex(1);
  static final IntVector IOTA4 = IntVector.zero(I4).addIndex(1);
  static final IntVector IOTA2 = IntVector.zero(I2).addIndex(1);

  private Lanes() {}

  static int preferredBits() {
    return FloatVector.SPECIES_PREFERRED.vectorBitSize();
  }

  /** Bounds an index difference to where comparing it with a lane's offset is exact in int32. */
  static int clamp(long difference) {
    return (int) Math.max(-(1L << 30), Math.min(1L << 30, difference));
  }
}
