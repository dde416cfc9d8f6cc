package tapedeck.cpu.gemm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;

/**
 * Sizes of blocks, from the sizes of the caches. A panel of A (MR x KC) stays in the first-level
 * cache while panels of B stream past it; a block of B (KC x NB) and the packed rows of A (MC x KC)
 * stay in the second-level cache.
 */
record Blocking(int mr, int nr, int mc, int kc, int nb) {
  /** Whether there are 32 vector registers. */
  static final boolean TALL = FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512;

  private static final long L1 = cache(0, 32 << 10);
  private static final long L2 = cache(2, 512 << 10);

  static final Blocking F32 = of(FloatVector.SPECIES_PREFERRED.length(), 4);
  static final Blocking F64 = of(DoubleVector.SPECIES_PREFERRED.length(), 8);

  /** Most bytes of B that are packed at a time. */
  static final long PACKED = 16 << 20;

  private static Blocking of(int lanes, int size) {
    int mr = TALL ? 12 : 5;
    int nr = 2 * lanes;
    int kc = Math.clamp(L1 * 2 / 3 / ((long) mr * size), 64, 1024) / 16 * 16;
    int nb = Math.clamp(L2 / 2 / ((long) kc * size), nr, 2048) / nr * nr;
    return new Blocking(mr, nr, 96 / mr * mr, kc, nb);
  }

  /** Bytes of the cache that Linux lists under this index: 0 is L1 data, 2 is L2. */
  private static long cache(int index, long otherwise) {
    Path file = Path.of("/sys/devices/system/cpu/cpu0/cache/index" + index + "/size");
    try {
      String size = Files.readString(file).strip();
      return size.endsWith("K")
          ? Long.parseLong(size.substring(0, size.length() - 1)) << 10
          : otherwise;
    } catch (IOException | NumberFormatException e) {
      // no Linux, or a sandbox without /sys: any common size will do
      return otherwise;
    }
  }
}
