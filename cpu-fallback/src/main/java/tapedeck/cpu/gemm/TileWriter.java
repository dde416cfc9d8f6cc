package tapedeck.cpu.gemm;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.VarHandle;

/**
 * Generates the loops of tiles. Every accumulator is a variable of its own, since the JIT keeps no
 * array in registers, and A is read from an array, since reading single elements of native memory
 * costs the JIT far more.
 *
 * <p>Where B is packed its address is the loop's index times a constant, so that the JIT checks
 * bounds once before the loop. A fence keeps it from reading ahead, which has no instruction of its
 * own on x86: with 16 registers it would otherwise begin with all elements of A and spill sums.
 */
final class TileWriter {
  private static final ClassDesc VAR_HANDLE = Generated.desc(VarHandle.class);

  /** Rows of B in a turn of the loop where A lies by columns too. */
  private static final int STEPS = 4;

  /** Most sums of a tile that takes so many: with 72 in a turn of the loop the JIT gives up. */
  private static final int FEW_SUMS = 12;

  private static final String RUN = "(Ljava/lang/Object;IIIJJJJZ)V";

  // the parameters' slots
  private static final int A = 1;
  private static final int FROM = 2;
  private static final int LDA = 3;
  private static final int DEPTH = 4;
  private static final int B = 5;
  private static final int PITCH = 7;
  private static final int C = 9;
  private static final int LD = 11;
  private static final int ADD = 13;

  private final Tile.Form form;
  private final CodeBuilder code;
  private final Generated emit;
  private final int[] sums;

  private TileWriter(Tile.Form form, CodeBuilder code) {
    this.form = form;
    this.code = code;
    this.emit = new Generated(code, form.f64());
    this.sums = new int[form.height() * form.vectors()];
  }

  static Rehearsal<Tile> rehearsal(Tile.Form form) {
    // every loop and both ends take part, seldom used ones too: what never ran is compiled anew;
    // and with a single turn the JIT leaves checks of bounds in the loop
    int most = 2 * STEPS + 1;
    int elements = Math.max(form.height(), form.step()) * most;
    Object a = form.f64() ? new double[elements] : new float[elements];
    return new Rehearsal<>(
        new ScalarTile(form),
        () -> write(form),
        (tile, memory, i) -> {
          boolean seldom = i % 4 == 0;
          tile.run(a, 0, most, seldom ? most : most - 1, memory, 0, memory, 0, seldom);
        });
  }

  private static Tile write(Tile.Form form) {
    String name = "Tile%dx%dof%d".formatted(form.height(), form.vectors(), form.f64() ? 64 : 32);
    return Generated.define(Tile.class, name, RUN, code -> new TileWriter(form, code).body());
  }

  private void body() {
    int height = form.height();
    code.aload(A).checkcast(emit.element.arrayType()).astore(A);
    emit.zero();
    for (int i = 0; i < sums.length; i++) {
      sums[i] = code.allocateLocal(TypeKind.REFERENCE);
      code.dup().astore(sums[i]);
    }
    code.pop();
    int[] rows = new int[height];
    if (form.byRows()) {
      for (int r = 1; r < height; r++) {
        rows[r] = code.allocateLocal(TypeKind.INT);
        code.iload(LDA).loadConstant(r).imul().istore(rows[r]);
      }
    }
    int end = code.allocateLocal(TypeKind.INT);
    code.iload(DEPTH).loadConstant(form.step()).imul();
    code.iload(FROM).iadd().istore(end);
    if (form.packed()) {
      code.lload(B).iload(FROM).i2l().loadConstant((long) scale()).lmul().lsub().lstore(B);
      if (Blocking.FEW_REGISTERS && !form.byRows() && sums.length <= FEW_SUMS) {
        loop(STEPS, rows, end);
      }
    }
    loop(1, rows, end);
    result();
    code.return_();
  }

  /** Bytes of B for each element of A that the index passes. */
  private int scale() {
    return width() / form.step();
  }

  private int width() {
    return form.vectors() * Lanes.F32.vectorByteSize();
  }

  /** Adds up products, several rows of B at a time, until A's index is too near to its end. */
  private void loop(int steps, int[] rows, int end) {
    int vectors = form.vectors();
    int step = form.step();
    Label top = code.newLabel();
    Label done = code.newLabel();
    int stop = code.allocateLocal(TypeKind.INT);
    code.iload(end).loadConstant((steps - 1) * step).isub().istore(stop);
    code.labelBinding(top).iload(FROM).iload(stop).if_icmpge(done);
    int[] b = new int[vectors];
    int factor = code.allocateLocal(TypeKind.REFERENCE);
    int at = code.allocateLocal(TypeKind.LONG);
    for (int s = 0; s < steps; s++) {
      if (form.packed()) {
        code.lload(B).iload(FROM).i2l().loadConstant((long) scale()).lmul().ladd();
        code.loadConstant((long) s * width()).ladd().lstore(at);
      }
      for (int v = 0; v < vectors; v++) {
        b[v] = code.allocateLocal(TypeKind.REFERENCE);
        emit.load(form.packed() ? at : B, v);
        code.astore(b[v]);
      }
      for (int r = 0; r < form.height(); r++) {
        int row = form.byRows() ? rows[r] : 0;
        int plus = s * step + (form.byRows() ? 0 : r);
        emit.broadcast(() -> element(row, plus));
        code.astore(factor);
        for (int v = 0; v < vectors; v++) {
          int sum = sums[r * vectors + v];
          code.aload(factor).aload(b[v]).aload(sum);
          emit.call("fma", 2);
          code.astore(sum);
        }
        if (Blocking.FEW_REGISTERS) {
          code.invokestatic(VAR_HANDLE, "loadLoadFence", ConstantDescs.MTD_void);
        }
      }
      if (!form.packed()) {
        emit.advance(B, PITCH);
      }
    }
    code.iinc(FROM, steps * step).goto_(top).labelBinding(done);
  }

  /**
   * Puts an element of A on the stack, past the one at hand by a number and by a variable if any.
   */
  private void element(int offset, int plus) {
    code.aload(A).iload(FROM);
    if (offset > 0) {
      code.iload(offset).iadd();
    }
    if (plus > 0) {
      code.loadConstant(plus).iadd();
    }
    code.arrayLoad(form.f64() ? TypeKind.DOUBLE : TypeKind.FLOAT);
  }

  private void result() {
    int c = code.allocateLocal(TypeKind.LONG);
    Label plain = code.newLabel();
    code.iload(ADD).ifeq(plain).lload(C).lstore(c);
    each(
        c,
        (sum, v) -> {
          emit.load(c, v);
          code.aload(sum);
          emit.call("add", 1);
          code.astore(sum);
        });
    code.labelBinding(plain);
    each(
        C,
        (sum, v) -> {
          code.aload(sum);
          emit.store(C, v);
        });
  }

  /** What is done with each accumulator and its place in a row. */
  @FunctionalInterface
  private interface Step {
    void at(int sum, int v);
  }

  /** Takes a step for each accumulator while the address in a variable goes from row to row. */
  private void each(int slot, Step step) {
    for (int i = 0; i < sums.length; i++) {
      int v = i % form.vectors();
      step.at(sums[i], v);
      if (v == form.vectors() - 1) {
        emit.advance(slot, LD);
      }
    }
  }
}
