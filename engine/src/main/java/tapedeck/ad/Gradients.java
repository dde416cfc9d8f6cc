package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TracingException;

/** Derivatives of one call: gradients, tangents, pullbacks. */
final class Gradients {
  private Gradients() {}

  /** Value and gradient with respect to the first argument. */
  static ValueAndGrad<Object> valueAndGrad(String op, Call.Body body, Object... args) {
    Call call = Call.of(op, body, args);
    List<Tensor> out = run(op, call, true);
    return new ValueAndGrad<>(out.get(0), call.trees.get(0).unflatten(out.subList(1, out.size())));
  }

  /** Gradient with respect to the first argument. */
  static Object grad(String op, Call.Body body, Object... args) {
    Call call = Call.of(op, body, args);
    return call.trees.get(0).unflatten(run(op, call, false));
  }

  /** Leaves of the gradient, after the value if {@code value} is set. */
  private static List<Tensor> run(String op, Call call, boolean value) {
    call.requireFloats();
    int n = call.groups.get(0).size();
    Call.Traced t = call.trace();
    requireScalar(op, t);
    return Call.apply(
        in -> {
          tapedeck.ad.transform.Vjp run =
              tapedeck.ad.transform.Vjp.forward(t.tape(), in, Call.firstArguments(t.tape(), n));
          Tensor y = run.outputs().get(0);
          List<Tensor> all = new ArrayList<>();
          if (value) {
            all.add(y);
          }
          all.addAll(run.pullback(List.of(one(y.aval(), in))));
          return all;
        },
        t.inputs(call.leaves));
  }

  private static void requireScalar(String op, Call.Traced t) {
    if (!(t.result() instanceof Pytree.Leaf)) {
      throw SourceLine.at(
          new TracingException(
              "["
                  + op
                  + "] the function must return one scalar tensor, not "
                  + t.tape().outputs().size()
                  + " tensors in a structure"));
    }
    Aval y = t.tape().outputAvals().get(0);
    if (y.rank() != 0) {
      throw SourceLine.at(
          new ShapeException(
              "["
                  + op
                  + "] the function must return a scalar, not "
                  + y
                  + "; reduce it with sum() or mean(), or use jacrev"));
    }
    if (!y.dtype().isFloat()) {
      throw SourceLine.at(
          new DTypeException("[" + op + "] the function must return f32 or f64, not " + y));
    }
  }

  /** Ones on the tape that is being traced, so that what is computed from them stays on it too. */
  static Tensor one(Aval a, List<Tensor> inputs) {
    return Trace.bind(new Full(a.dtype(), a.shape(), 1), List.of(), inputs).get(0);
  }

  /** Checks that a tangent or cotangent has the structure and the types of what it belongs to. */
  static List<Tensor> requireLike(
      String op, String what, Pytree tree, List<Aval> avals, Object given) {
    Pytree.Flat f = Pytree.flatten(given);
    if (!f.tree().equals(tree)) {
      throw SourceLine.at(
          new TracingException(
              "["
                  + op
                  + "] the "
                  + what
                  + " has another structure: "
                  + f.tree()
                  + ", expected "
                  + tree));
    }
    List<String> names = Pytree.names(tree);
    for (int i = 0; i < avals.size(); i++) {
      Aval is = f.leaves().get(i).aval();
      if (!is.equals(avals.get(i))) {
        String at = names.get(i).isEmpty() ? "" : " " + names.get(i);
        String message =
            "[" + op + "] the " + what + at + " is " + is + ", expected " + avals.get(i);
        throw SourceLine.at(
            is.dtype() == avals.get(i).dtype()
                ? new ShapeException(message)
                : new DTypeException(message));
      }
    }
    return f.leaves();
  }

  static Jvp<Object> jvp(String op, Call.Body body, Object x, Object dx) {
    Call call = Call.of(op, body, x);
    List<Tensor> dots = requireLike(op, "tangent", call.trees.get(0), call.avals(), dx);
    Call.Traced t = call.trace();
    int inputs = t.tape().inputs().size();
    List<Tensor> all = t.inputs(call.leaves);
    all.addAll(dots);
    List<Tensor> out =
        Call.apply(
            in -> {
              List<Tensor> moving = new ArrayList<>();
              for (int i = 0; i < dots.size(); i++) {
                moving.add(isZero(dots.get(i)) ? null : in.get(inputs + i));
              }
              return pushForward(t, in.subList(0, inputs), moving);
            },
            all);
    int n = out.size() / 2;
    return new Jvp<>(
        t.result().unflatten(out.subList(0, n)), t.result().unflatten(out.subList(n, 2 * n)));
  }

  /** Whether a tensor is the constant 0, such as {@link Tensor#zerosLike()} makes. */
  private static boolean isZero(Tensor t) {
    return t.pending() instanceof Full f && f.value() == 0;
  }

  /** Outputs of a traced call followed by their tangents; those of arguments may be null. */
  static List<Tensor> pushForward(Call.Traced t, List<Tensor> in, List<Tensor> dots) {
    List<Tensor> tangents = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      int arg = i - t.consts().size();
      tangents.add(arg >= 0 && in.get(i).dtype().isFloat() ? dots.get(arg) : null);
    }
    tapedeck.ad.transform.Jvp.Result r = tapedeck.ad.transform.Jvp.run(t.tape(), in, tangents);
    List<Tensor> out = new ArrayList<>(r.outputs());
    for (int i = 0; i < r.outputs().size(); i++) {
      Tensor dot = r.tangents().get(i);
      out.add(dot == null ? r.outputs().get(i).zerosLike() : dot);
    }
    return out;
  }

  /** Cotangents of the first {@code n} arguments; {@code cts} holds one per output. */
  static List<Tensor> pullBack(Call.Traced t, List<Tensor> in, int n, List<Tensor> cts) {
    tapedeck.ad.transform.Vjp run =
        tapedeck.ad.transform.Vjp.forward(t.tape(), in, Call.firstArguments(t.tape(), n));
    List<Tensor> out = new ArrayList<>(run.outputs());
    out.addAll(run.pullback(floatsOnly(cts)));
    return out;
  }

  /** Cotangents, null for zero, as which those of outputs that are not of a float type count. */
  static List<Tensor> floatsOnly(List<Tensor> cts) {
    List<Tensor> out = new ArrayList<>();
    cts.forEach(c -> out.add(c.dtype().isFloat() && !isZero(c) ? c : null));
    return out;
  }

  static Vjp<Object, Object> vjp(String op, Call.Body body, Object x) {
    Call call = Call.of(op, body, x);
    Call.Traced t = call.trace();
    List<Tensor> inputs = t.inputs(call.leaves);
    int n = call.leaves.size();
    List<Aval> results = t.tape().outputAvals();
    if (inputs.stream().anyMatch(Tensor::isTraced)) {
      tapedeck.ad.transform.Vjp run =
          tapedeck.ad.transform.Vjp.forward(t.tape(), inputs, Call.firstArguments(t.tape(), n));
      return new Vjp<>(
          t.result().unflatten(run.outputs()),
          ct -> {
            List<Tensor> cts = requireLike(op, "cotangent", t.result(), results, ct);
            return call.trees.get(0).unflatten(run.pullback(floatsOnly(cts)));
          });
    }
    List<Aval> avals = new ArrayList<>(t.tape().inputAvals());
    int primals = avals.size();
    avals.addAll(results);
    Trace.Result both =
        Trace.trace(
            in -> pullBack(t, in.subList(0, primals), n, in.subList(primals, in.size())), avals);
    TapeSplit split = TapeSplit.of(both.tape(), both.consts().size() + primals, results.size());
    List<Tensor> known = both.inputs(inputs);
    List<Tensor> first = Trace.apply(split.forward(), known);
    List<Tensor> kept = split.kept(known, first.subList(results.size(), first.size()));
    return new Vjp<>(
        t.result().unflatten(first.subList(0, results.size())),
        ct -> {
          List<Tensor> all = new ArrayList<>(kept);
          all.addAll(requireLike(op, "cotangent", t.result(), results, ct));
          return call.trees.get(0).unflatten(Trace.apply(split.backward(), all));
        });
  }
}
