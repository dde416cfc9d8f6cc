package tapedeck.cpu.fast.gemm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Scratch memory of one thread, kept from product to product and grown where it is too small. */
final class Workspace {
  private static final ThreadLocal<Workspace> OF_THREAD = ThreadLocal.withInitial(Workspace::new);

  private static final long TILE_BYTES =
      Math.max(4L * Kernel32.MR * Kernel32.NR, 8L * Kernel64.MR * Kernel64.NR);

  /**
   * Packed rows of A, in an array of one of the two types: reading single elements of arrays costs
   * the JIT far less than reading native memory.
   */
  float[] a32 = {};

  double[] a64 = {};

  /** Packed columns of B, shared with the threads that help. */
  final Slot b = new Slot();

  /** Computed elements on their way to being packed. */
  final Slot fill = new Slot();

  /** Unfinished sums of one task. */
  final Slot c = new Slot();

  /** Unfinished sums of a product whose depth is packed in parts. */
  final Slot sums = new Slot();

  private final MemorySegment tileMemory = Arena.ofAuto().allocate(TILE_BYTES, 64);

  /** Where a tile goes when it leaves the registers. */
  final long tile = tileMemory.address();

  private Workspace() {}

  static Workspace get() {
    return OF_THREAD.get();
  }

  float[] a32(int elements) {
    if (a32.length < elements) {
      a32 = new float[elements];
    }
    return a32;
  }

  double[] a64(int elements) {
    if (a64.length < elements) {
      a64 = new double[elements];
    }
    return a64;
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
