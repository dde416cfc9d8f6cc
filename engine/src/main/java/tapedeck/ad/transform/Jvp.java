package tapedeck.ad.transform;

import java.util.ArrayList;
import java.util.Arrays;
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

/** Forward mode: pushes tangents through a tape together with its values. */
public final class Jvp {
  private Jvp() {}

  /**
   * Values and tangents of a tape's outputs.
   *
   * @param outputs one value per output
   * @param tangents one per output, null where it is zero
   */
  public record Result(List<Tensor> outputs, List<Tensor> tangents) {}

  /**
   * Runs the tape at {@code inputs} along {@code tangents}.
   *
   * @param tape the function to differentiate
   * @param inputs one tensor per input, captured constants first
   * @param tangents one entry per input, in its shape and type; null for zero
   * @return values and tangents of the outputs
   */
  public static Result run(Tape tape, List<Tensor> inputs, List<Tensor> tangents) {
    Map<Var, Tensor> value = new HashMap<>();
    Map<Var, Tensor> tangent = new HashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      value.put(tape.inputs().get(i), inputs.get(i));
      tangent.put(tape.inputs().get(i), Trace.lift(inputs, tangents.get(i)));
    }
    List<Tensor> all = new ArrayList<>(inputs);
    tangents.stream().filter(t -> t != null).forEach(all::add);
    for (Eqn e : tape.eqns()) {
      Trace.at(e.source(), all, () -> step(e, value, tangent, all));
    }
    List<Tensor> outs = new ArrayList<>();
    List<Tensor> dots = new ArrayList<>();
    for (Var v : tape.outputs()) {
      outs.add(value.get(v));
      dots.add(tangent.get(v));
    }
    return new Result(outs, dots);
  }

  private static Void step(
      Eqn e, Map<Var, Tensor> value, Map<Var, Tensor> tangent, List<Tensor> inputs) {
    List<Tensor> x = Trace.operands(value, e);
    List<Tensor> t = Trace.operands(tangent, e);
    boolean active = t.stream().anyMatch(d -> d != null);
    switch (e.primitive()) {
      case Op op -> {
        Tensor y = Trace.bind(op, x, inputs).get(0);
        value.put(e.out(), y);
        if (active) {
          tangent.put(e.out(), op.jvp(x, y, t));
        }
      }
      case CustomVjp c -> {
        // The custom rule is for reverse mode alone; forward mode differentiates the function
        // itself.
        Trace.Result plain = Trace.trace(c.primal()::apply, x.stream().map(Tensor::aval).toList());
        List<Tensor> dots = new ArrayList<>(Arrays.asList(new Tensor[plain.consts().size()]));
        dots.addAll(t);
        Result r = run(plain.tape(), plain.inputs(x), dots);
        for (int i = 0; i < e.outs().size(); i++) {
          value.put(e.outs().get(i), r.outputs().get(i));
          tangent.put(e.outs().get(i), r.tangents().get(i));
        }
      }
    }
    return null;
  }
}
