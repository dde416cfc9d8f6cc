package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Vmap;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TracingException;

/** Maps one call over axes of its arguments, in one pass. */
final class Batching {
  private Batching() {}

  /** Every argument mapped over its leading axis. */
  static In.Axes leading(int arguments) {
    In.Axes axes = In.in(0);
    for (int i = 1; i < arguments; i++) {
      axes = axes.in(0);
    }
    return axes;
  }

  static Object vmap(Call.Body body, In.Axes axes, int out, Object... args) {
    Call call = Call.of("vmap", body, args);
    if (axes.axes().size() != args.length) {
      throw SourceLine.at(
          new TracingException(
              "[vmap] the function has "
                  + args.length
                  + " arguments, but axes are given for "
                  + axes.axes().size()));
    }
    int n = call.leaves.size();
    int[] axis = new int[n];
    boolean[] mapped = new boolean[n];
    List<Aval> avals = new ArrayList<>();
    int size = -1;
    int first = -1;
    for (int arg = 0, i = 0; arg < args.length; arg++) {
      Optional<Integer> a = axes.axes().get(arg);
      for (int k = 0; k < call.groups.get(arg).size(); k++, i++) {
        Aval aval = call.leaves.get(i).aval();
        if (a.isEmpty()) {
          avals.add(aval);
          continue;
        }
        mapped[i] = true;
        axis[i] = axisOf(call, i, a.get());
        int extent = aval.shape().dim(axis[i]);
        if (size >= 0 && extent != size) {
          throw SourceLine.at(
              new ShapeException(
                  "[vmap] mapped axes have different extents: "
                      + size
                      + " in "
                      + describe(call, first)
                      + ", "
                      + extent
                      + " in "
                      + describe(call, i)));
        }
        first = size < 0 ? i : first;
        size = extent;
        avals.add(aval.withShape(aval.shape().without(axis[i])));
      }
    }
    if (size < 0) {
      throw SourceLine.at(new TracingException("[vmap] no argument with a tensor is mapped"));
    }
    Call.Traced t = call.trace(avals);
    int extent = size;
    List<Tensor> results =
        Call.apply(in -> batched(t, in, mapped, axis, extent, out), t.inputs(call.leaves));
    return t.result().unflatten(results);
  }

  private static List<Tensor> batched(
      Call.Traced t, List<Tensor> in, boolean[] mapped, int[] axis, int size, int out) {
    int consts = t.consts().size();
    boolean[] flags = new boolean[in.size()];
    List<Tensor> moved = new ArrayList<>(in);
    for (int i = 0; i < mapped.length; i++) {
      if (mapped[i]) {
        flags[consts + i] = true;
        moved.set(consts + i, in.get(consts + i).moveAxis(axis[i], 0));
      }
    }
    return run(t.tape(), moved, flags, size).stream()
        .map(y -> y.moveAxis(0, outAxis(y, out)))
        .toList();
  }

  /** Runs a tape on a batch in leading axes; all results get the batch as their leading axis. */
  static List<Tensor> run(Tape tape, List<Tensor> inputs, boolean[] flags, int size) {
    Vmap.Result r = Vmap.run(tape, inputs, flags, size);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < r.outputs().size(); i++) {
      Tensor y = r.outputs().get(i);
      Shape whole = y.shape().with(0, size);
      results.add(r.batched()[i] ? y : y.broadcastTo(whole));
    }
    return results;
  }

  private static int axisOf(Call call, int leaf, int axis) {
    int rank = call.leaves.get(leaf).rank();
    int a = axis < 0 ? axis + rank : axis;
    if (a < 0 || a >= rank) {
      throw SourceLine.at(
          new ShapeException(
              "[vmap] "
                  + describe(call, leaf)
                  + " has no axis "
                  + axis
                  + "; do not map this argument, or give it a batch axis"));
    }
    return a;
  }

  private static int outAxis(Tensor y, int out) {
    int a = out < 0 ? out + y.rank() : out;
    if (a < 0 || a >= y.rank()) {
      throw SourceLine.at(
          new ShapeException(
              "[vmap] result " + y.aval() + " has no axis " + out + " for the batch"));
    }
    return a;
  }

  private static String describe(Call call, int leaf) {
    return call.name(leaf) + " " + call.leaves.get(leaf).aval();
  }
}
