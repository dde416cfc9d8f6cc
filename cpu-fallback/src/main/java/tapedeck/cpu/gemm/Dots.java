package tapedeck.cpu.gemm;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import tapedeck.cpu.math.Memory;

/**
 * Products of rows with rows: sums along both. Vectors of partial sums are added up by halves,
 * since the order of the Vector API's lane-wise reduction is open.
 */
interface Dots {
  Rehearsal<Dots> F32 = of(false);
  Rehearsal<Dots> F64 = of(true);

  /**
   * Writes the 16 products of four rows at x with four rows at y to native memory, those of the
   * first row first.
   *
   * @param bytes of each row that are multiplied, a number of whole vectors
   */
  void run(
      long x0, long x1, long x2, long x3, long y0, long y1, long y2, long y3, long bytes, long out);

  /**
   * Sets rows of out (ld bytes apart) to products of rows at x, up to four, with count rows at y.
   * Rows lie xPitch and yPitch bytes apart.
   *
   * @param scratch room for 16 elements
   */
  static void multiply(
      boolean f64,
      long x,
      long xPitch,
      int rows,
      long y,
      long yPitch,
      int count,
      int depth,
      long out,
      long ld,
      long scratch) {
    Dots dots = (f64 ? F64 : F32).best();
    long size = f64 ? 8 : 4;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    int whole = depth - depth % lanes;
    for (int j = 0; j < count; j += 4) {
      int cols = Math.min(4, count - j);
      long first = y + j * yPitch;
      // the last row stands in for those that are not there
      dots.run(
          x,
          x + Math.min(1, rows - 1) * xPitch,
          x + Math.min(2, rows - 1) * xPitch,
          x + (rows - 1) * xPitch,
          first,
          first + Math.min(1, cols - 1) * yPitch,
          first + Math.min(2, cols - 1) * yPitch,
          first + (cols - 1) * yPitch,
          whole * size,
          scratch);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          int at = (r == rows - 1 ? 3 : r) * 4 + (c == cols - 1 ? 3 : c);
          long to = out + r * ld + (j + c) * size;
          long a = x + r * xPitch;
          long b = first + c * yPitch;
          if (f64) {
            double sum = Memory.getDouble(scratch + 8L * at);
            for (int p = whole; p < depth; p++) {
              sum = Math.fma(Memory.getDouble(a + 8L * p), Memory.getDouble(b + 8L * p), sum);
            }
            Memory.putDouble(to, sum);
          } else {
            float sum = Memory.getFloat(scratch + 4L * at);
            for (int p = whole; p < depth; p++) {
              sum = Math.fma(Memory.getFloat(a + 4L * p), Memory.getFloat(b + 4L * p), sum);
            }
            Memory.putFloat(to, sum);
          }
        }
      }
    }
  }

  private static Rehearsal<Dots> of(boolean f64) {
    long bytes = Lanes.F32.vectorByteSize();
    return new Rehearsal<>(
        f64 ? ScalarDots::run64 : ScalarDots::run32,
        () ->
            Generated.define(
                Dots.class, "Dots" + (f64 ? 64 : 32), "(JJJJJJJJJJ)V", code -> write(code, f64)),
        (dots, m, i) -> dots.run(m, m, m, m, m, m, m, m, bytes, m + 16 * bytes));
  }

  private static void write(CodeBuilder code, boolean f64) {
    final int x = 1;
    final int y = 9;
    final int bytes = 17;
    final int out = 19;
    Generated emit = new Generated(code, f64);
    int[] sums = new int[16];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = code.allocateLocal(TypeKind.REFERENCE);
      emit.zero();
      code.astore(sums[i]);
    }
    int at = code.allocateLocal(TypeKind.LONG);
    int place = code.allocateLocal(TypeKind.LONG);
    int factor = code.allocateLocal(TypeKind.REFERENCE);
    int[] b = new int[4];
    Label top = code.newLabel();
    Label done = code.newLabel();
    code.lconst_0().lstore(at);
    code.labelBinding(top).lload(at).lload(bytes).lcmp().ifge(done);
    for (int c = 0; c < 4; c++) {
      b[c] = code.allocateLocal(TypeKind.REFERENCE);
      code.lload(y + 2 * c).lload(at).ladd().lstore(place);
      emit.load(place, 0);
      code.astore(b[c]);
    }
    for (int r = 0; r < 4; r++) {
      code.lload(x + 2 * r).lload(at).ladd().lstore(place);
      emit.load(place, 0);
      code.astore(factor);
      for (int c = 0; c < 4; c++) {
        code.aload(factor).aload(b[c]).aload(sums[4 * r + c]);
        emit.call("fma", 2);
        code.astore(sums[4 * r + c]);
      }
    }
    code.lload(at).loadConstant((long) Lanes.F32.vectorByteSize()).ladd().lstore(at);
    code.goto_(top).labelBinding(done);
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    for (int v = 0; v < 16 / lanes; v++) {
      fold(code, emit, sums, v * lanes, lanes);
      code.aload(sums[v * lanes]);
      emit.store(out, v);
    }
    code.return_();
  }

  /**
   * Makes one vector, in the first of them, of the sums of as many vectors as it has lanes: two
   * interleaved vectors of half sums take the place of two vectors, until one is left.
   */
  private static void fold(CodeBuilder code, Generated emit, int[] vectors, int first, int lanes) {
    int low = code.allocateLocal(TypeKind.REFERENCE);
    for (int n = lanes / 2; n > 0; n /= 2) {
      for (int i = first; i < first + n; i++) {
        emit.interleave(false, vectors[i], vectors[i + n]);
        code.astore(low);
        emit.interleave(true, vectors[i], vectors[i + n]);
        code.aload(low);
        emit.call("add", 1);
        code.astore(vectors[i]);
      }
    }
  }
}
