package tapedeck.cpu.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Cast;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Iota;
import tapedeck.ad.tensor.Matmul;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Primitive;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Reduce;
import tapedeck.ad.tensor.ScatterAdd;
import tapedeck.ad.tensor.StopGradient;
import tapedeck.ad.tensor.Take;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.ShapeException;

/**
 * Evaluates tapes in float64 with plain loops. Float32 variables are held in float64 and not
 * rounded, so the result is what a float32 device approximates; int32 wraps and bool is 0 or 1,
 * exactly. Arrays are row-major.
 */
public final class ReferenceEvaluator {
  private ReferenceEvaluator() {}

  /**
   * {@return the values of a tape's outputs}
   *
   * @param tape any tape; custom rules are evaluated by their plain functions
   * @param inputs one array per input, captured constants first
   * @throws ShapeException if an array does not have its input's size
   */
  public static List<double[]> evaluate(Tape tape, List<double[]> inputs) {
    List<double[]> out = new ArrayList<>();
    Map<Var, double[]> values = evaluateAll(tape, inputs);
    for (Var v : tape.outputs()) {
      out.add(values.get(v).clone());
    }
    return out;
  }

  /**
   * {@return as {@link #evaluate(Tape, List)}, on the values of tensors}
   *
   * @param tape any tape
   * @param inputs one concrete tensor per input, captured constants first
   */
  public static List<double[]> evaluateTensors(Tape tape, List<Tensor> inputs) {
    return evaluate(tape, inputs.stream().map(Tensor::toDoubleArray).toList());
  }

  /**
   * Traces a function on arguments of the tensors' types and evaluates it on their values.
   *
   * @param fn the function
   * @param args concrete tensors
   * @return the values of its results
   */
  public static List<double[]> evaluate(Trace.Fn fn, List<Tensor> args) {
    Trace.Result traced = Trace.trace(fn, args.stream().map(Tensor::aval).toList());
    return evaluateTensors(traced.tape(), traced.inputs(args));
  }

  /**
   * {@return the values of every variable of a tape}
   *
   * @param tape any tape
   * @param inputs one array per input, captured constants first
   * @throws ShapeException if an array does not have its input's size
   */
  public static Map<Var, double[]> evaluateAll(Tape tape, List<double[]> inputs) {
    Map<Var, double[]> values = new HashMap<>();
    if (inputs.size() != tape.inputs().size()) {
      throw new ShapeException(
          "[reference] the tape has " + tape.inputs().size() + " inputs, not " + inputs.size());
    }
    for (int i = 0; i < inputs.size(); i++) {
      Var v = tape.inputs().get(i);
      if (inputs.get(i).length != v.aval().shape().size()) {
        throw new ShapeException(
            "[reference] input "
                + v
                + " is "
                + v.aval()
                + ", the array has "
                + inputs.get(i).length);
      }
      values.put(v, inputs.get(i));
    }
    for (Eqn e : tape.eqns()) {
      List<double[]> in = e.ins().stream().map(values::get).toList();
      List<double[]> out = apply(e.primitive(), in, e);
      for (int i = 0; i < out.size(); i++) {
        values.put(e.outs().get(i), out.get(i));
      }
    }
    return values;
  }

  private static List<double[]> apply(Primitive p, List<double[]> in, Eqn e) {
    List<Aval> types = e.ins().stream().map(Var::aval).toList();
    Aval out = e.out().aval();
    return switch (p) {
      case Elementwise op -> List.of(elementwise(op, in, types));
      case Cast c -> List.of(cast(in.get(0), c.to()));
      case StopGradient s -> in;
      case Movement m -> List.of(Moves.apply(m, in, types, out));
      case Reduce r -> List.of(Sums.reduce(r, in.get(0), types.get(0), out));
      case Matmul m -> List.of(Sums.matmul(in.get(0), in.get(1), types.get(0), out));
      case Take t -> List.of(Moves.take(t, in.get(0), in.get(1), types.get(0), out));
      case ScatterAdd s -> List.of(Moves.scatterAdd(s, in.get(0), in.get(1), types.get(0), out));
      case Iota i -> List.of(Moves.iota(i));
      case Full f -> List.of(full(f));
      case RandomBits r ->
          List.of(Philox.words(in.get(0), Math.toIntExact(r.shape().size()), r.lane()));
      case CustomVjp c -> custom(c, in, types);
    };
  }

  private static double[] elementwise(Elementwise op, List<double[]> in, List<Aval> types) {
    DType type = types.get(types.size() - 1).dtype();
    int n = in.get(0).length;
    double[] out = new double[n];
    double[] args = new double[in.size()];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < args.length; k++) {
        args[k] = in.get(k)[i];
      }
      out[i] =
          switch (type) {
            case FLOAT32, FLOAT64 -> FloatMath.apply(op, args);
            case INT32 -> IntMath.apply(op, args);
            case BOOL -> BoolMath.apply(op, args);
          };
    }
    return out;
  }

  private static double[] cast(double[] x, DType to) {
    double[] out = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] =
          switch (to) {
            case FLOAT32, FLOAT64 -> x[i];
            case INT32 -> (int) x[i];
            case BOOL -> x[i] != 0 ? 1 : 0;
          };
    }
    return out;
  }

  private static double[] full(Full f) {
    double[] out = new double[Math.toIntExact(f.shape().size())];
    Arrays.fill(out, f.value());
    return out;
  }

  private static List<double[]> custom(CustomVjp c, List<double[]> in, List<Aval> types) {
    Trace.Result traced = Trace.trace(c.primal()::apply, types);
    List<double[]> all = new ArrayList<>();
    traced.consts().forEach(t -> all.add(t.toDoubleArray()));
    all.addAll(in);
    return evaluate(traced.tape(), all);
  }
}
