package tapedeck.ad;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Movement;

/**
 * A tape of values and gradients cut in two: what can be computed before the cotangents are known,
 * and the rest. Literals and views are computed again behind the cut; other values cross it.
 *
 * @param forward known inputs to values followed by residuals
 * @param backward the known inputs that it needs, residuals, and cotangents, to gradients
 * @param needed positions of the known inputs that backward takes
 */
record TapeSplit(Tape forward, Tape backward, List<Integer> needed) {

  /**
   * @param known number of inputs, at the front, that come before the cut
   * @param values number of outputs, at the front, that come before the cut
   */
  static TapeSplit of(Tape tape, int known, int values) {
    Set<Var> late = new HashSet<>(tape.inputs().subList(known, tape.inputs().size()));
    List<Eqn> early = new ArrayList<>();
    List<Eqn> back = new ArrayList<>();
    Map<Var, Eqn> producers = new HashMap<>();
    for (Eqn e : tape.eqns()) {
      if (e.ins().stream().anyMatch(late::contains)) {
        back.add(e);
        late.addAll(e.outs());
      } else {
        early.add(e);
        e.outs().forEach(v -> producers.put(v, e));
      }
    }
    List<Var> gradients = tape.outputs().subList(values, tape.outputs().size());
    Set<Var> crossing = new LinkedHashSet<>();
    Set<Eqn> repeated = new LinkedHashSet<>();
    for (Eqn e : back) {
      e.ins().stream()
          .filter(v -> !late.contains(v))
          .forEach(v -> cross(v, producers, crossing, repeated));
    }
    gradients.stream()
        .filter(v -> !late.contains(v))
        .forEach(v -> cross(v, producers, crossing, repeated));

    List<Var> residuals = crossing.stream().filter(producers::containsKey).toList();
    List<Integer> needed = new ArrayList<>();
    List<Var> backInputs = new ArrayList<>();
    for (int i = 0; i < known; i++) {
      if (crossing.contains(tape.inputs().get(i))) {
        needed.add(i);
        backInputs.add(tape.inputs().get(i));
      }
    }
    backInputs.addAll(residuals);
    backInputs.addAll(tape.inputs().subList(known, tape.inputs().size()));
    List<Var> firstOutputs = new ArrayList<>(tape.outputs().subList(0, values));
    firstOutputs.addAll(residuals);
    List<Eqn> second = new ArrayList<>(early.stream().filter(repeated::contains).toList());
    second.addAll(back);
    return new TapeSplit(
        canonical(tape.inputs().subList(0, known), early, firstOutputs),
        canonical(backInputs, second, gradients),
        needed);
  }

  private static void cross(Var v, Map<Var, Eqn> producers, Set<Var> crossing, Set<Eqn> repeated) {
    Eqn e = producers.get(v);
    if (e != null && (e.ins().isEmpty() || e.primitive() instanceof Movement)) {
      if (repeated.add(e)) {
        e.ins().forEach(in -> cross(in, producers, crossing, repeated));
      }
    } else {
      crossing.add(v);
    }
  }

  /** A pruned tape whose variables are numbered in the order in which they are assigned. */
  private static Tape canonical(List<Var> inputs, List<Eqn> eqns, List<Var> outputs) {
    Map<Var, Var> names = new HashMap<>();
    List<Var> in = inputs.stream().map(v -> named(names, v)).toList();
    List<Eqn> body = new ArrayList<>();
    for (Eqn e : eqns) {
      List<Var> ins = e.ins().stream().map(names::get).toList();
      body.add(
          new Eqn(
              e.primitive(),
              ins,
              e.outs().stream().map(v -> named(names, v)).toList(),
              e.source()));
    }
    return new Tape(in, 0, body, outputs.stream().map(names::get).toList()).pruned();
  }

  private static Var named(Map<Var, Var> names, Var v) {
    Var n = new Var(names.size(), v.aval());
    names.put(v, n);
    return n;
  }

  /** First inputs of the backward tape. */
  <T> List<T> kept(List<T> known, List<T> residuals) {
    List<T> out = new ArrayList<>();
    needed.forEach(i -> out.add(known.get(i)));
    out.addAll(residuals);
    return out;
  }
}
