package tapedeck.cpu.fast;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;

/** Packing with vectors. Loaded only where the Vector API is present. */
final class PackingVectors {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;

  private PackingVectors() {}

  /** Copies {@code steps} rows of {@code width} bytes, a multiple of the vector size. */
  static void rows(long from, long stride, int width, int steps, long to) {
    int size = BYTES.vectorByteSize();
    for (int k = 0; k < steps; k++) {
      long s = from + k * stride;
      long t = to + (long) k * width;
      for (int i = 0; i < width; i += size) {
        ByteVector.fromMemorySegment(BYTES, Lanes.ALL, s + i, Lanes.ORDER)
            .intoMemorySegment(Lanes.ALL, t + i, Lanes.ORDER);
      }
    }
  }
}
