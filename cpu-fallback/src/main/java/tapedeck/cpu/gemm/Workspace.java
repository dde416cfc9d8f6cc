package tapedeck.cpu.gemm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Scratch memory of one thread, kept from product to product and grown where it is too small. */
final class Workspace {
  private static final ThreadLocal<Workspace> OF_THREAD = ThreadLocal.withInitial(Workspace::new);

  private static final long TILE_BYTES =
      Math.max(4L * Blocking.F32.mr() * Blocking.F32.nr(), 16 * Double.BYTES);

  /**
   * Packed rows of A, in an array of the type at hand: reading single elements of arrays costs the
   * JIT far less than reading native memory.
   */
  private float[] a32 = {};

  private double[] a64 = {};

  /** Rows of A on their way into a panel. */
  private float[] rows32 = {};

  private double[] rows64 = {};

  /** Packed columns of B, shared with the threads that help. */
  final Slot b = new Slot();

  /** Computed elements on their way to being packed. */
  final Slot fill = new Slot();

  /** Unfinished sums of one task. */
  final Slot c = new Slot();

  /** Unfinished sums of a product whose depth is packed in parts. */
  final Slot sums = new Slot();

  /** A part of a factor that is not read where it lies. */
  final Slot chunk = new Slot();

  private float[] columns32 = {};
  private double[] columns64 = {};

  private final MemorySegment tileMemory = Arena.ofAuto().allocate(TILE_BYTES, 64);

  /** Where a tile goes when it leaves the registers. */
  final long tile = tileMemory.address();

  private Workspace() {}

  float[] a32() {
    if (a32.length == 0) {
      a32 = new float[elements(Blocking.F32)];
    }
    return a32;
  }

  double[] a64() {
    if (a64.length == 0) {
      a64 = new double[elements(Blocking.F64)];
    }
    return a64;
  }

  float[] rows32() {
    if (rows32.length == 0) {
      rows32 = new float[panel(Blocking.F32)];
    }
    return rows32;
  }

  double[] rows64() {
    if (rows64.length == 0) {
      rows64 = new double[panel(Blocking.F64)];
    }
    return rows64;
  }

  private static int panel(Blocking b) {
    return b.mr() * (b.kc() + b.nr());
  }

  /** Enough for padded rows as well as for panels. */
  private static int elements(Blocking b) {
    return (b.mc() + b.mr()) * (b.kc() + b.nr());
  }

  static Workspace get() {
    return OF_THREAD.get();
  }

  /** An array of at least so many elements, for the short factor of a skinny product. */
  float[] columns32(int elements) {
    if (columns32.length < elements) {
      columns32 = new float[elements];
    }
    return columns32;
  }

  double[] columns64(int elements) {
    if (columns64.length < elements) {
      columns64 = new double[elements];
    }
    return columns64;
  }

  static final class Slot {
    private MemorySegment memory = MemorySegment.NULL;

    /**
     * The address of at least so many bytes; what they held is lost when they are more than ever.
     */
    long bytes(long n) {
      if (memory.byteSize() < n) {
        memory = Arena.ofAuto().allocate(n + n / 4, 64);
      }
      return memory.address();
    }
  }
}
