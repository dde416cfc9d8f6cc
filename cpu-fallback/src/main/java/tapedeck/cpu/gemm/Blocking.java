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
 * @param mr rows of a tile
 * @param byRows whether rows of A stay rows where it lies by rows, rather than become panels
 */
record Blocking(int lanes, int mr, boolean byRows, int mc, int kc) {
  private static final long L1 = cache(0, 32 << 10);
  private static final long L2 = cache(2, 512 << 10);

  /** Whether vector registers are 16: those of AVX-512 are 32. */
  static final boolean FEW_REGISTERS = FloatVector.SPECIES_PREFERRED.vectorBitSize() < 512;

  static final Blocking F32 = of(FloatVector.SPECIES_PREFERRED.length(), 4);
  static final Blocking F64 = of(DoubleVector.SPECIES_PREFERRED.length(), 8);

  /** For few columns, where panels of A would be used too seldom to be worth making. */
  private static final Blocking FEW32 = F32.forFewColumns();

  private static final Blocking FEW64 = F64.forFewColumns();

  /** Vectors of a row of the product below which its columns are few. */
  private static final int FEW_VECTORS = 16;

  /** Most bytes of B that are packed at a time. */
  static final long PACKED = 16 << 20;

  /** What suits a product of this many columns, whose A lies by columns or not. */
  static Blocking of(boolean f64, int n, boolean aByColumns) {
    Blocking by = f64 ? F64 : F32;
    return aByColumns || n >= FEW_VECTORS * by.lanes ? by : f64 ? FEW64 : FEW32;
  }

  private static Blocking of(int lanes, int size) {
    // 16 sums fit beside the operands in 32 vector registers, and 12 in 16
    int mr = FEW_REGISTERS ? 6 : 8;
    // with vectors of 512 bits B is read so fast that it pays to have more rows of A in the cache
    long panel = FEW_REGISTERS ? L1 / 2 : L1 / 3;
    long block = FEW_REGISTERS ? L2 / 2 : L2 / 4 * 3;
    int kc = Math.clamp(panel / ((long) mr * size), 64, 1024) / 16 * 16;
    int mc = Math.clamp(block / ((long) kc * size), 64, 512) / mr * mr;
    return new Blocking(lanes, mr, false, mc, kc);
  }

  /** The depth stays the same, and with it the order in which elements are summed. */
  private Blocking forFewColumns() {
    int rows = FEW_REGISTERS ? 4 : mr;
    return new Blocking(lanes, rows, true, mc / rows * rows, kc);
  }

  /** Elements of a block of A, by rows or in panels, and what is padded of it. */
  int elements() {
    return Math.max((mc + mr) * (kc + nr()), (mc / mr + 1) * Tile.Form.columnStep(mr) * kc);
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
