package tapedeck.bench.adbench;

import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;

/** Small helpers that the four problems share. */
final class Tensors {
  private Tensors() {}

  static Tensor of(DType dtype, double[] data, int... dims) {
    if (dtype == DType.FLOAT64) {
      return Tensor.of(data, dims);
    }
    float[] f = new float[data.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) data[i];
    }
    return Tensor.of(f, dims);
  }

  /** The host copy of a result, whose device memory is given back. */
  static double[] take(Tensor t) {
    try (t) {
      return t.toDoubleArray();
    }
  }

  static double[] join(double[]... parts) {
    return java.util.Arrays.stream(parts).flatMapToDouble(java.util.Arrays::stream).toArray();
  }

  /** The numbers of a result file, of which there must be so many. */
  static double[] read(java.nio.file.Path file, int count) {
    double[] a = AdbenchFormat.readNumbers(file);
    if (a.length != count) {
      throw new DataException("[adbench] " + file + " has " + a.length + " numbers, not " + count);
    }
    return a;
  }
}
