package tapedeck.cpu.gemm;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;

/** Transposes blocks of as many rows and columns as a vector has lanes. */
interface Turn {
  Turn F32 = of(false);
  Turn F64 = of(true);

  /**
   * Turns blocks that lie side by side in rows, pitch bytes apart, into blocks one below the other
   * in rows that are ld bytes apart.
   */
  void run(long src, long pitch, long dst, long ld, int blocks);

  private static Turn of(boolean f64) {
    Turn turn =
        Generated.define(
            Turn.class, "Turn" + (f64 ? 64 : 32), "(JJJJI)V", code -> write(code, f64));
    Generated.rehearse(memory -> turn.run(memory, 0, memory, 0, 1));
    return turn;
  }

  /**
   * Interleaves the first half of the rows with the second, again and again: once for each bit of a
   * row's number, which by then has changed places with the lane's.
   */
  private static void write(CodeBuilder code, boolean f64) {
    final int src = 1;
    final int pitch = 3;
    final int dst = 5;
    final int ld = 7;
    final int blocks = 9;
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    Generated emit = new Generated(code, f64);
    int from = code.allocateLocal(TypeKind.LONG);
    int[] rows = new int[lanes];
    int[] next = new int[lanes];
    for (int i = 0; i < lanes; i++) {
      rows[i] = code.allocateLocal(TypeKind.REFERENCE);
      next[i] = code.allocateLocal(TypeKind.REFERENCE);
    }
    Label top = code.newLabel();
    Label done = code.newLabel();
    code.labelBinding(top).iload(blocks).ifle(done).lload(src).lstore(from);
    for (int row : rows) {
      emit.load(from, 0);
      code.astore(row);
      emit.advance(from, pitch);
    }
    for (int step = 1; step < lanes; step *= 2) {
      for (int i = 0; i < lanes / 2; i++) {
        emit.interleave(false, rows[i], rows[i + lanes / 2]);
        code.astore(next[2 * i]);
        emit.interleave(true, rows[i], rows[i + lanes / 2]);
        code.astore(next[2 * i + 1]);
      }
      int[] swap = rows;
      rows = next;
      next = swap;
    }
    for (int row : rows) {
      code.aload(row);
      emit.store(dst, 0);
      emit.advance(dst, ld);
    }
    code.lload(src).loadConstant((long) Lanes.F32.vectorByteSize()).ladd().lstore(src);
    code.iinc(blocks, -1).goto_(top).labelBinding(done).return_();
  }
}
