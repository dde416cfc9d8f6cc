package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TracingException;

/** One call of a function with a custom reverse rule, as functions of flat tensors. */
final class CustomRule<A, R, S> {
  private static final String OP = "custom_vjp";

  private final Fn1<A, R> f;
  private final Fn1<A, Forward<R, S>> fwd;
  private final Fn2<S, R, A> bwd;
  private final Call call;
  private final Call.Traced traced;
  private volatile @Nullable Pytree saved;

  private CustomRule(Fn1<A, R> f, Fn1<A, Forward<R, S>> fwd, Fn2<S, R, A> bwd, A x) {
    this.f = f;
    this.fwd = fwd;
    this.bwd = bwd;
    this.call = Call.of(OP, Call.body(f), x);
    this.traced = call.trace();
  }

  @SuppressWarnings("unchecked")
  static <A, R, S> R apply(Fn1<A, R> f, Fn1<A, Forward<R, S>> fwd, Fn2<S, R, A> bwd, A x) {
    return (R) new CustomRule<>(f, fwd, bwd, x).result();
  }

  private Object result() {
    if (traced.hasTracedConsts()) {
      throw SourceLine.at(
          new TracingException(
              "["
                  + OP
                  + "] the function uses a traced tensor from outside, which its rule knows"
                  + " nothing of; pass it as a part of the argument"));
    }
    List<Tensor> out;
    if (call.isTraced()) {
      List<Aval> results = traced.tape().outputAvals();
      out =
          Tensor.bind(
              new CustomVjp("user", this::primal, this::forward, this::backward, results),
              call.leaves);
    } else {
      out = Trace.apply(traced.tape(), traced.inputs(call.leaves));
    }
    return traced.result().unflatten(out);
  }

  @SuppressWarnings("unchecked")
  private A argument(List<Tensor> leaves) {
    return (A) call.trees.get(0).unflatten(leaves);
  }

  private List<Tensor> primal(List<Tensor> in) {
    return Pytree.flatten(f.apply(argument(in))).leaves();
  }

  private List<Tensor> forward(List<Tensor> in) {
    Forward<R, S> w = fwd.apply(argument(in));
    List<Tensor> out =
        new ArrayList<>(
            Gradients.requireLike(
                OP,
                "forward rule's result",
                traced.result(),
                traced.tape().outputAvals(),
                w.value()));
    Pytree.Flat residuals = Pytree.flatten(w.residuals());
    saved = residuals.tree();
    out.addAll(residuals.leaves());
    return out;
  }

  @SuppressWarnings("unchecked")
  private List<Tensor> backward(List<Tensor> in) {
    Pytree tree = Objects.requireNonNull(saved, "the forward rule runs first");
    int n = tree.size();
    S residuals = (S) tree.unflatten(in.subList(0, n));
    R ct = (R) traced.result().unflatten(in.subList(n, in.size()));
    return Gradients.requireLike(
        OP, "backward rule's result", call.trees.get(0), call.avals(), bwd.apply(residuals, ct));
  }
}
