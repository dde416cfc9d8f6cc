package tapedeck.cpu.gemm;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import tapedeck.cpu.math.Memory;

/** Turns whole panels of A, whose rows lie in native memory, into columns of an array. */
interface PanelTurn {
  // slots of parameters
  int DST = 5;
  int AT = 6;

  /** For panels as high as a tile. */
  Rehearsal<PanelTurn> F32 = of(false);

  Rehearsal<PanelTurn> F64 = of(true);

  /**
   * Reads blocks of as many columns as a vector has lanes, side by side in rows pitch bytes apart,
   * and writes their columns one after the other from index at of an array on, as a tile expects
   * them. What is between two columns has no meaning.
   */
  void run(long src, long pitch, Object dst, int at, int blocks);

  private static Rehearsal<PanelTurn> of(boolean f64) {
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    int elements = Turn.REHEARSED * Tile.Form.columnStep(height(f64)) * lanes + lanes;
    Object some = f64 ? new double[elements] : new float[elements];
    return new Rehearsal<>(
        (src, pitch, dst, at, blocks) -> scalar(f64, src, pitch, dst, at, blocks * lanes),
        () ->
            Generated.define(
                PanelTurn.class,
                "PanelTurn" + (f64 ? 64 : 32),
                "(JJLjava/lang/Object;II)V",
                code -> write(code, f64)),
        (turn, memory, i) -> turn.run(memory, 0, some, 0, Turn.REHEARSED - i % 2));
  }

  private static int height(boolean f64) {
    return (f64 ? Blocking.F64 : Blocking.F32).mr();
  }

  private static void scalar(boolean f64, long src, long pitch, Object dst, int at, int columns) {
    int step = Tile.Form.columnStep(height(f64));
    for (int r = 0; r < height(f64); r++) {
      for (int d = 0; d < columns; d++) {
        if (f64) {
          ((double[]) dst)[at + d * step + r] = Memory.getDouble(src + r * pitch + 8L * d);
        } else {
          ((float[]) dst)[at + d * step + r] = Memory.getFloat(src + r * pitch + 4L * d);
        }
      }
    }
  }

  private static void write(CodeBuilder code, boolean f64) {
    final int src = 1;
    final int pitch = 3;
    final int blocks = 7;
    Generated emit = new Generated(code, f64);
    int height = height(f64);
    int step = Tile.Form.columnStep(height);
    int lanes = (f64 ? Lanes.F64 : Lanes.F32).length();
    int from = code.allocateLocal(TypeKind.LONG);
    int[] rows = Turn.locals(code, height);
    Label top = code.newLabel();
    Label done = code.newLabel();
    code.aload(DST).checkcast(emit.element.arrayType()).astore(DST);
    code.labelBinding(top).iload(blocks).ifle(done).lload(src).lstore(from);
    for (int row : rows) {
      emit.load(from, 0);
      code.astore(row);
      emit.advance(from, pitch);
    }
    if (height < lanes && step == height) {
      // columns so short that a vector has several of them, one after the other
      int[] turned = Turn.transposed(code, emit, rows);
      for (int i = 0; i < height; i++) {
        store(code, emit, turned[i], i * lanes);
      }
    } else {
      for (int first = 0; first < height; first += lanes) {
        int[] block = new int[lanes];
        for (int i = 0; i < lanes; i++) {
          block[i] = rows[Math.min(first + i, height - 1)];
        }
        int[] turned = Turn.transposed(code, emit, block);
        for (int d = 0; d < lanes; d++) {
          store(code, emit, turned[d], d * step + first);
        }
      }
    }
    code.lload(src).loadConstant((long) Lanes.F32.vectorByteSize()).ladd().lstore(src);
    code.iinc(AT, lanes * step).iinc(blocks, -1).goto_(top).labelBinding(done).return_();
  }

  /** Stores a vector past the index at hand. */
  private static void store(CodeBuilder code, Generated emit, int vector, int past) {
    code.aload(vector).aload(DST).iload(AT).loadConstant(past).iadd();
    code.invokevirtual(
        emit.vector,
        "intoArray",
        MethodTypeDesc.of(ConstantDescs.CD_void, emit.element.arrayType(), ConstantDescs.CD_int));
  }
}
