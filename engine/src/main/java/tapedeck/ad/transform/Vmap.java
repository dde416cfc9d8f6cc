package tapedeck.ad.transform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;

/**
 * Batching: applies a tape to a batch in one pass. The batch axis of every batched value is axis 0.
 */
public final class Vmap {
  private Vmap() {}

  /**
   * Outputs, and which of them carry the batch axis.
   *
   * @param outputs one tensor per output
   * @param batched one flag per output: whether its axis 0 is the batch; else it is the same for
   *     all
   */
  public record Result(List<Tensor> outputs, boolean[] batched) {}

  /**
   * Runs the tape on inputs of which some carry a leading batch axis.
   *
   * @param tape the function of one example
   * @param inputs one tensor per input, captured constants first
   * @param batched one flag per input: whether its axis 0 is the batch
   * @param size extent of the batch axis
   * @return the outputs of all examples
   */
  public static Result run(Tape tape, List<Tensor> inputs, boolean[] batched, int size) {
    Map<Var, Tensor> value = new HashMap<>();
    Set<Var> mapped = new HashSet<>();
    for (int i = 0; i < inputs.size(); i++) {
      value.put(tape.inputs().get(i), inputs.get(i));
      if (batched[i]) {
        mapped.add(tape.inputs().get(i));
      }
    }
    for (Eqn e : tape.eqns()) {
      Trace.at(e.source(), inputs, () -> step(e, value, mapped, size, inputs));
    }
    List<Tensor> outs = new ArrayList<>();
    boolean[] flags = new boolean[tape.outputs().size()];
    for (int i = 0; i < flags.length; i++) {
      outs.add(value.get(tape.outputs().get(i)));
      flags[i] = mapped.contains(tape.outputs().get(i));
    }
    return new Result(outs, flags);
  }

  private static Void step(
      Eqn e, Map<Var, Tensor> value, Set<Var> mapped, int size, List<Tensor> inputs) {
    List<Tensor> x = Trace.operands(value, e);
    boolean[] flags = new boolean[x.size()];
    boolean any = false;
    for (int i = 0; i < flags.length; i++) {
      flags[i] = mapped.contains(e.ins().get(i));
      any |= flags[i];
    }
    List<Tensor> y;
    if (!any) {
      y = Trace.bind(e.primitive(), x, inputs);
    } else {
      y =
          switch (e.primitive()) {
            case Op op -> List.of(op.vmap(x, flags, size));
            case CustomVjp c -> custom(c, x, flags, size);
          };
      mapped.addAll(e.outs());
    }
    for (int i = 0; i < y.size(); i++) {
      value.put(e.outs().get(i), y.get(i));
    }
    return null;
  }

  /**
   * A batched function with a batched rule. Everything gets the batch axis, so that the rule sees
   * one form.
   */
  private static List<Tensor> custom(CustomVjp c, List<Tensor> x, boolean[] flags, int size) {
    List<Tensor> in = new ArrayList<>();
    for (int i = 0; i < flags.length; i++) {
      Tensor t = x.get(i);
      in.add(flags[i] ? t : t.broadcastTo(t.shape().with(0, size)));
    }
    List<Aval> results =
        c.results().stream().map(a -> a.withShape(a.shape().with(0, size))).toList();
    return Tensor.bind(
        new CustomVjp(
            c.name(),
            all(c.primal(), size),
            all(c.forward(), size),
            all(c.backward(), size),
            results),
        in);
  }

  /** A function on operands that all carry the batch axis, with all results batched. */
  private static UnaryOperator<List<Tensor>> all(UnaryOperator<List<Tensor>> fn, int size) {
    return in -> {
      Trace.Result r =
          Trace.trace(
              fn::apply, in.stream().map(t -> t.aval().withShape(t.shape().without(0))).toList());
      boolean[] flags = new boolean[r.tape().inputs().size()];
      for (int i = r.consts().size(); i < flags.length; i++) {
        flags[i] = true;
      }
      Result out = run(r.tape(), r.inputs(in), flags, size);
      List<Tensor> all = new ArrayList<>();
      for (int i = 0; i < out.outputs().size(); i++) {
        Tensor t = out.outputs().get(i);
        all.add(out.batched()[i] ? t : t.broadcastTo(t.shape().with(0, size)));
      }
      return all;
    };
  }
}
