package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import tapedeck.ad.kir.Phase;

/**
 * Generates reductions across the lanes of a vector in memory, by halves: lane i is combined with
 * lane i + n/2 until one is left. The order is fixed, which the Vector API's own reductions do not
 * promise; scalar instructions do as well for so few values.
 */
final class Folds {
  private final Phase.Accumulator acc;
  private final int lanes;
  private final CodeBuilder code;
  private final ScalarGen scalar;

  private Folds(Phase.Accumulator acc, int lanes, CodeBuilder code) {
    this.acc = acc;
    this.lanes = lanes;
    this.code = code;
    this.scalar = new ScalarGen(new Asm(code), new int[0], new Dependences());
  }

  /** A method from the address of an accumulator's lanes to the result. */
  static ClassGen.Callee add(ClassGen out, Phase.Accumulator acc, int lanes) {
    return out.add(
        "fold",
        MethodTypeDesc.of(Asm.desc(acc.dtype()), ConstantDescs.CD_long),
        b -> {
          new Folds(acc, lanes, b).push(0, 1);
          b.return_(Asm.kind(acc.dtype()));
        });
  }

  /** Pushes the result of every lane that is {@code first} modulo {@code step}. */
  private void push(int first, int step) {
    if (step == lanes) {
      code.lload(code.parameterSlot(0)).loadConstant((long) first * acc.dtype().bytes()).ladd();
      scalar.asm.get(acc.dtype());
    } else {
      push(first, 2 * step);
      push(first + step, 2 * step);
      scalar.combine(acc.reducer(), acc.dtype());
    }
  }
}
