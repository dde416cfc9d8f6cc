package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Lowering;
import tapedeck.ad.tensor.Op;

/**
 * Moves single numbers that depend on inputs alone, such as learning rates and step counts, to the
 * front of a tape if something larger reads them. A kernel joins the latest group that it reads
 * from, so such a number would otherwise keep an optimiser's update out of the product that makes
 * its gradient.
 */
final class ScalarsFirst {
  private ScalarsFirst() {}

  /** The same function; the tape itself where nothing moves. */
  static Tape order(Tape tape) {
    Set<Var> early = early(tape);
    Set<Var> wanted = new HashSet<>();
    for (Eqn e : tape.eqns().reversed()) {
      if (!early.contains(e.out()) ? e.out().aval().shape().size() > 1 : wanted.contains(e.out())) {
        wanted.addAll(e.ins());
      }
    }
    wanted.retainAll(early);
    if (wanted.isEmpty()) {
      return tape;
    }
    List<Eqn> first = new ArrayList<>();
    List<Eqn> then = new ArrayList<>();
    tape.eqns().forEach(e -> (wanted.contains(e.out()) ? first : then).add(e));
    first.addAll(then);
    return new Tape(tape.inputs(), tape.consts(), first, tape.outputs());
  }

  private static Set<Var> early(Tape tape) {
    Set<Var> known = new HashSet<>(tape.inputs());
    Set<Var> early = new HashSet<>();
    for (Eqn e : tape.eqns()) {
      if (e.out().aval().shape().size() == 1
          && ((Op) e.primitive()).lower() instanceof Lowering.Map
          && known.containsAll(e.ins())) {
        known.add(e.out());
        early.add(e.out());
      }
    }
    return early;
  }
}
