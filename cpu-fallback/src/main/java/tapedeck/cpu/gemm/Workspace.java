package tapedeck.cpu.gemm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Scratch memory of one thread, kept from product to product and grown where it is too small. */
final class Workspace {
  private static final ThreadLocal<Workspace> OF_THREAD = ThreadLocal.withInitial(Workspace::new);

  /** Eight rows of two vectors at most, and 16 sums. */
  private static final long TILE_BYTES =
      Math.max(16L * Lanes.F32.vectorByteSize(), 16 * Double.BYTES);

  /**
   * Packed rows of A, in an array of the type at hand: reading single elements of arrays costs the
   * JIT far less than reading native memory.
   */
  private float[] a32 = {};

  private double[] a64 = {};

  /** Packed columns of B, shared with the threads that help. */
  final Slot b = new Slot();

  /** Computed elements on their way to being packed. */
  final Slot fill = new Slot();

  /** Unfinished sums of one task. */
  final Slot c = new Slot();

  /** Unfinished sums of a product whose depth is packed in parts. */
  final Slot sums = new Slot();

  /** Products of parts of the depth. */
  final Slot parts = new Slot();

  /** A part of a factor that is not read where it lies. */
  final Slot chunk = new Slot();

  private float[] columns32 = {};
  private double[] columns64 = {};

  private final MemorySegment tileMemory = Arena.ofAuto().allocate(TILE_BYTES, 64);

  /** Where a tile goes when it leaves the registers. */
  final long tile = tileMemory.address();

  private Workspace() {}

  /** Enough for padded rows as well as for panels, as are those below. */
  float[] a32(Blocking by) {
    a32 = a32.length < by.elements() ? new float[by.elements()] : a32;
    return a32;
  }

  double[] a64(Blocking by) {
    a64 = a64.length < by.elements() ? new double[by.elements()] : a64;
    return a64;
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
