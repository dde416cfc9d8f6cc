package tapedeck.peers;

import java.util.List;

/** Results that are compared: all of a short one, evenly spaced numbers of a long one. */
final class Thin {
  /** The benchmark uses the same two numbers. */
  private static final int MOST = 1 << 20;

  private static final int STRIDE = 257;

  private Thin() {}

  static double[] join(List<double[]> parts) {
    int n = parts.stream().mapToInt(p -> p.length).sum();
    double[] all = new double[n];
    int at = 0;
    for (double[] p : parts) {
      System.arraycopy(p, 0, all, at, p.length);
      at += p.length;
    }
    if (n <= MOST) {
      return all;
    }
    double[] out = new double[(n + STRIDE - 1) / STRIDE];
    for (int i = 0; i < out.length; i++) {
      out[i] = all[i * STRIDE];
    }
    return out;
  }
}
