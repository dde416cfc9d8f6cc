package tapedeck.cpu.jit;

import tapedeck.cpu.math.Memory;

/** Small loops on scratch memory that generated code calls. */
public final class Blocks {
  private Blocks() {}

  public static void fill(long address, float v, int n) {
    for (int i = 0; i < n; i++) {
      Memory.putFloat(address + 4L * i, v);
    }
  }

  public static void fill(long address, double v, int n) {
    for (int i = 0; i < n; i++) {
      Memory.putDouble(address + 8L * i, v);
    }
  }

  public static void fill(long address, int v, int n) {
    for (int i = 0; i < n; i++) {
      Memory.putInt(address + 4L * i, v);
    }
  }

  /** Fills bools. */
  public static void fillBool(long address, int v, int n) {
    for (int i = 0; i < n; i++) {
      Memory.putByte(address + i, (byte) v);
    }
  }
}
