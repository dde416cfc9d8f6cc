package tapedeck.ad.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.Tensor;

/**
 * Replaces functions with a custom reverse rule by their plain bodies: once nothing differentiates
 * any more, the rule has done its work.
 */
public final class InlineCustom {
  private InlineCustom() {}

  /**
   * {@return the tape without {@link CustomVjp}, and the constants that their bodies capture, which
   * come before the tape's own inputs}
   *
   * @param tape any tape; returned as it is, without constants, if it has no custom rule
   */
  public static Trace.Result inline(Tape tape) {
    Trace.Result r = new Trace.Result(tape, List.of());
    while (r.tape().eqns().stream().anyMatch(e -> e.primitive() instanceof CustomVjp)) {
      Tape t = r.tape();
      Trace.Result next = Trace.trace(in -> once(t, in), t.inputAvals());
      r = new Trace.Result(next.tape(), next.inputs(r.consts()));
    }
    return r;
  }

  private static List<Tensor> once(Tape tape, List<Tensor> inputs) {
    Map<Var, Tensor> env = new HashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      env.put(tape.inputs().get(i), inputs.get(i));
    }
    for (Eqn e : tape.eqns()) {
      List<Tensor> x = Trace.operands(env, e);
      List<Tensor> y =
          switch (e.primitive()) {
            case Op op -> Trace.at(e.source(), inputs, () -> Trace.bind(op, x, inputs));
            case CustomVjp c -> c.primal().apply(x);
          };
      for (int i = 0; i < y.size(); i++) {
        env.put(e.outs().get(i), y.get(i));
      }
    }
    return tape.outputs().stream().map(env::get).toList();
  }
}
