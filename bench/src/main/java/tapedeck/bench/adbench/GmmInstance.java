package tapedeck.bench.adbench;

import java.nio.file.Path;

/**
 * A Gaussian mixture fit: {@code n} points in {@code d} dimensions, {@code k} components.
 *
 * @param alphas k mixture weights before softmax
 * @param means k rows of d
 * @param icf k rows of d(d+1)/2: log diagonal, then the strict lower triangle column by column
 * @param x n rows of d
 * @param gamma prior precision
 * @param m prior degrees of freedom
 */
public record GmmInstance(
    int d,
    int k,
    int n,
    double[] alphas,
    double[] means,
    double[] icf,
    double[] x,
    double gamma,
    int m) {

  /**
   * Reads {@code d k n}, alphas, means, icf rows, points, {@code gamma m}. A file with one point
   * for n &gt; 1 stands for n copies of it.
   *
   * @throws tapedeck.ad.type.DataException with file and line where it is not of that form
   */
  public static GmmInstance read(Path file) {
    TokenReader in = new TokenReader(file, ' ');
    int d = in.integer("d", 1, 1 << 14);
    int k = in.integer("k", 1, 1 << 20);
    int n = in.integer("n", 1, 1 << 27);
    int row = d * (d + 1) / 2;
    in.checkCount((long) k * (1 + d + row) + d + 2, "parameters, points, gamma and m");
    double[] alphas = in.numbers(k, "a weight");
    double[] means = in.numbers(k * d, "a mean");
    double[] icf = in.numbers(k * row, "a covariance factor");
    boolean replicated = n > 1 && in.remaining() == d + 2L;
    double[] x;
    if (replicated) {
      double[] point = in.numbers(d, "a point");
      x = new double[n * d];
      for (int i = 0; i < x.length; i++) {
        x[i] = point[i % d];
      }
    } else {
      in.checkCount((long) n * d + 2, "points, gamma and m");
      x = in.numbers(n * d, "a point");
    }
    double gamma = in.number("gamma");
    int m = in.integer("m", 0, 1 << 20);
    in.expectEnd();
    return new GmmInstance(d, k, n, alphas, means, icf, x, gamma, m);
  }
}
