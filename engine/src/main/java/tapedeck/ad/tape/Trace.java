package tapedeck.ad.tape;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.Primitive;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.tensor.Tracer;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TracingException;

/**
 * Traces functions onto tapes, and runs tapes. A trace is its own {@link Tracer}; tensors from
 * outside that the function uses become constants of the tape.
 */
public final class Trace implements Tracer {
  private static final AtomicLong NEXT = new AtomicLong();

  /** A function from tensors to tensors. */
  @FunctionalInterface
  public interface Fn extends UnaryOperator<List<Tensor>> {}

  /**
   * A tape and the outside tensors that its constants stand for.
   *
   * @param tape the traced function
   * @param consts values of the tape's first inputs, in order
   */
  public record Result(Tape tape, List<Tensor> consts) {
    /**
     * {@return constants followed by arguments: all inputs of the tape}
     *
     * @param args one tensor per argument of the function
     */
    public List<Tensor> inputs(List<Tensor> args) {
      List<Tensor> all = new ArrayList<>(consts);
      all.addAll(args);
      return all;
    }
  }

  private final long id = NEXT.getAndIncrement();
  private final Thread owner = Thread.currentThread();
  private final List<Eqn> eqns = new ArrayList<>();
  private final List<Tensor> captured = new ArrayList<>();
  private final List<Var> capturedVars = new ArrayList<>();
  private final Map<Tensor, Var> constants = new IdentityHashMap<>();
  private final Map<Op, Var> literals = new HashMap<>();
  private String source;
  private int next;
  private boolean finished;

  private Trace() {}

  /**
   * Traces {@code fn} on arguments of the given types.
   *
   * @param fn called once, on this thread, with traced tensors
   * @param args types of its arguments
   * @return the tape, without what the results do not need, and what it captured
   * @throws TracingException if the function lets a traced tensor of an unrelated trace in
   */
  public static Result trace(Fn fn, List<Aval> args) {
    Trace t = new Trace();
    List<Var> vars = new ArrayList<>();
    List<Tensor> in = new ArrayList<>();
    for (Aval a : args) {
      Var v = t.fresh(a);
      vars.add(v);
      in.add(Tensor.traced(a, t, v));
    }
    try {
      List<Var> out = new ArrayList<>();
      for (Tensor r : fn.apply(in)) {
        out.add(t.variable(r));
      }
      List<Var> inputs = new ArrayList<>(t.capturedVars);
      inputs.addAll(vars);
      Tape tape = new Tape(inputs, t.captured.size(), t.eqns, out).pruned();
      return new Result(TapeChecker.checkIfOn("trace", canonical(tape)), List.copyOf(t.captured));
    } finally {
      t.finished = true;
    }
  }

  /** Numbers variables inputs first; constants were numbered when they were met. */
  private static Tape canonical(Tape t) {
    boolean ordered = true;
    for (int i = 0; i < t.inputs().size(); i++) {
      ordered &= t.inputs().get(i).id() == i;
    }
    if (ordered) {
      return t;
    }
    Map<Var, Var> names = new HashMap<>();
    UnaryOperator<Var> name = v -> names.computeIfAbsent(v, k -> new Var(names.size(), k.aval()));
    List<Var> inputs = t.inputs().stream().map(name).toList();
    List<Eqn> eqns = new ArrayList<>();
    for (Eqn e : t.eqns()) {
      eqns.add(
          new Eqn(
              e.primitive(),
              e.ins().stream().map(name).toList(),
              e.outs().stream().map(name).toList(),
              e.source()));
    }
    return new Tape(inputs, t.consts(), eqns, t.outputs().stream().map(name).toList());
  }

  /**
   * A tape of a transform that is written as a function of the tape's inputs, without constants of
   * its own.
   *
   * @param fn the transform
   * @param args types of its arguments
   * @return a tape with no captured constants
   * @throws TracingException if the function uses a tensor from outside
   */
  public static Tape closed(Fn fn, List<Aval> args) {
    Result r = trace(fn, args);
    if (!r.consts().isEmpty()) {
      throw new TracingException("[trace] a transform captured " + r.consts());
    }
    return r.tape();
  }

  /**
   * Applies a tape: inlines it into the trace of its inputs if one is traced, else runs it on the
   * device.
   *
   * @param tape the tape to apply
   * @param inputs one tensor per input, captured constants first
   * @return one tensor per output, traced if an input is
   */
  public static List<Tensor> apply(Tape tape, List<Tensor> inputs) {
    for (Tensor t : inputs) {
      if (t.isTraced()) {
        return inline(tape, inputs);
      }
    }
    return TapeRunner.instance().run(tape, inputs);
  }

  /**
   * Applies a tape equation by equation.
   *
   * @param tape the tape to apply
   * @param inputs one tensor per input, captured constants first
   * @return one tensor per output
   */
  public static List<Tensor> inline(Tape tape, List<Tensor> inputs) {
    Map<Var, Tensor> env = new HashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      env.put(tape.inputs().get(i), inputs.get(i));
    }
    for (Eqn e : tape.eqns()) {
      List<Tensor> out =
          at(e.source(), inputs, () -> bind(e.primitive(), operands(env, e), inputs));
      for (int i = 0; i < out.size(); i++) {
        env.put(e.outs().get(i), out.get(i));
      }
    }
    return tape.outputs().stream().map(env::get).toList();
  }

  /**
   * {@return the values of an equation's operands, null where there is none}
   *
   * @param env values of variables, or whatever else a transform keeps for them
   * @param e an equation
   */
  public static List<Tensor> operands(Map<Var, Tensor> env, Eqn e) {
    List<Tensor> in = new ArrayList<>(e.ins().size());
    for (Var v : e.ins()) {
      in.add(env.get(v));
    }
    return in;
  }

  /**
   * Applies a primitive of a tape that is interpreted on {@code inputs}. One without operands is
   * recorded by their innermost trace, so that what a rule computes from it stays on the tape too.
   *
   * @param primitive what is applied
   * @param operands its operands
   * @param inputs tensors whose innermost trace is meant
   * @return its results
   */
  public static List<Tensor> bind(Primitive primitive, List<Tensor> operands, List<Tensor> inputs) {
    Trace inner = operands.isEmpty() ? innermost(inputs) : null;
    return inner == null
        ? Tensor.bind(primitive, operands)
        : inner.record(primitive, operands, primitive.infer(List.of()));
  }

  private static Trace innermost(List<Tensor> inputs) {
    Trace inner = null;
    for (Tensor t : inputs) {
      if (t.tracer() instanceof Trace tr && (inner == null || tr.id > inner.id)) {
        inner = tr;
      }
    }
    return inner;
  }

  /**
   * {@return the tensor as a variable of the innermost trace of {@code context}, so that what is
   * done to it is recorded; itself if it is traced or null, or nothing in the context is}
   *
   * @param context tensors whose innermost trace is meant
   * @param t a tensor, or null for a symbolic zero
   */
  public static Tensor lift(List<Tensor> context, Tensor t) {
    Trace inner = t == null || t.isTraced() ? null : innermost(context);
    return inner == null ? t : Tensor.traced(t.aval(), inner, inner.variable(t));
  }

  /**
   * Runs {@code body} so that what the innermost trace of {@code inputs} records carries this
   * source line.
   *
   * @param <T> result of the body
   * @param source a line such as {@code Model.java:42}; if empty, lines are found as usual
   * @param inputs tensors whose innermost trace is meant
   * @param body called once
   * @return what the body returns
   */
  public static <T> T at(String source, List<Tensor> inputs, java.util.function.Supplier<T> body) {
    Trace inner = innermost(inputs);
    if (inner == null || source.isEmpty()) {
      return body.get();
    }
    String before = inner.source;
    inner.source = source;
    try {
      return body.get();
    } finally {
      inner.source = before;
    }
  }

  private Var fresh(Aval a) {
    return new Var(next++, a);
  }

  @Override
  public long id() {
    return id;
  }

  @Override
  public List<Tensor> record(Primitive primitive, List<Tensor> operands, List<Aval> results) {
    if (finished) {
      throw SourceLine.at(
          new TracingException(
              "["
                  + primitive.label()
                  + "] a traced tensor was used after its transform had ended;"
                  + " return it from the function instead of storing it"));
    }
    if (Thread.currentThread() != owner) {
      throw SourceLine.at(
          new TracingException(
              "[" + primitive.label() + "] a traced tensor was used on another thread"));
    }
    List<Var> in = new ArrayList<>(operands.size());
    for (Tensor t : operands) {
      in.add(variable(t));
    }
    List<Var> out = new ArrayList<>(results.size());
    List<Tensor> tensors = new ArrayList<>(results.size());
    for (Aval a : results) {
      Var v = fresh(a);
      out.add(v);
      tensors.add(Tensor.traced(a, this, v));
    }
    eqns.add(
        new Eqn(
            primitive,
            List.copyOf(in),
            List.copyOf(out),
            source != null ? source : SourceLine.find()));
    return tensors;
  }

  /**
   * The variable of this trace for a tensor, which becomes a literal or a constant if it comes from
   * outside.
   */
  private Var variable(Tensor t) {
    if (t.tracer() == this) {
      return (Var) t.variable();
    }
    if (t.tracer() instanceof Trace o && (o.id > id || o.finished)) {
      throw SourceLine.at(
          new TracingException(
              "[trace] a traced tensor "
                  + t.aval()
                  + " left the transform that made it;"
                  + " return it from the function instead of storing it"));
    }
    if (t.pending() != null) {
      Var known = literals.get(t.pending());
      if (known == null) {
        known = fresh(t.aval());
        literals.put(t.pending(), known);
        eqns.add(new Eqn(t.pending(), List.of(), List.of(known), ""));
      }
      return known;
    }
    return constants.computeIfAbsent(
        t,
        k -> {
          Var v = fresh(k.aval());
          captured.add(k);
          capturedVars.add(v);
          return v;
        });
  }
}
