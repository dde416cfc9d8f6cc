package tapedeck.bench.work;

import java.util.SplittableRandom;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * An operand on the host, from which each device gets its own.
 *
 * @param array {@code float[]}, {@code double[]} or {@code int[]}
 */
public record HostTensor(Object array, int... shape) {

  /** The tensor on the default device. */
  public Tensor tensor() {
    return switch (array) {
      case float[] f -> Tensor.of(f, shape);
      case double[] d -> Tensor.of(d, shape);
      case int[] i -> Tensor.of(i, shape);
      default -> throw new IllegalArgumentException("[work] no tensor of " + array.getClass());
    };
  }

  static HostTensor of(Tensor t) {
    return new HostTensor(
        t.dtype() == DType.FLOAT32 ? t.toFloatArray() : t.toDoubleArray(), t.shape().dims());
  }

  /** float32 numbers in [lo, hi) that depend on the seed alone. */
  static HostTensor uniform(long seed, double lo, double hi, int... shape) {
    SplittableRandom r = new SplittableRandom(seed);
    float[] f = new float[size(shape)];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) r.nextDouble(lo, hi);
    }
    return new HostTensor(f, shape);
  }

  /** As {@link #uniform}, in float64. */
  static HostTensor uniform64(long seed, double lo, double hi, int... shape) {
    SplittableRandom r = new SplittableRandom(seed);
    double[] d = new double[size(shape)];
    for (int i = 0; i < d.length; i++) {
      d[i] = r.nextDouble(lo, hi);
    }
    return new HostTensor(d, shape);
  }

  private static int size(int... shape) {
    int n = 1;
    for (int s : shape) {
      n = Math.multiplyExact(n, s);
    }
    return n;
  }
}
