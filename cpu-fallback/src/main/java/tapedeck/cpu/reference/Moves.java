package tapedeck.cpu.reference;

import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import tapedeck.ad.tensor.Iota;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.ScatterAdd;
import tapedeck.ad.tensor.Take;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;

/** Primitives that only place elements elsewhere, and the two that are indexed by data. */
final class Moves {
  private Moves() {}

  /**
   * Calls {@code visit} with every position of a shape, in row-major order; the array is reused.
   */
  private static void each(Shape s, ObjIntConsumer<int[]> visit) {
    int[] at = new int[s.rank()];
    int size = Math.toIntExact(s.size());
    for (int i = 0; i < size; i++) {
      visit.accept(at, i);
      for (int axis = at.length - 1; axis >= 0 && ++at[axis] == s.dim(axis); axis--) {
        at[axis] = 0;
      }
    }
  }

  private static int flat(Shape s, int[] at) {
    int i = 0;
    for (int axis = 0; axis < at.length; axis++) {
      i = i * s.dim(axis) + at[axis];
    }
    return i;
  }

  static double[] apply(Movement m, List<double[]> in, List<Aval> types, Aval result) {
    double[] x = in.get(0);
    Shape from = types.get(0).shape();
    double[] out = new double[Math.toIntExact(result.shape().size())];
    int[] source = new int[from.rank()];
    switch (m) {
      case Movement.Reshape r -> System.arraycopy(x, 0, out, 0, out.length);
      case Movement.Transpose t ->
          each(
              result.shape(),
              (at, i) -> {
                for (int axis = 0; axis < at.length; axis++) {
                  source[t.perm().get(axis)] = at[axis];
                }
                out[i] = x[flat(from, source)];
              });
      case Movement.Broadcast b ->
          each(
              result.shape(),
              (at, i) -> {
                for (int axis = 0; axis < source.length; axis++) {
                  source[axis] = from.dim(axis) == 1 ? 0 : at[b.axes().get(axis)];
                }
                out[i] = x[flat(from, source)];
              });
      case Movement.Slice s ->
          each(
              result.shape(),
              (at, i) -> {
                for (int axis = 0; axis < at.length; axis++) {
                  source[axis] = s.start().get(axis) + at[axis] * s.step().get(axis);
                }
                out[i] = x[flat(from, source)];
              });
      case Movement.Flip f ->
          each(
              result.shape(),
              (at, i) -> {
                for (int axis = 0; axis < at.length; axis++) {
                  source[axis] = f.axes().contains(axis) ? from.dim(axis) - 1 - at[axis] : at[axis];
                }
                out[i] = x[flat(from, source)];
              });
      case Movement.Pad p -> {
        Arrays.fill(out, p.value());
        int[] target = new int[from.rank()];
        each(
            from,
            (at, i) -> {
              for (int axis = 0; axis < at.length; axis++) {
                target[axis] = p.lo().get(axis) + at[axis] * (1 + p.gap().get(axis));
              }
              out[flat(result.shape(), target)] = x[i];
            });
      }
      case Movement.Concatenate c -> {
        int[] offset = new int[1];
        for (int k = 0; k < in.size(); k++) {
          double[] part = in.get(k);
          each(
              types.get(k).shape(),
              (at, i) -> {
                int[] target = at.clone();
                target[c.axis()] += offset[0];
                out[flat(result.shape(), target)] = part[i];
              });
          offset[0] += types.get(k).shape().dim(c.axis());
        }
      }
    }
    return out;
  }

  private static int clamp(double index, int extent) {
    return (int) Math.max(0, Math.min(index, extent - 1));
  }

  static double[] take(Take t, double[] x, double[] indices, Aval in, Aval result) {
    double[] out = new double[Math.toIntExact(result.shape().size())];
    each(
        result.shape(),
        (at, i) -> {
          int[] source = at.clone();
          source[t.axis()] = clamp(indices[at[t.axis()]], in.shape().dim(t.axis()));
          out[i] = x[flat(in.shape(), source)];
        });
    return out;
  }

  static double[] scatterAdd(
      ScatterAdd s, double[] updates, double[] indices, Aval in, Aval result) {
    double[] out = new double[Math.toIntExact(result.shape().size())];
    each(
        in.shape(),
        (at, i) -> {
          int[] target = at.clone();
          target[s.axis()] = clamp(indices[at[s.axis()]], s.extent());
          int o = flat(result.shape(), target);
          out[o] =
              in.dtype() == DType.INT32 ? (int) out[o] + (int) updates[i] : out[o] + updates[i];
        });
    return out;
  }

  static double[] iota(Iota iota) {
    double[] out = new double[Math.toIntExact(iota.shape().size())];
    each(iota.shape(), (at, i) -> out[i] = at[iota.axis()]);
    return out;
  }
}
