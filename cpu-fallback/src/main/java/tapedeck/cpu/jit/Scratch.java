package tapedeck.cpu.jit;

import java.lang.ref.Cleaner;

/** Native scratch memory of the current thread, freed after the thread is gone. */
final class Scratch {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final ThreadLocal<Scratch> OWN = ThreadLocal.withInitial(Scratch::new);

  private long address;
  private long bytes;
  private Cleaner.Cleanable memory = () -> {};

  /** What a part of a product is told of its tile (see {@link TileCode}). */
  private final long[] tile = new long[6];

  private Scratch() {}

  /** Address of at least this many bytes, valid until the thread asks for more. */
  static long get(long bytes) {
    return own(bytes).address;
  }

  /** This thread's memory, of at least this many bytes until it asks for more. */
  static Scratch own(long bytes) {
    Scratch s = OWN.get();
    if (s.bytes < bytes) {
      s.memory.clean();
      long raw = NativeMemory.malloc(bytes);
      s.memory = CLEANER.register(s, () -> NativeMemory.free(raw));
      s.address = NativeMemory.aligned(raw);
      s.bytes = bytes;
    }
    return s;
  }

  long address() {
    return address;
  }

  long[] tile() {
    return tile;
  }
}
