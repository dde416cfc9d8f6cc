package tapedeck.cpu.math;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Native memory by address. Nothing is checked: a wrong address ends the process. */
public final class Memory {
  /** All of the address space, in native byte order and of any alignment. */
  @SuppressWarnings("restricted")
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  static {
    // The JIT assumes that the kinds of session it has seen are all there are: one that is loaded
    // later throws away every kernel that had been compiled.
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      confined.allocate(1).copyFrom(shared.allocate(1)).copyFrom(Arena.ofAuto().allocate(1));
    }
  }

  private Memory() {}

  public static float getFloat(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  public static void putFloat(long address, float value) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  public static double getDouble(long address) {
    return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
  }

  public static void putDouble(long address, double value) {
    ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, value);
  }

  public static int getInt(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  public static void putInt(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  public static long getLong(long address) {
    return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  public static void putLong(long address, long value) {
    ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
  }

  public static byte getByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  public static void putByte(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  public static void copy(long src, long dst, long bytes) {
    MemorySegment.copy(ALL, src, ALL, dst, bytes);
  }

  public static void copy(long src, float[] dst, int at, int count) {
    MemorySegment.copy(ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, src, dst, at, count);
  }

  public static void copy(long src, double[] dst, int at, int count) {
    MemorySegment.copy(ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, src, dst, at, count);
  }

  public static void copy(float[] src, int at, long dst, int count) {
    MemorySegment.copy(src, at, ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, dst, count);
  }

  public static void copy(double[] src, int at, long dst, int count) {
    MemorySegment.copy(src, at, ALL, ValueLayout.JAVA_DOUBLE_UNALIGNED, dst, count);
  }

  public static void zero(long address, long bytes) {
    ALL.asSlice(address, bytes).fill((byte) 0);
  }
}
