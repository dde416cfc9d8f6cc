package tapedeck.cpu.gemm;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.Arrays;
import tapedeck.cpu.math.Memory;

/** Transposes blocks of as many rows and columns as a vector has lanes. */
interface Turn {
  /** Blocks of a rehearsal: from a single one the JIT learns that the loop has no second turn. */
  int REHEARSED = 4;

  Rehearsal<Turn> F32 = of(false);
  Rehearsal<Turn> F64 = of(true);

  /**
   * Turns blocks that lie side by side in rows, pitch bytes apart, into blocks one below the other
   * in rows that are ld bytes apart.
   */
  void run(long src, long pitch, long dst, long ld, int blocks);

  private static Rehearsal<Turn> of(boolean f64) {
    return new Rehearsal<>(
        (src, pitch, dst, ld, blocks) -> scalar(f64, src, pitch, dst, ld, blocks),
        () ->
            Generated.define(
                Turn.class, "Turn" + (f64 ? 64 : 32), "(JJJJI)V", code -> write(code, f64)),
        (turn, memory, i) -> turn.run(memory, 0, memory, 0, REHEARSED - i % 2));
  }

  private static void scalar(boolean f64, long src, long pitch, long dst, long ld, int blocks) {
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    for (int row = 0; row < blocks * lanes; row++) {
      for (int i = 0; i < lanes; i++) {
        if (f64) {
          Memory.putDouble(dst + row * ld + 8L * i, Memory.getDouble(src + i * pitch + 8L * row));
        } else {
          Memory.putFloat(dst + row * ld + 4L * i, Memory.getFloat(src + i * pitch + 4L * row));
        }
      }
    }
  }

  /** Variables for vectors. */
  static int[] locals(CodeBuilder code, int count) {
    int[] slots = new int[count];
    Arrays.setAll(slots, i -> code.allocateLocal(TypeKind.REFERENCE));
    return slots;
  }

  /**
   * Interleaves the first half of the rows with the second, again and again: once for each bit of a
   * row's number, which by then has changed places with the lane's. Returns where the rows are.
   */
  static int[] transposed(CodeBuilder code, Generated emit, int[] rows) {
    int half = rows.length / 2;
    int[] from = rows;
    for (int step = 1; step < rows.length; step *= 2) {
      int[] to = locals(code, rows.length);
      for (int i = 0; i < half; i++) {
        emit.interleave(false, from[i], from[i + half]);
        code.astore(to[2 * i]);
        emit.interleave(true, from[i], from[i + half]);
        code.astore(to[2 * i + 1]);
      }
      from = to;
    }
    return from;
  }

  private static void write(CodeBuilder code, boolean f64) {
    final int src = 1;
    final int pitch = 3;
    final int dst = 5;
    final int ld = 7;
    final int blocks = 9;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    Generated emit = new Generated(code, f64);
    int from = code.allocateLocal(TypeKind.LONG);
    int[] rows = locals(code, lanes);
    Label top = code.newLabel();
    Label done = code.newLabel();
    code.labelBinding(top).iload(blocks).ifle(done).lload(src).lstore(from);
    for (int row : rows) {
      emit.load(from, 0);
      code.astore(row);
      emit.advance(from, pitch);
    }
    rows = transposed(code, emit, rows);
    for (int row : rows) {
      code.aload(row);
      emit.store(dst, 0);
      emit.advance(dst, ld);
    }
    code.lload(src).loadConstant((long) Lanes.F32.vectorByteSize()).ladd().lstore(src);
    code.iinc(blocks, -1).goto_(top).labelBinding(done).return_();
  }
}
