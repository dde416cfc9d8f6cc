package tapedeck.ad.kir;

import java.util.List;
import tapedeck.ad.type.Precision;

/**
 * Says that a kernel is a matrix product: its first phase is {@code Reduce(k, [SUM lhs * rhs])} and
 * its second an {@code Emit} without loops whose stores see the sum as accumulator 0. The grid is
 * batch, m, n in this order; lhs does not depend on n and rhs not on m. A backend may run it with a
 * tuned kernel (evaluating lhs and rhs while packing and the stores on finished tiles), or as the
 * plain loops that it also is.
 *
 * @param batch grid loops on which both operands may depend
 * @param m grid loops over rows of the result
 * @param n grid loops over columns of the result
 * @param k loops of the sum
 * @param lhs element of the left operand
 * @param rhs element of the right operand
 * @param precision to which a float32 product may be computed; HIGHEST for other types
 */
public record Contraction(
    List<Loop> batch,
    List<Loop> m,
    List<Loop> n,
    List<Loop> k,
    Expr lhs,
    Expr rhs,
    Precision precision) {

  /**
   * {@return the product of the extents of some loops, 1 for none}
   *
   * @param loops loops of one nest
   */
  public static long extent(List<Loop> loops) {
    long e = 1;
    for (Loop l : loops) {
      e *= l.extent();
    }
    return e;
  }
}
