package tapedeck.peers;

/**
 * A product of an (m,k) and a (k,n) matrix, of which one may be stored transposed: the name ends in
 * {@code -nn}, {@code -tn} or {@code -nt}.
 */
record Product(
    int m, int k, int n, boolean transposedLeft, boolean transposedRight, boolean float64) {

  static Product of(String name, TensorFile data) {
    long[] a = data.shape(name + "/a");
    long[] b = data.shape(name + "/b");
    boolean ta = name.endsWith("-tn");
    boolean tb = name.endsWith("-nt");
    return new Product(
        (int) a[ta ? 1 : 0],
        (int) a[ta ? 0 : 1],
        (int) b[tb ? 0 : 1],
        ta,
        tb,
        data.isFloat64(name + "/a"));
  }

  /** Elements between the rows of the left matrix as it is stored. */
  int lda() {
    return transposedLeft ? m : k;
  }

  /** Elements between the rows of the right matrix as it is stored. */
  int ldb() {
    return transposedRight ? k : n;
  }
}
