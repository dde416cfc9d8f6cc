package tapedeck.cpu.jit;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** The C library's allocator: memory that is not cleared and whose release costs nothing. */
final class NativeMemory {
  /** Alignment of every allocation, and bytes behind it that may be read. */
  static final int ALIGN = 64;

  private static final MethodHandle MALLOC =
      link("malloc", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      link("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  private NativeMemory() {}

  private static MethodHandle link(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  /**
   * Address that {@link #free} takes, or 0 if there is no memory. Round it up to {@link #ALIGN} for
   * use.
   */
  static long malloc(long bytes) {
    try {
      return (long) MALLOC.invokeExact(bytes + 3L * ALIGN);
    } catch (Throwable e) {
      throw new IllegalStateException("malloc", e);
    }
  }

  static long aligned(long address) {
    return (address + ALIGN - 1) & -ALIGN;
  }

  static void free(long address) {
    try {
      FREE.invokeExact(address);
    } catch (Throwable e) {
      throw new IllegalStateException("free", e);
    }
  }

  /** Bytes of physical memory, or 0 where the system does not say. */
  static long physical() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException e) {
      // Not Linux: the limit stays unknown, and malloc decides.
      return 0;
    }
    return 0;
  }
}
