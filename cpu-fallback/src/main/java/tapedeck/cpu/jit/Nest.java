package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.util.List;
import java.util.function.Consumer;
import tapedeck.ad.kir.Loop;

/** Emits loops of a kernel. */
final class Nest {
  private Nest() {}

  /** Binds loops to the digits of a flat position. */
  static void decompose(MethodGen m, int flat, List<Loop> loops) {
    CodeBuilder code = m.code();
    code.lload(flat);
    int rest = m.asm().keep(TypeKind.LONG);
    for (int i = loops.size() - 1; i >= 0; i--) {
      Loop l = loops.get(i);
      code.lload(rest);
      if (i > 0) {
        code.loadConstant(l.extent()).lrem();
      }
      m.scalar().bind(l, m.asm().keep(TypeKind.LONG));
      if (i > 0) {
        code.lload(rest).loadConstant(l.extent()).ldiv().lstore(rest);
      }
    }
  }

  /** Runs a body for all points of loops. */
  static void points(MethodGen m, List<Loop> loops, Runnable body) {
    if (loops.isEmpty()) {
      body.run();
      return;
    }
    Loop l = loops.get(0);
    int slot = m.asm().local(TypeKind.LONG);
    m.scalar().bind(l, slot);
    m.asm()
        .longLoop(
            slot,
            () -> m.code().lconst_0(),
            () -> m.code().loadConstant(l.extent()),
            1,
            () -> {
              m.scalar().open();
              points(m, loops.subList(1, loops.size()), body);
              m.scalar().close();
            });
  }

  /** Runs a body for blocks of an axis between two values. */
  static void blocks(
      MethodGen m,
      Loop axis,
      long size,
      Runnable from,
      Runnable to,
      Consumer<BlockGen.Block> body) {
    CodeBuilder code = m.code();
    int base = m.asm().local(TypeKind.LONG);
    to.run();
    int end = m.asm().keep(TypeKind.LONG);
    m.scalar().bind(axis, base);
    m.asm()
        .longLoop(
            base,
            from,
            () -> code.lload(end),
            size,
            () -> {
              code.loadConstant(size).lload(end).lload(base).lsub();
              min(m);
              code.l2i();
              int count = m.asm().keep(TypeKind.INT);
              m.scalar().open();
              body.accept(new BlockGen.Block(axis, base, count));
              m.scalar().close();
            });
  }

  /** The smaller of two longs on the stack. */
  static void min(MethodGen m) {
    m.asm()
        .call(
            Math.class, "min", ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_long);
  }
}
