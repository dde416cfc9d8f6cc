package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.transform.Pytree;
import tapedeck.ad.type.Aval;

/** The tensors of a pytree as float64 values on the host. */
final class HostTree {
  final Pytree tree;
  final List<Tensor> leaves;
  final List<double[]> values = new ArrayList<>();

  HostTree(Object x) {
    Pytree.Flat f = Pytree.flatten(x);
    tree = f.tree();
    leaves = f.leaves();
    leaves.forEach(t -> values.add(t.toDoubleArray()));
  }

  /** A pytree of this structure; leaves that are not of a float type stay as they are. */
  Object with(List<double[]> data) {
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < leaves.size(); i++) {
      Tensor t = leaves.get(i);
      out.add(t.dtype().isFloat() ? tensor(t, data.get(i)) : t);
    }
    return tree.unflatten(out);
  }

  /** Values plus a step along a direction. */
  Object moved(List<double[]> direction, double step) {
    List<double[]> data = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      double[] x = values.get(i).clone();
      for (int k = 0; k < x.length; k++) {
        x[k] += step * direction.get(i)[k];
      }
      data.add(x);
    }
    return with(data);
  }

  /** Entries of +1 or -1 divided by the root of their number, so the direction has length 1. */
  List<double[]> direction(SplittableRandom random) {
    long n = values.stream().mapToLong(v -> v.length).sum();
    double unit = 1 / Math.sqrt((double) Math.max(1, n));
    List<double[]> out = new ArrayList<>();
    for (double[] v : values) {
      double[] d = new double[v.length];
      for (int k = 0; k < d.length; k++) {
        d[k] = random.nextBoolean() ? unit : -unit;
      }
      out.add(d);
    }
    return out;
  }

  private static Tensor tensor(Tensor like, double[] data) {
    return like.device().isEmpty()
        ? tensor(like.aval(), data)
        : Devices.with(like.device(), () -> tensor(like.aval(), data));
  }

  private static Tensor tensor(Aval a, double[] data) {
    return switch (a.dtype()) {
      case FLOAT64 -> Tensor.of(data, a.shape().dims());
      case FLOAT32 -> {
        float[] f = new float[data.length];
        for (int i = 0; i < f.length; i++) {
          f[i] = (float) data[i];
        }
        yield Tensor.of(f, a.shape().dims());
      }
      case INT32, BOOL -> throw new IllegalArgumentException(a.toString());
    };
  }
}
