package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Jvp;
import tapedeck.ad.transform.Vjp;
import tapedeck.ad.transform.Vmap;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;

/** Tapes of transformed tapes: every transform gives a tape whose inputs are all that it needs. */
final class Tapes {
  private Tapes() {}

  /**
   * A function as a tape without captured constants.
   *
   * @param consts values of the first inputs, which the function had captured
   */
  record Traced(Tape tape, List<double[]> consts) {
    List<double[]> inputs(List<double[]> args) {
      List<double[]> all = new ArrayList<>(consts);
      all.addAll(args);
      return all;
    }
  }

  /** The tape of a variant. */
  static Traced of(OpSample.Variant v, DType dtype) {
    return of(x -> List.of(v.fn().apply(x.toArray(Tensor[]::new))), v.avals(dtype));
  }

  static Traced of(Trace.Fn fn, List<Aval> args) {
    Trace.Result r = Trace.trace(fn, args);
    return new Traced(r.tape().closed(), r.consts().stream().map(Tensor::toDoubleArray).toList());
  }

  /** Whether each input is differentiable. */
  static boolean[] floats(Tape t) {
    boolean[] wrt = new boolean[t.inputs().size()];
    for (int i = 0; i < wrt.length; i++) {
      wrt[i] = t.inputs().get(i).aval().dtype().isFloat();
    }
    return wrt;
  }

  /** Types of the differentiable inputs. */
  static List<Aval> floatInputs(Tape t) {
    return t.inputAvals().stream().filter(a -> a.dtype().isFloat()).toList();
  }

  /** (inputs, cotangents of the outputs) to cotangents of the float inputs. */
  static Tape vjp(Tape t) {
    int n = t.inputs().size();
    List<Aval> in = new ArrayList<>(t.inputAvals());
    in.addAll(t.outputAvals());
    return Trace.closed(
        x -> Vjp.forward(t, x.subList(0, n), floats(t)).pullback(x.subList(n, x.size())), in);
  }

  /** (inputs, tangents of the float inputs) to tangents of the outputs. */
  static Tape jvp(Tape t) {
    int n = t.inputs().size();
    boolean[] wrt = floats(t);
    List<Aval> in = new ArrayList<>(t.inputAvals());
    in.addAll(floatInputs(t));
    return Trace.closed(
        x -> {
          Tensor[] tangents = new Tensor[n];
          int at = n;
          for (int i = 0; i < n; i++) {
            tangents[i] = wrt[i] ? x.get(at++) : null;
          }
          Jvp.Result r = Jvp.run(t, x.subList(0, n), Arrays.asList(tangents));
          List<Tensor> out = new ArrayList<>();
          for (int i = 0; i < r.tangents().size(); i++) {
            Tensor d = r.tangents().get(i);
            out.add(d == null ? r.outputs().get(i).zerosLike() : d);
          }
          return out;
        },
        in);
  }

  /** The tape on inputs of which some carry a leading batch axis; all outputs carry it. */
  static Tape vmap(Tape t, boolean[] batched, int size) {
    List<Aval> in = new ArrayList<>();
    for (int i = 0; i < batched.length; i++) {
      Aval a = t.inputAvals().get(i);
      in.add(batched[i] ? a.withShape(a.shape().with(0, size)) : a);
    }
    return Trace.closed(
        x -> {
          Vmap.Result r = Vmap.run(t, x, batched, size);
          List<Tensor> out = new ArrayList<>();
          for (int i = 0; i < r.outputs().size(); i++) {
            Tensor y = r.outputs().get(i);
            out.add(r.batched()[i] ? y : y.broadcastTo(y.shape().with(0, size)));
          }
          return out;
        },
        in);
  }

  /** One tape that does what several do: their inputs and outputs one after the other. */
  static Tape merge(List<Tape> tapes) {
    int next = 0;
    List<Map<Var, Var>> names = new ArrayList<>();
    List<Var> inputs = new ArrayList<>();
    for (Tape t : tapes) {
      Map<Var, Var> map = new HashMap<>();
      for (Var v : t.inputs()) {
        Var n = new Var(next++, v.aval());
        map.put(v, n);
        inputs.add(n);
      }
      names.add(map);
    }
    List<Eqn> eqns = new ArrayList<>();
    List<Var> outputs = new ArrayList<>();
    for (int k = 0; k < tapes.size(); k++) {
      Map<Var, Var> map = names.get(k);
      for (Eqn e : tapes.get(k).eqns()) {
        List<Var> outs = new ArrayList<>();
        for (Var v : e.outs()) {
          Var n = new Var(next++, v.aval());
          map.put(v, n);
          outs.add(n);
        }
        eqns.add(new Eqn(e.primitive(), e.ins().stream().map(map::get).toList(), outs, e.source()));
      }
      tapes.get(k).outputs().forEach(v -> outputs.add(map.get(v)));
    }
    return new Tape(inputs, 0, eqns, outputs);
  }
}
