package tapedeck.ad.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.Shape;

/**
 * Keeps a loop whose constants change, such as a learning rate that decays, from compiling in every
 * round. The first few tapes that differ in nothing but the values of constants are compiled as
 * they are; after that one tape serves all values and takes them as scalar inputs.
 */
final class Literals {
  /** Values that are compiled in before a tape is generalised. */
  private static final int VARIANTS = 4;

  private static final int ENTRIES = 4096;

  /**
   * A tape whose constants are inputs.
   *
   * @param values the constants that the inputs after the tape's own stand for
   */
  record Lifted(Tape tape, List<Full> values) {}

  private final Map<Tape, Set<List<Full>>> seen =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Tape, Set<List<Full>>> eldest) {
          return size() > ENTRIES;
        }
      };

  /** The tape to run in place of this one. */
  Lifted choose(Tape tape) {
    Lifted asIs = new Lifted(tape, List.of());
    if (tape.eqns().stream().noneMatch(Literals::varies)) {
      return asIs;
    }
    Lifted general = lift(tape);
    synchronized (this) {
      Set<List<Full>> variants = seen.computeIfAbsent(general.tape(), k -> new HashSet<>());
      if (variants.contains(general.values())) {
        return asIs;
      }
      if (variants.size() < VARIANTS) {
        variants.add(general.values());
        return asIs;
      }
    }
    return general;
  }

  /** Small whole numbers belong to formulas, not to data, and often simplify. */
  private static boolean varies(Eqn e) {
    return e.primitive() instanceof Full f
        && f.dtype().isFloat()
        && !(f.value() == Math.rint(f.value()) && Math.abs(f.value()) <= 2)
        && f.value() != 0.5;
  }

  private static Lifted lift(Tape tape) {
    Map<Var, Var> names = new HashMap<>();
    List<Var> inputs = new ArrayList<>();
    for (Var v : tape.inputs()) {
      inputs.add(named(names, v));
    }
    List<Full> values = new ArrayList<>();
    for (Eqn e : tape.eqns()) {
      if (varies(e)) {
        Full f = (Full) e.primitive();
        values.add(f);
        inputs.add(new Var(inputs.size(), new Aval(f.dtype(), Shape.SCALAR)));
      }
    }
    int scalar = tape.inputs().size();
    int next = inputs.size();
    List<Eqn> eqns = new ArrayList<>();
    for (Eqn e : tape.eqns()) {
      List<Var> outs = new ArrayList<>();
      for (Var v : e.outs()) {
        Var n = new Var(next++, v.aval());
        names.put(v, n);
        outs.add(n);
      }
      eqns.add(
          varies(e)
              ? new Eqn(
                  new Movement.Broadcast(e.out().aval().shape(), List.of()),
                  List.of(inputs.get(scalar++)),
                  outs,
                  e.source())
              : new Eqn(
                  e.primitive(), e.ins().stream().map(names::get).toList(), outs, e.source()));
    }
    List<Var> outputs = tape.outputs().stream().map(names::get).toList();
    return new Lifted(new Tape(inputs, 0, eqns, outputs), List.copyOf(values));
  }

  private static Var named(Map<Var, Var> names, Var v) {
    Var n = new Var(names.size(), v.aval());
    names.put(v, n);
    return n;
  }
}
