package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Emits a phase of one grid point as scalar code, element by element. */
final class ScalarPhase {
  private ScalarPhase() {}

  /** Puts a finished accumulator, which is on the stack, where later phases find it. */
  static void finish(MethodGen method, long offset, DType t) {
    TypeKind kind = Asm.kind(t);
    int slot = method.asm().keep(kind);
    method.scratchAddress(offset);
    method.code().loadLocal(kind, slot);
    method.asm().put(t);
  }

  /**
   * Emits a phase.
   *
   * @param accs where accumulators go, by their number
   */
  static void emit(MethodGen method, Map<Integer, Long> accs, Phase p) {
    CodeBuilder code = method.code();
    Asm asm = method.asm();
    ScalarGen scalar = method.scalar();
    switch (p) {
      case Phase.Reduce r -> {
        int[] slots = new int[r.accs().size()];
        for (int i = 0; i < slots.length; i++) {
          Phase.Accumulator a = r.accs().get(i);
          asm.constant(a.dtype(), a.reducer().identity(a.dtype()));
          slots[i] = asm.keep(Asm.kind(a.dtype()));
        }
        Nest.points(
            method,
            r.loops(),
            () -> {
              for (int i = 0; i < slots.length; i++) {
                Phase.Accumulator a = r.accs().get(i);
                code.loadLocal(Asm.kind(a.dtype()), slots[i]);
                scalar.push(a.value());
                scalar.combine(a.reducer(), a.dtype());
                code.storeLocal(Asm.kind(a.dtype()), slots[i]);
              }
            });
        for (int i = 0; i < slots.length; i++) {
          Phase.Accumulator a = r.accs().get(i);
          code.loadLocal(Asm.kind(a.dtype()), slots[i]);
          finish(method, accs.get(a.id()), a.dtype());
        }
      }
      case Phase.Emit e -> Nest.points(method, e.loops(), () -> store(method, e.stores()));
      case Phase.ScatterAdd s ->
          Nest.points(
              method,
              s.loops(),
              () -> {
                Label skip = code.newLabel();
                scalar.branchUnless(s.bounds(), skip);
                Phase.Store st = s.store();
                DType t = st.value().dtype();
                scalar.address(st.param(), t, st.index());
                code.dup2();
                asm.get(t);
                scalar.push(st.value());
                scalar.apply(ScalarOp.ADD, t, t);
                asm.put(t);
                code.labelBinding(skip);
              });
    }
  }

  /** All values, then all stores. */
  private static void store(MethodGen method, List<Phase.Store> stores) {
    ScalarGen scalar = method.scalar();
    scalar.open();
    int[] slots = new int[stores.size()];
    for (int i = 0; i < slots.length; i++) {
      scalar.push(stores.get(i).value());
      slots[i] = method.asm().keep(Asm.kind(stores.get(i).value().dtype()));
    }
    for (int i = 0; i < slots.length; i++) {
      Phase.Store s = stores.get(i);
      DType t = s.value().dtype();
      scalar.address(s.param(), t, s.index());
      method.code().loadLocal(Asm.kind(t), slots[i]);
      method.asm().put(t);
    }
    scalar.close();
  }
}
