package tapedeck.cpu.reference;

import java.util.Arrays;
import tapedeck.ad.tensor.Reduce;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;

/** Primitives that reduce: reductions over axes, and the matrix product. */
final class Sums {
  private Sums() {}

  static double[] reduce(Reduce r, double[] x, Aval in, Aval result) {
    double[] out = new double[Math.toIntExact(result.shape().size())];
    Arrays.fill(out, empty(r, in.dtype()));
    Shape s = in.shape();
    for (int i = 0; i < x.length; i++) {
      // Position of the element, and with its kept axes that of the result.
      int rest = i;
      int at = 0;
      int stride = 1;
      for (int axis = s.rank() - 1; axis >= 0; axis--) {
        int pos = rest % s.dim(axis);
        rest /= s.dim(axis);
        if (!r.axes().contains(axis)) {
          at += pos * stride;
          stride *= s.dim(axis);
        }
      }
      double a = out[at];
      out[at] =
          switch (r.reducer()) {
            case SUM -> in.dtype() == DType.INT32 ? (int) a + (int) x[i] : a + x[i];
            case PROD -> in.dtype() == DType.INT32 ? (int) a * (int) x[i] : a * x[i];
            case MAX -> Math.max(a, x[i]);
            case MIN -> Math.min(a, x[i]);
          };
    }
    return out;
  }

  /** What no elements reduce to. */
  private static double empty(Reduce r, DType type) {
    return switch (r.reducer()) {
      case SUM -> 0;
      case PROD -> 1;
      case MAX ->
          switch (type) {
            case FLOAT32, FLOAT64 -> Double.NEGATIVE_INFINITY;
            case INT32 -> Integer.MIN_VALUE;
            case BOOL -> 0;
          };
      case MIN ->
          switch (type) {
            case FLOAT32, FLOAT64 -> Double.POSITIVE_INFINITY;
            case INT32 -> Integer.MAX_VALUE;
            case BOOL -> 1;
          };
    };
  }

  /** (batch..., m, k) times (batch..., k, n). */
  static double[] matmul(double[] a, double[] b, Aval left, Aval result) {
    int m = result.shape().dim(-2);
    int n = result.shape().dim(-1);
    int k = left.shape().dim(-1);
    double[] out = new double[Math.toIntExact(result.shape().size())];
    int batches = m * n == 0 ? 0 : out.length / (m * n);
    for (int batch = 0; batch < batches; batch++) {
      for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++) {
          double f = a[(batch * m + i) * k + p];
          int row = (batch * k + p) * n;
          int at = (batch * m + i) * n;
          for (int j = 0; j < n; j++) {
            out[at + j] += f * b[row + j];
          }
        }
      }
    }
    return out;
  }
}
