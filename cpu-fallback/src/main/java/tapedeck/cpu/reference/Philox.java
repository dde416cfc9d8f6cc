package tapedeck.cpu.reference;

/**
 * Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC
 * 2011, table 2), in unsigned 64-bit arithmetic.
 */
final class Philox {
  private static final long MASK = 0xffffffffL;

  private Philox() {}

  /** Word {@code lane} of the blocks with counters (0,0,0,0), (1,0,0,0), ... under one key. */
  static double[] words(double[] key, int n, int lane) {
    double[] out = new double[n];
    long[] k = {(int) key[0] & MASK, (int) key[1] & MASK};
    for (int i = 0; i < n; i++) {
      out[i] = (int) block(k, new long[] {i, 0, 0, 0})[lane];
    }
    return out;
  }

  /** Ten rounds; all words are unsigned 32-bit numbers. */
  static long[] block(long[] key, long[] counter) {
    long key0 = key[0];
    long key1 = key[1];
    long[] c = counter;
    for (int round = 0; round < 10; round++) {
      long p = 0xD2511F53L * c[0];
      long q = 0xCD9E8D57L * c[2];
      c = new long[] {(q >>> 32) ^ c[1] ^ key0, q & MASK, (p >>> 32) ^ c[3] ^ key1, p & MASK};
      key0 = (key0 + 0x9E3779B9L) & MASK;
      key1 = (key1 + 0xBB67AE85L) & MASK;
    }
    return c;
  }
}
