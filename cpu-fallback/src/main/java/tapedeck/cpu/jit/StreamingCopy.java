package tapedeck.cpu.jit;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import java.util.Optional;
import tapedeck.cpu.math.Memory;

/**
 * Copies that write around the caches. A store to memory through a cache first reads the line that
 * it changes, and pushes another one out; results that nothing reads while they are in the cache
 * are written more than twice as fast without. Java has no such store (the JDK copies so from 2.5
 * MB on, which is more than a core's cache), so this is a routine of machine code for Linux on
 * x86-64. Elsewhere, or where the system forbids it, there is none.
 */
final class StreamingCopy {
  /** What is copied whole: a line of the cache. */
  static final int LINE = 64;

  /** System V ABI: destination in rdi, source in rsi, bytes in rdx, a multiple of LINE above 0. */
  private static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "0f2806" // loop: movaps xmm0, [rsi]
                  + "0f284e10" // movaps xmm1, [rsi + 16]
                  + "0f285620" // movaps xmm2, [rsi + 32]
                  + "0f285e30" // movaps xmm3, [rsi + 48]
                  + "0f2b07" // movntps [rdi], xmm0
                  + "0f2b4f10" // movntps [rdi + 16], xmm1
                  + "0f2b5720" // movntps [rdi + 32], xmm2
                  + "0f2b5f30" // movntps [rdi + 48], xmm3
                  + "4883c640" // add rsi, 64
                  + "4883c740" // add rdi, 64
                  + "4883ea40" // sub rdx, 64
                  + "75d4" // jne loop
                  + "0faef8" // sfence: others are to see what was written
                  + "c3"); // ret

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private static final MethodHandle ROUTINE = load().orElse(null);

  private StreamingCopy() {}

  static boolean exists() {
    return ROUTINE != null;
  }

  /**
   * Copies bytes of any number. Addresses must be equally far from the start of a line, and nothing
   * else may write to lines that lie wholly within the destination.
   */
  static void copy(long src, long dst, long bytes) {
    long head = Math.min(bytes, -dst & (LINE - 1));
    long body = (bytes - head) & -LINE;
    if (head > 0) {
      Memory.copy(src, dst, head);
    }
    if (body > 0) {
      try {
        ROUTINE.invokeExact(dst + head, src + head, body);
      } catch (Throwable e) {
        throw new IllegalStateException("copy", e);
      }
    }
    if (head + body < bytes) {
      Memory.copy(src + head + body, dst + head + body, bytes - head - body);
    }
  }

  private static Optional<MethodHandle> load() {
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      return Optional.empty();
    }
    Linker linker = Linker.nativeLinker();
    ValueLayout.OfLong address = ValueLayout.JAVA_LONG;
    ValueLayout.OfInt number = ValueLayout.JAVA_INT;
    MethodHandle map =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mmap"),
            FunctionDescriptor.of(address, address, address, number, number, number, address));
    MethodHandle protect =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mprotect"),
            FunctionDescriptor.of(number, address, address, number));
    try {
      long bytes = CODE.length;
      long at =
          (long) map.invokeExact(0L, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (at == -1) {
        return Optional.empty();
      }
      MemorySegment.copy(CODE, 0, Memory.ALL, ValueLayout.JAVA_BYTE, at, CODE.length);
      if ((int) protect.invokeExact(at, bytes, PROT_READ | PROT_EXEC) != 0) {
        return Optional.empty();
      }
      return Optional.of(
          linker.downcallHandle(
              MemorySegment.ofAddress(at),
              FunctionDescriptor.ofVoid(address, address, address),
              Linker.Option.critical(false)));
    } catch (Throwable e) {
      throw new IllegalStateException("mmap", e);
    }
  }
}
