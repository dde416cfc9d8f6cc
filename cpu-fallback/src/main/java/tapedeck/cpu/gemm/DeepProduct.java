package tapedeck.cpu.gemm;

import static java.nio.ByteOrder.nativeOrder;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import tapedeck.ad.type.Optimisation;
import tapedeck.cpu.math.Memory;

/**
 * Products that are deep and have a short side, such as the gradient of a matrix that all examples
 * of a batch share. The depth is cut into parts that are multiplied side by side and then summed in
 * order. So there are tasks enough, and a thread multiplies the examples that it has computed
 * before: where cores do not share a cache, others' would come at a third of the speed. How many
 * parts there are depends on the shape alone.
 */
final class DeepProduct {
  private static final int MOST_PARTS = 16;

  /** What the depth must be a multiple of, for partial sums to be few beside the operands. */
  private static final int DEEPER = 4;

  /** Multiplications from which on it is worth while. */
  private static final double ENOUGH = 2e6;

  /** Tasks at most that a part is cut into by columns, and the least columns of one. */
  private static final int CUTS = 4;

  private static final int COLUMNS = 256;

  /** Adds up rows in native memory. */
  @FunctionalInterface
  interface Sum {
    /** Adds count - 1 rows to the one at {@code to}: {@code distance} bytes apart, in order. */
    void run(long to, int count, long distance, int elements);
  }

  private static final Rehearsal<Sum> SUM32 =
      new Rehearsal<>(
          DeepProduct::scalars32,
          () -> DeepProduct::vectors32,
          (s, memory, i) -> s.run(memory, 3, 0, 2 * Lanes.F32.length()));

  private static final Rehearsal<Sum> SUM64 =
      new Rehearsal<>(
          DeepProduct::scalars64,
          () -> DeepProduct::vectors64,
          (s, memory, i) -> s.run(memory, 3, 0, 2 * Lanes.F64.length()));

  private DeepProduct() {}

  /** Parts into which a product of this shape is cut; 1 if it is not. */
  static int parts(boolean f64, int m, int n, int k) {
    int few = Math.min(m, n);
    if ((long) few * 2 * DEEPER > k || (double) m * n * k < ENOUGH) {
      return 1;
    }
    int slices = slices(f64, k);
    int parts = Math.min(Math.min(slices, MOST_PARTS), k / (few * DEEPER));
    return parts > 1 && Optimisation.DEPTH_PARTS.isOn() ? parts : 1;
  }

  private static int slices(boolean f64, int k) {
    int kc = (f64 ? Blocking.F64 : Blocking.F32).kc();
    return (k + kc - 1) / kc;
  }

  static void run(
      boolean f64,
      int m,
      int n,
      int k,
      Operand a,
      Operand b,
      Epilogue epilogue,
      Parallel by,
      int parts) {
    int size = f64 ? 8 : 4;
    int lanes = (f64 ? Blocking.F64 : Blocking.F32).lanes();
    int ld = (n + lanes - 1) / lanes * lanes;
    long distance = (long) m * ld * size;
    long sums = Workspace.get().parts.bytes(parts * distance);
    int slices = slices(f64, k);
    int deep = (k + slices - 1) / slices;
    int cuts = Math.clamp(n / COLUMNS, 1, CUTS);
    by.run(
        parts * cuts,
        task -> {
          int part = task / cuts;
          int from = Math.min(k, (int) ((long) slices * part / parts) * deep);
          int to = Math.min(k, (int) ((long) slices * (part + 1) / parts) * deep);
          int col = edge(task % cuts, cuts, n, lanes);
          int cols = edge(task % cuts + 1, cuts, n, lanes) - col;
          long at = sums + part * distance + (long) col * size;
          Gemm.whole(
              f64,
              m,
              cols,
              to - from,
              block(a, 0, from, size),
              block(b, from, col, size),
              new Epilogue.Store(at, ld, f64),
              Parallel.SEQUENTIAL);
        });
    int blocks = (n + COLUMNS - 1) / COLUMNS;
    by.run(
        blocks,
        block -> {
          int col = block * COLUMNS;
          int cols = Math.min(COLUMNS, n - col);
          long at = sums + (long) col * size;
          Sum sum = (f64 ? SUM64 : SUM32).best();
          for (int r = 0; r < m; r++) {
            sum.run(at + (long) r * ld * size, parts, distance, Math.min(COLUMNS, ld - col));
          }
          epilogue.tile(at, ld, 0, m, col, cols);
        });
  }

  /** Where a cut by columns begins: at a vector. */
  private static int edge(int cut, int cuts, int n, int lanes) {
    return cut == cuts ? n : (int) ((long) n * cut / cuts) / lanes * lanes;
  }

  /** The part of a matrix that begins in this row and column. */
  private static Operand block(Operand of, int row, int col, int size) {
    return switch (of) {
      case Operand.Strided s ->
          new Operand.Strided(
              s.address() + (row * s.rowStride() + col * s.colStride()) * size,
              s.rowStride(),
              s.colStride());
      case Operand.Computed c ->
          new Operand.Computed(
              (dst, ld, r0, rows, c0, cols) ->
                  c.filler().fill(dst, ld, row + r0, rows, col + c0, cols));
    };
  }

  private static void scalars32(long to, int count, long distance, int elements) {
    for (long i = 0; i < 4L * elements; i += 4) {
      float sum = Memory.getFloat(to + i);
      for (int p = 1; p < count; p++) {
        sum += Memory.getFloat(to + i + p * distance);
      }
      Memory.putFloat(to + i, sum);
    }
  }

  private static void vectors32(long to, int count, long distance, int elements) {
    for (int j = 0; j < elements; j += Lanes.F32.length()) {
      long at = to + 4L * j;
      FloatVector sum = Lanes.load32(at);
      for (int p = 1; p < count; p++) {
        sum = sum.add(Lanes.load32(at + p * distance));
      }
      sum.intoMemorySegment(Memory.ALL, at, nativeOrder());
    }
  }

  private static void scalars64(long to, int count, long distance, int elements) {
    for (long i = 0; i < 8L * elements; i += 8) {
      double sum = Memory.getDouble(to + i);
      for (int p = 1; p < count; p++) {
        sum += Memory.getDouble(to + i + p * distance);
      }
      Memory.putDouble(to + i, sum);
    }
  }

  private static void vectors64(long to, int count, long distance, int elements) {
    for (int j = 0; j < elements; j += Lanes.F64.length()) {
      long at = to + 8L * j;
      DoubleVector sum = Lanes.load64(at);
      for (int p = 1; p < count; p++) {
        sum = sum.add(Lanes.load64(at + p * distance));
      }
      sum.intoMemorySegment(Memory.ALL, at, nativeOrder());
    }
  }
}
