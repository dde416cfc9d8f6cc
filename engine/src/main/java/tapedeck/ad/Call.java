package tapedeck.ad;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.run.Events;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.SourceLine;

/**
 * A function of any arity together with its flattened arguments: where pytrees end and tapes begin.
 */
final class Call {
  /** A function of any number of pytrees. */
  interface Body {
    Object apply(Object... args);
  }

  /**
   * A traced call.
   *
   * @param consts tensors from outside that the function used: the tape's first inputs
   * @param result structure of the result
   */
  record Traced(Tape tape, List<Tensor> consts, Pytree result) {
    /** All inputs of the tape for some arguments. */
    List<Tensor> inputs(List<Tensor> leaves) {
      List<Tensor> all = new ArrayList<>(consts);
      all.addAll(leaves);
      return all;
    }

    boolean hasTracedConsts() {
      return consts.stream().anyMatch(Tensor::isTraced);
    }
  }

  final String op;
  final List<Pytree> trees;
  final List<List<Tensor>> groups;
  final List<Tensor> leaves;
  private final Body body;

  private Call(String op, Body body, Object[] args) {
    this.op = op;
    this.body = body;
    List<Pytree> t = new ArrayList<>();
    List<List<Tensor>> g = new ArrayList<>();
    List<Tensor> all = new ArrayList<>();
    for (Object a : args) {
      Pytree.Flat f = Pytree.flatten(a);
      t.add(f.tree());
      g.add(f.leaves());
      all.addAll(f.leaves());
    }
    this.trees = t;
    this.groups = g;
    this.leaves = all;
  }

  static Call of(String op, Body body, Object... args) {
    return new Call(op, body, args);
  }

  @SuppressWarnings("unchecked")
  static <A> Body body(Fn1<A, ?> f) {
    return a -> f.apply((A) a[0]);
  }

  @SuppressWarnings("unchecked")
  static <A, B> Body body(Fn2<A, B, ?> f) {
    return a -> f.apply((A) a[0], (B) a[1]);
  }

  @SuppressWarnings("unchecked")
  static <A, B, C> Body body(Fn3<A, B, C, ?> f) {
    return a -> f.apply((A) a[0], (B) a[1], (C) a[2]);
  }

  List<Aval> avals() {
    return leaves.stream().map(Tensor::aval).toList();
  }

  boolean isTraced() {
    return leaves.stream().anyMatch(Tensor::isTraced);
  }

  /** Traces the function on its arguments' types. */
  Traced trace() {
    return trace(avals());
  }

  /** Traces the function on arguments of the same structure with leaves of other types. */
  Traced trace(List<Aval> avals) {
    return onDevice(() -> traceHere(avals));
  }

  private Traced traceHere(List<Aval> avals) {
    Events.@Nullable Traced event = Events.areOn() ? new Events.Traced() : null;
    if (event != null) {
      event.begin();
    }
    Pytree[] result = new Pytree[1];
    Trace.Result r =
        Trace.trace(
            in -> {
              Pytree.Flat out = Pytree.flatten(body.apply(arguments(in)));
              result[0] = out.tree();
              return out.leaves();
            },
            avals);
    if (event != null) {
      event.transform = op;
      event.equations = r.tape().eqns().size();
      event.commit();
    }
    return new Traced(r.tape(), r.consts(), result[0]);
  }

  /** Tensors that the function makes while it is traced go where its arguments are. */
  private <T> T onDevice(Supplier<T> work) {
    for (Tensor t : leaves) {
      if (!t.isTraced() && !t.device().isEmpty()) {
        return Devices.with(t.device(), work);
      }
    }
    return work.get();
  }

  /** The function's result, from one batch of kernels. */
  Object run() {
    Traced t = trace();
    return t.result().unflatten(Trace.apply(t.tape(), t.inputs(leaves)));
  }

  private Object[] arguments(List<Tensor> in) {
    Object[] args = new Object[trees.size()];
    int at = 0;
    for (int i = 0; i < args.length; i++) {
      int n = trees.get(i).size();
      args[i] = trees.get(i).unflatten(in.subList(at, at + n));
      at += n;
    }
    return args;
  }

  /** Where the leaf is, as in {@code argument 1 .w1}. */
  String name(int leaf) {
    int at = leaf;
    for (int i = 0; i < trees.size(); i++) {
      if (at < groups.get(i).size()) {
        String path = Pytree.names(trees.get(i)).get(at);
        return "argument " + (i + 1) + (path.isEmpty() ? "" : " " + path);
      }
      at -= groups.get(i).size();
    }
    throw new IndexOutOfBoundsException(leaf);
  }

  /**
   * Builds a tape from a function of tensors of the given types and applies it at once: recorded if
   * an input is traced, otherwise run as one batch.
   */
  static List<Tensor> apply(Trace.Fn fn, List<Tensor> inputs) {
    Trace.Result r = Trace.trace(fn, inputs.stream().map(Tensor::aval).toList());
    return Trace.apply(r.tape(), r.inputs(inputs));
  }

  /** A mask over a tape's inputs: constants are not chosen, then the first {@code n} arguments. */
  static boolean[] firstArguments(Tape tape, int n) {
    boolean[] wrt = new boolean[tape.inputs().size()];
    Arrays.fill(wrt, tape.consts(), tape.consts() + n, true);
    return wrt;
  }

  /**
   * @throws DTypeException naming a leaf of the first argument that is not of a float type
   */
  void requireFloats() {
    for (int i = 0; i < groups.get(0).size(); i++) {
      Tensor t = groups.get(0).get(i);
      if (!t.dtype().isFloat()) {
        throw SourceLine.at(
            new DTypeException(
                "["
                    + op
                    + "] "
                    + name(i)
                    + " is "
                    + t.aval()
                    + "; only f32 and f64 are differentiable: cast it, or pass it as another argument"));
      }
    }
  }
}
