package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Iota;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TracingException;

/** Jacobians: derivatives along all basis directions, as one batch. */
final class Jacobians {
  private Jacobians() {}

  /** (result shape, argument shape), one column per element of the argument by forward mode. */
  static Tensor forward(Call.Body body, Tensor x) {
    String op = "jacfwd";
    Call call = Call.of(op, body, x);
    Call.Traced t = traced(op, call);
    Aval y = t.tape().outputAvals().get(0);
    int n = extent(op, x.aval());
    return Call.apply(
            in -> {
              int primals = in.size();
              Trace.Result j =
                  Trace.trace(
                      v ->
                          List.of(
                              Gradients.pushForward(
                                      t, v.subList(0, primals), v.subList(primals, v.size()))
                                  .get(1)),
                      with(t.tape().inputAvals(), x.aval()));
              Tensor columns = batch(j, in, basis(x.aval(), n, in), n);
              int[] order =
                  IntStream.range(0, y.rank() + 1).map(i -> (i + 1) % (y.rank() + 1)).toArray();
              return List.of(columns.transpose(order).reshape(joined(y.shape(), x.shape())));
            },
            t.inputs(call.leaves))
        .get(0);
  }

  /** (result shape, argument shape), one row per element of the result by reverse mode. */
  static Tensor reverse(Call.Body body, Tensor x) {
    String op = "jacrev";
    Call call = Call.of(op, body, x);
    Call.Traced t = traced(op, call);
    Aval y = t.tape().outputAvals().get(0);
    int n = extent(op, y);
    return Call.apply(
            in -> {
              int primals = in.size();
              Trace.Result j =
                  Trace.trace(
                      v ->
                          List.of(
                              Gradients.pullBack(
                                      t, v.subList(0, primals), 1, v.subList(primals, v.size()))
                                  .get(1)),
                      with(t.tape().inputAvals(), y));
              Tensor rows = batch(j, in, basis(y, n, in), n);
              return List.of(rows.reshape(joined(y.shape(), x.shape())));
            },
            t.inputs(call.leaves))
        .get(0);
  }

  private static Call.Traced traced(String op, Call call) {
    call.requireFloats();
    Call.Traced t = call.trace();
    if (!(t.result() instanceof Pytree.Leaf)) {
      throw SourceLine.at(new TracingException("[" + op + "] the function must return one tensor"));
    }
    Aval y = t.tape().outputAvals().get(0);
    if (!y.dtype().isFloat()) {
      throw SourceLine.at(
          new DTypeException("[" + op + "] the function must return f32 or f64, not " + y));
    }
    return t;
  }

  private static int extent(String op, Aval a) {
    if (a.shape().size() > Integer.MAX_VALUE) {
      throw SourceLine.at(new ShapeException("[" + op + "] too many elements: " + a));
    }
    return (int) a.shape().size();
  }

  private static List<Aval> with(List<Aval> avals, Aval last) {
    List<Aval> all = new ArrayList<>(avals);
    all.add(last);
    return all;
  }

  /** The tape applied to every row of {@code directions}, its last input. */
  private static Tensor batch(Trace.Result j, List<Tensor> in, Tensor directions, int n) {
    List<Tensor> inputs = new ArrayList<>(j.inputs(in));
    inputs.add(directions);
    boolean[] flags = new boolean[inputs.size()];
    flags[flags.length - 1] = true;
    return Batching.run(j.tape(), inputs, flags, n).get(0);
  }

  /** All unit tensors of a type, stacked; traced, so that it is computed where it is used. */
  private static Tensor basis(Aval a, int n, List<Tensor> in) {
    Shape square = Shape.of(n, n);
    Tensor row = Trace.bind(new Iota(DType.INT32, square, 0), List.of(), in).get(0);
    Tensor column = Trace.bind(new Iota(DType.INT32, square, 1), List.of(), in).get(0);
    return row.eq(column).cast(a.dtype()).reshape(a.shape().with(0, n));
  }

  private static Shape joined(Shape y, Shape x) {
    return Shape.of(IntStream.concat(IntStream.of(y.dims()), IntStream.of(x.dims())).toArray());
  }
}
