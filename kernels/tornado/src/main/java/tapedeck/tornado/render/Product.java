package tapedeck.tornado.render;

import java.util.List;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/**
 * A kernel that is a matrix product, and what its forms have in common.
 *
 * @param c operands and loops
 * @param dtype type of the sums
 * @param stores what is done with each sum, accumulator 0
 * @param batch extent of the batch loops
 * @param m rows of the result
 * @param n columns of the result
 * @param k terms of a sum
 */
record Product(
    Contraction c, DType dtype, List<Phase.Store> stores, int batch, int m, int n, int k) {
  /** Products with fewer multiplications are not worth the compile time. */
  private static final double SMALL = 32768;

  /** The kernel as a product, or null where it is none, or too small or thin for tiles. */
  static Product of(Kernel kernel) {
    if (kernel.contraction().isEmpty()
        || kernel.phases().size() != 2
        || !(kernel.phases().get(0) instanceof Phase.Reduce r)
        || !(kernel.phases().get(1) instanceof Phase.Emit e)) {
      return null;
    }
    Contraction c = kernel.contraction().get();
    DType t = r.accs().getFirst().dtype();
    long m = Contraction.extent(c.m());
    long n = Contraction.extent(c.n());
    long k = Contraction.extent(c.k());
    if (!t.isFloat() || (double) kernel.points() * k < SMALL || m < 4 || n < 8 || k < 8) {
      return null;
    }
    return new Product(
        c,
        t,
        e.stores(),
        Math.toIntExact(Contraction.extent(c.batch())),
        Math.toIntExact(m),
        Math.toIntExact(n),
        Math.toIntExact(k));
  }

  static int blocks(int extent, int step) {
    return (extent + step - 1) / step;
  }

  /** Whether the operand is a plain load whose neighbours along the loops are neighbours. */
  static boolean contiguous(Expr side, List<Loop> along) {
    return side instanceof Expr.Load l
        && along.size() == 1
        && l.index().isAffine()
        && l.index().coef(along.getFirst()) == 1;
  }
}
