package tapedeck.bench.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Orders in which images are visited. {@link Random}'s sequence is specified, so they never change.
 */
public final class Batches {
  private Batches() {}

  /** The numbers 0..n-1 in an order that depends on the seed alone. */
  public static int[] permutation(int n, long seed) {
    int[] p = range(0, n);
    Random random = new Random(seed);
    for (int i = n - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int t = p[i];
      p[i] = p[j];
      p[j] = t;
    }
    return p;
  }

  /**
   * Whole batches of one epoch in shuffled order; the remainder, smaller than a batch, is left out.
   */
  public static List<int[]> shuffled(int n, int batch, long seed, int epoch) {
    int[] order = permutation(n, seed * 1_000_003L + epoch);
    List<int[]> batches = new ArrayList<>(n / batch);
    for (int from = 0; from + batch <= n; from += batch) {
      batches.add(java.util.Arrays.copyOfRange(order, from, from + batch));
    }
    return batches;
  }

  /** All rows in order; the last batch may be smaller. */
  public static List<int[]> inOrder(int n, int batch) {
    List<int[]> batches = new ArrayList<>();
    for (int from = 0; from < n; from += batch) {
      batches.add(range(from, Math.min(n, from + batch)));
    }
    return batches;
  }

  /** The first {@code batch} rows, starting again at 0 where there are fewer. */
  public static int[] first(int n, int batch) {
    int[] rows = range(0, batch);
    for (int i = 0; i < batch; i++) {
      rows[i] %= n;
    }
    return rows;
  }

  private static int[] range(int from, int to) {
    int[] r = new int[to - from];
    for (int i = 0; i < r.length; i++) {
      r[i] = from + i;
    }
    return r;
  }
}
