package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** The accumulators of a vector loop, in locals: those of folds, and those of totals of rows. */
final class LoopSums {
  private final Asm asm;
  private final CodeBuilder code;
  private final VectorCode vectors;

  /** Locals with the addresses of what sinks write. */
  private final Map<Sink, Integer> targets;

  /**
   * Locals with the accumulators of folds, one for each of the vectors that are combined at once.
   */
  private final Map<Sink, int[]> folds = new IdentityHashMap<>();

  /** Locals with the accumulators of the row at hand. */
  private final Map<Sink, Integer> totals = new IdentityHashMap<>();

  LoopSums(Asm asm, CodeBuilder code, VectorCode vectors, Map<Sink, Integer> targets) {
    this.asm = asm;
    this.code = code;
    this.vectors = vectors;
    this.targets = targets;
  }

  boolean areNone() {
    return folds.isEmpty() && totals.isEmpty();
  }

  /** Gives a sink its locals, if it is one that adds up in them. */
  void add(Sink s, int unroll) {
    if (s instanceof Sink.Fold f && !f.perElement()) {
      int[] slots = new int[unroll];
      Arrays.setAll(slots, i -> code.allocateLocal(TypeKind.REFERENCE));
      folds.put(s, slots);
    } else if (s instanceof Sink.Total) {
      totals.put(s, code.allocateLocal(TypeKind.REFERENCE));
    }
  }

  /** The local of a sink for one of the vectors that are combined at once. */
  int slot(Sink s, int lane) {
    return s instanceof Sink.Total ? totals.get(s) : folds.get(s)[lane];
  }

  /** Loads the folds' accumulators. */
  void begin() {
    folds.forEach(
        (s, slots) -> {
          DType t = s.value().dtype();
          Sink.Fold f = (Sink.Fold) s;
          vectors.load(t, () -> code.lload(targets.get(s)));
          code.astore(slots[0]);
          for (int i = 1; i < slots.length; i++) {
            vectors.broadcast(t, () -> asm.constant(t, f.reducer().identity(t)));
            code.astore(slots[i]);
          }
        });
  }

  /** Combines the folds' accumulators to one each and stores these. */
  void end() {
    folds.forEach(
        (s, slots) -> {
          for (int n = slots.length / 2; n > 0; n /= 2) {
            for (int i = 0; i < n; i++) {
              combine(((Sink.Fold) s).reducer(), s, slots[i], slots[i + n], -1);
            }
          }
        });
    folds.forEach(
        (s, slots) ->
            vectors.store(
                s.value().dtype(),
                () -> code.lload(targets.get(s)),
                () -> code.aload(slots[0]),
                -1,
                -1));
  }

  void beginRow() {
    totals.forEach(
        (s, slot) -> {
          DType t = s.value().dtype();
          vectors.broadcast(t, () -> asm.constant(t, ((Sink.Total) s).reducer().identity(t)));
          code.astore(slot);
        });
  }

  /** Combines lanes by halves, as {@link Folds} does. */
  void endRow() {
    totals.forEach(
        (s, slot) -> {
          DType t = s.value().dtype();
          ScalarOp op = ((Sink.Total) s).reducer().op();
          for (int n = vectors.lanes / 2; n > 0; n /= 2) {
            int by = n;
            vectors.operation(
                op, t, () -> code.aload(slot), () -> vectors.rotate(t, () -> code.aload(slot), by));
            code.astore(slot);
          }
          code.lload(targets.get(s));
          vectors.first(t, () -> code.aload(slot));
          asm.put(t);
        });
  }

  /** Combines a vector, or those lanes of it that a mask has, with an accumulator. */
  void combine(Reducer by, Sink s, int acc, int value, int mask) {
    DType t = s.value().dtype();
    Runnable combined =
        () -> vectors.operation(by.op(), t, () -> code.aload(acc), () -> code.aload(value));
    if (mask < 0) {
      combined.run();
    } else {
      vectors.blend(t, () -> code.aload(acc), combined, mask);
    }
    code.astore(acc);
  }
}
