package tapedeck.cpu.fast;

/** Copies of matrix operands into panels. */
final class Packing {
  /** Steps that are copied before the next line, so that lines share cache lines and pages. */
  private static final int BLOCK = 16;

  private Packing() {}

  /**
   * Packs lines side by side: {@code to[k * pitch + i] = from[i * lineStride + k * stepStride]},
   * with zeros for lines from {@code lines} to {@code pitch}. Strides count elements.
   */
  static void columns(
      Type type,
      long from,
      long lineStride,
      long stepStride,
      int lines,
      int pitch,
      int steps,
      long to) {
    int bytes = type.bytes;
    if (lines < pitch) {
      NativeMemory.ALL.asSlice(to, (long) steps * pitch * bytes).fill((byte) 0);
    }
    if (lineStride == 1) {
      if (lines == pitch && pitch % 16 == 0) {
        PackingVectors.rows(from, stepStride * bytes, pitch * bytes, steps, to);
      } else if (type == Type.F32) {
        contiguous32(from, stepStride, lines, pitch, steps, to);
      } else {
        contiguous64(from, stepStride, lines, pitch, steps, to);
      }
      return;
    }
    for (int k = 0; k < steps; k += BLOCK) {
      int n = Math.min(BLOCK, steps - k);
      long source = from + k * stepStride * bytes;
      long target = to + (long) k * pitch * bytes;
      if (type == Type.F32) {
        block32(source, lineStride * 4, stepStride * 4, lines, pitch * 4L, n, target);
      } else {
        block64(source, lineStride * 8, stepStride * 8, lines, pitch * 8L, n, target);
      }
    }
  }

  private static void contiguous32(
      long from, long stepStride, int lines, int pitch, int steps, long to) {
    for (int k = 0; k < steps; k++) {
      long s = from + k * stepStride * 4;
      long t = to + (long) k * pitch * 4;
      for (int i = 0; i < lines; i++) {
        NativeMemory.putFloat(t + i * 4L, NativeMemory.getFloat(s + i * 4L));
      }
    }
  }

  private static void contiguous64(
      long from, long stepStride, int lines, int pitch, int steps, long to) {
    for (int k = 0; k < steps; k++) {
      long s = from + k * stepStride * 8;
      long t = to + (long) k * pitch * 8;
      for (int i = 0; i < lines; i++) {
        NativeMemory.putDouble(t + i * 8L, NativeMemory.getDouble(s + i * 8L));
      }
    }
  }

  private static void block32(
      long from, long lineBytes, long stepBytes, int lines, long pitchBytes, int n, long to) {
    for (int i = 0; i < lines; i++) {
      long s = from + i * lineBytes;
      long t = to + i * 4L;
      for (int k = 0; k < n; k++) {
        NativeMemory.putFloat(t + k * pitchBytes, NativeMemory.getFloat(s + k * stepBytes));
      }
    }
  }

  private static void block64(
      long from, long lineBytes, long stepBytes, int lines, long pitchBytes, int n, long to) {
    for (int i = 0; i < lines; i++) {
      long s = from + i * lineBytes;
      long t = to + i * 8L;
      for (int k = 0; k < n; k++) {
        NativeMemory.putDouble(t + k * pitchBytes, NativeMemory.getDouble(s + k * stepBytes));
      }
    }
  }
}
