package tapedeck.ad.tape;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.type.Aval;

/**
 * An immutable traced function. The first {@code consts} inputs are tensors that the function
 * captured from outside; the others are its arguments. Equations are in order of execution.
 * Variables are numbered inputs first, then results, so equal functions give equal tapes.
 */
public final class Tape {
  private final List<Var> inputs;
  private final int consts;
  private final List<Eqn> eqns;
  private final List<Var> outputs;
  private final int hash;

  /**
   * A tape of given parts, which are not checked; {@link TapeChecker} does that. The lists are
   * copied.
   *
   * @param inputs captured constants, then arguments
   * @param consts how many of the inputs are constants
   * @param eqns equations in order of execution
   * @param outputs results in order; inputs and repetitions are allowed
   */
  public Tape(List<Var> inputs, int consts, List<Eqn> eqns, List<Var> outputs) {
    this.inputs = List.copyOf(inputs);
    this.consts = consts;
    this.eqns = List.copyOf(eqns);
    this.outputs = List.copyOf(outputs);
    this.hash = (this.inputs.hashCode() * 31 + this.eqns.hashCode()) * 31 + this.outputs.hashCode();
  }

  /** {@return the inputs, captured constants first} */
  public List<Var> inputs() {
    return inputs;
  }

  /** {@return how many of the inputs, at the front, are captured constants} */
  public int consts() {
    return consts;
  }

  /** {@return the equations in order of execution, immutable} */
  public List<Eqn> eqns() {
    return eqns;
  }

  /** {@return the results in order; one may occur several times, or be an input} */
  public List<Var> outputs() {
    return outputs;
  }

  /** {@return types of the inputs, captured constants first} */
  public List<Aval> inputAvals() {
    return inputs.stream().map(Var::aval).toList();
  }

  /** {@return types of the results in order} */
  public List<Aval> outputAvals() {
    return outputs.stream().map(Var::aval).toList();
  }

  /** {@return the same function with all inputs as arguments} */
  public Tape closed() {
    return consts == 0 ? this : new Tape(inputs, 0, eqns, outputs);
  }

  /** {@return the tape without equations whose results nothing uses, renumbered} Inputs stay. */
  public Tape pruned() {
    Set<Var> live = new HashSet<>(outputs);
    List<Eqn> kept = new ArrayList<>();
    for (int i = eqns.size() - 1; i >= 0; i--) {
      Eqn e = eqns.get(i);
      if (e.outs().stream().anyMatch(live::contains)) {
        live.addAll(e.ins());
        kept.add(e);
      }
    }
    return kept.size() == eqns.size() && isCanonical() ? this : renumbered(kept.reversed());
  }

  private boolean isCanonical() {
    int next = inputs.size();
    for (Eqn e : eqns) {
      for (Var v : e.outs()) {
        if (v.id() != next++) {
          return false;
        }
      }
    }
    return true;
  }

  private Tape renumbered(List<Eqn> body) {
    Map<Var, Var> names = new HashMap<>();
    for (Var v : inputs) {
      names.put(v, new Var(names.size(), v.aval()));
    }
    List<Var> in = inputs.stream().map(names::get).toList();
    List<Eqn> out = new ArrayList<>(body.size());
    for (Eqn e : body) {
      List<Var> ins = e.ins().stream().map(names::get).toList();
      List<Var> outs = new ArrayList<>();
      for (Var v : e.outs()) {
        Var n = new Var(names.size(), v.aval());
        names.put(v, n);
        outs.add(n);
      }
      out.add(new Eqn(e.primitive(), ins, outs, e.source()));
    }
    return new Tape(in, consts, out, outputs.stream().map(names::get).toList());
  }

  @Override
  public boolean equals(Object o) {
    return this == o
        || (o instanceof Tape t
            && t.hash == hash
            && t.consts == consts
            && t.inputs.equals(inputs)
            && t.outputs.equals(outputs)
            && t.eqns.equals(eqns));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** The tape as text; see {@link TapePrinter#text}. */
  @Override
  public String toString() {
    return TapePrinter.text(this);
  }

  /** {@return the tape as a Graphviz graph; see {@link TapePrinter#dot(Tape)}} */
  public String toDot() {
    return TapePrinter.dot(this);
  }
}
