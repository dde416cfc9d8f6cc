package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.type.Aval;

/** Builds a tape from another one, equation by equation; equal equations are emitted once. */
final class Rewriter {
  private record Key(Op op, List<Var> ins) {}

  private final Tape from;
  private final List<Var> inputs = new ArrayList<>();
  private final List<Eqn> eqns = new ArrayList<>();
  private final Map<Key, Var> known = new HashMap<>();
  private final Map<Var, Op> definition = new HashMap<>();
  private final Map<Var, List<Var>> operands = new HashMap<>();
  private final Map<Var, Var> names = new HashMap<>();
  private int next;

  Rewriter(Tape from) {
    this.from = from;
    for (Var v : from.inputs()) {
      Var n = new Var(next++, v.aval());
      inputs.add(n);
      names.put(v, n);
    }
  }

  /** The new variable for an old one. */
  Var get(Var old) {
    return names.get(old);
  }

  List<Var> get(List<Var> old) {
    return old.stream().map(names::get).toList();
  }

  void set(Var old, Var replacement) {
    names.put(old, replacement);
  }

  /** What defines a new variable, or null for an input. */
  Op definition(Var v) {
    return definition.get(v);
  }

  /** Operands of the equation that defines a new variable. */
  List<Var> operands(Var v) {
    return operands.get(v);
  }

  /** Appends an equation over new variables, or returns the variable of an equal one. */
  Var emit(Op op, List<Var> ins, String source) {
    Key key = new Key(op, ins);
    Var v = known.get(key);
    return v != null ? v : append(op, ins, source, key);
  }

  /** Appends an equation even if there is an equal one. */
  Var emitCopy(Op op, List<Var> ins, String source) {
    return append(op, ins, source, null);
  }

  private Var append(Op op, List<Var> ins, String source, Key key) {
    List<Aval> avals = new ArrayList<>(ins.size());
    for (Var i : ins) {
      avals.add(i.aval());
    }
    Var v = new Var(next++, op.result(avals));
    eqns.add(new Eqn(op, ins, List.of(v), source));
    if (key != null) {
      known.put(key, v);
    }
    definition.put(v, op);
    operands.put(v, ins);
    return v;
  }

  Tape finish() {
    return finish(get(from.outputs()));
  }

  Tape finish(List<Var> outputs) {
    return new Tape(inputs, 0, eqns, outputs).pruned();
  }
}
