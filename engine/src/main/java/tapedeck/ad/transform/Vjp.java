package tapedeck.ad.transform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.Tensor;

/**
 * Reverse mode: runs a tape forward, then pulls cotangents back through its equations in reverse
 * order.
 */
public final class Vjp {
  private final Tape tape;
  private final List<Tensor> inputs;
  private final Map<Var, Tensor> value = new HashMap<>();
  private final Map<Eqn, List<Tensor>> residuals = new HashMap<>();
  private final Set<Var> active = new HashSet<>();
  private final boolean[] wrt;

  private Vjp(Tape tape, List<Tensor> inputs, boolean[] wrt) {
    this.tape = tape;
    this.inputs = inputs;
    this.wrt = wrt;
  }

  /**
   * Runs the tape at {@code inputs}, keeping what the pullback needs.
   *
   * @param tape the function to differentiate
   * @param inputs one tensor per input, captured constants first
   * @param wrt one flag per input: whether the pullback gives its cotangent
   * @return the run, which holds the values of all variables
   */
  public static Vjp forward(Tape tape, List<Tensor> inputs, boolean[] wrt) {
    Vjp run = new Vjp(tape, inputs, wrt);
    for (int i = 0; i < inputs.size(); i++) {
      Var v = tape.inputs().get(i);
      run.value.put(v, inputs.get(i));
      if (wrt[i] && v.aval().dtype().isFloat()) {
        run.active.add(v);
      }
    }
    for (Eqn e : tape.eqns()) {
      Trace.at(e.source(), inputs, () -> run.step(e));
    }
    return run;
  }

  private Void step(Eqn e) {
    List<Tensor> x = Trace.operands(value, e);
    boolean any = e.ins().stream().anyMatch(active::contains);
    List<Tensor> y;
    if (any && e.primitive() instanceof CustomVjp c) {
      List<Tensor> all = c.forward().apply(x);
      y = all.subList(0, e.outs().size());
      residuals.put(e, all.subList(e.outs().size(), all.size()));
    } else {
      y = Trace.bind(e.primitive(), x, inputs);
    }
    for (int i = 0; i < y.size(); i++) {
      value.put(e.outs().get(i), y.get(i));
      if (any && y.get(i).dtype().isFloat()) {
        active.add(e.outs().get(i));
      }
    }
    return null;
  }

  /** {@return the values of the tape's outputs} */
  public List<Tensor> outputs() {
    return tape.outputs().stream().map(value::get).toList();
  }

  /**
   * Pulls cotangents of the outputs back to the inputs; may be called repeatedly.
   *
   * @param cotangents one per output, in its shape and type; null for zero
   * @return one cotangent per input chosen by {@code wrt}, zeros where the outputs do not depend on
   *     it
   */
  public List<Tensor> pullback(List<Tensor> cotangents) {
    Map<Var, Tensor> ct = new HashMap<>();
    for (int i = 0; i < cotangents.size(); i++) {
      accumulate(ct, tape.outputs().get(i), Trace.lift(inputs, cotangents.get(i)));
    }
    List<Tensor> all = new ArrayList<>(inputs);
    cotangents.stream().filter(t -> t != null).forEach(all::add);
    List<Eqn> eqns = tape.eqns();
    for (int i = eqns.size() - 1; i >= 0; i--) {
      Eqn e = eqns.get(i);
      if (e.outs().stream().anyMatch(v -> ct.get(v) != null)) {
        Trace.at(e.source(), all, () -> back(e, ct));
      }
    }
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < wrt.length; i++) {
      if (wrt[i]) {
        Var v = tape.inputs().get(i);
        Tensor g = ct.get(v);
        out.add(g == null ? value.get(v).zerosLike() : g);
      }
    }
    return out;
  }

  private Void back(Eqn e, Map<Var, Tensor> ct) {
    boolean[] wanted = new boolean[e.ins().size()];
    boolean any = false;
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = active.contains(e.ins().get(i));
      any |= wanted[i];
    }
    if (!any) {
      return null;
    }
    List<Tensor> grads =
        switch (e.primitive()) {
          case Op op ->
              op.vjp(Trace.operands(value, e), value.get(e.out()), ct.get(e.out()), wanted);
          case CustomVjp c -> {
            List<Tensor> in = new ArrayList<>(residuals.get(e));
            for (Var v : e.outs()) {
              Tensor g = ct.get(v);
              in.add(g == null ? value.get(v).zerosLike() : g);
            }
            yield c.backward().apply(in);
          }
        };
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i]) {
        accumulate(ct, e.ins().get(i), grads.get(i));
      }
    }
    return null;
  }

  private void accumulate(Map<Var, Tensor> ct, Var v, Tensor g) {
    if (g != null && active.contains(v)) {
      ct.merge(v, g, Tensor::add);
    }
  }
}
