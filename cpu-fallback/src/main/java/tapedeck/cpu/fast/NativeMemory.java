package tapedeck.cpu.fast;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The C heap, and all of memory as one segment that generated code addresses. Measured against
 * typed arrays: vector loops are at least as fast, and one arena can hold every element type.
 */
final class NativeMemory {
  /** Every address; generated code keeps to the buffers it was given. */
  @SuppressWarnings("restricted")
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Every allocation starts at a multiple of this, the size of a cache line and of a vector. */
  static final long ALIGN = 64;

  private static final MethodHandle MALLOC;
  private static final MethodHandle FREE;

  static {
    SymbolLookup libc = Linker.nativeLinker().defaultLookup();
    MALLOC =
        link(libc, "malloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    FREE = link(libc, "free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  }

  private NativeMemory() {}

  @SuppressWarnings("restricted")
  private static MethodHandle link(SymbolLookup libc, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(libc.findOrThrow(name), type);
  }

  /** A block of the C heap and the aligned address in it. */
  record Block(MemorySegment raw, long address) {}

  /** An aligned block, or null if the system has no memory left. */
  static Block allocate(long bytes) {
    MemorySegment raw;
    try {
      raw = (MemorySegment) MALLOC.invokeExact(bytes + ALIGN);
    } catch (Throwable t) {
      throw new AssertionError("malloc", t);
    }
    if (raw.address() == 0) {
      return null;
    }
    return new Block(raw, (raw.address() + ALIGN - 1) & -ALIGN);
  }

  static void free(Block block) {
    try {
      FREE.invokeExact(block.raw);
    } catch (Throwable t) {
      throw new AssertionError("free", t);
    }
  }

  static float getFloat(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  static double getDouble(long address) {
    return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
  }

  static void putFloat(long address, float v) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, v);
  }

  static void putDouble(long address, double v) {
    ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, v);
  }
}
