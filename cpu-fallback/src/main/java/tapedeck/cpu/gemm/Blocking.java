package tapedeck.cpu.gemm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;

/**
 * Sizes of blocks, from the sizes of the caches. Rows of A (MC x KC) and a block of B (KC x NB)
 * stay in the second-level cache, and the rows of one tile (MR x KC) in the first.
 *
 * @param lanes of a vector; a tile is at most two vectors wide
 */
record Blocking(int lanes, int mr, int mc, int kc) {
  private static final long L1 = cache(0, 32 << 10);
  private static final long L2 = cache(2, 512 << 10);

  /** Vector registers: those of AVX-512 are 32, of narrower vectors 16. */
  static final int REGISTERS = FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512 ? 32 : 16;

  static final Blocking F32 = of(FloatVector.SPECIES_PREFERRED.length(), 4);
  static final Blocking F64 = of(DoubleVector.SPECIES_PREFERRED.length(), 8);

  /** Most bytes of B that are packed at a time. */
  static final long PACKED = 16 << 20;

  private static Blocking of(int lanes, int size) {
    // with 32 vector registers 16 sums fit beside the operands, with 16 there are 12
    int mr = REGISTERS >= 32 ? 8 : 6;
    int kc = Math.clamp(L1 / 2 / ((long) mr * size), 64, 1024) / 16 * 16;
    int mc = Math.clamp(L2 / 2 / ((long) kc * size), 64, 512) / mr * mr;
    return new Blocking(lanes, mr, mc, kc);
  }

  /**
   * Whether rows of A stay rows where it lies by rows. Indices and bounds of six rows take more
   * time than making panels of them.
   */
  boolean rowsOfA() {
    return mr != 6;
  }

  /** Columns of a panel of B. */
  int nr() {
    return 2 * lanes;
  }

  /** Columns of a block of B of this depth, whose elements have size bytes. */
  int nb(int depth, int size) {
    return Math.clamp(L2 / 4 / ((long) depth * size), nr(), 2048) / nr() * nr();
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
