package tapedeck.opencl.render;

import java.util.List;
import java.util.Optional;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/**
 * A matrix product as the tiled forms see it: extents, operand expressions and the stores of
 * finished elements.
 */
record Product(
    Contraction c, DType dtype, long batch, long m, long n, long k, List<Phase.Store> stores) {

  /** Products with fewer multiplications are not worth the compile time of tiles. */
  private static final double SMALL = 16384;

  /**
   * The kernel's product, if it is one of floats and large enough in every direction to be worth
   * tiles.
   */
  static Optional<Product> of(Kernel kernel) {
    if (kernel.contraction().isEmpty()
        || kernel.phases().size() != 2
        || !(kernel.phases().get(0) instanceof Phase.Reduce r)
        || !(kernel.phases().get(1) instanceof Phase.Emit e)) {
      return Optional.empty();
    }
    Contraction c = kernel.contraction().get();
    DType t = r.accs().get(0).dtype();
    Product p =
        new Product(
            c,
            t,
            Contraction.extent(c.batch()),
            Contraction.extent(c.m()),
            Contraction.extent(c.n()),
            Contraction.extent(c.k()),
            e.stores());
    double work = (double) p.batch() * p.m() * p.n() * p.k();
    return t.isFloat() && work >= SMALL ? Optional.of(p) : Optional.empty();
  }

  /** {@code acc + a * b} with one rounding where the hardware has it. */
  static String multiplyAdd(DType t, boolean fused, String a, String b, String acc) {
    return fused || t == DType.FLOAT64
        ? "fma(" + a + ", " + b + ", " + acc + ")"
        : acc + " + " + a + " * " + b;
  }

  /** Whether an operand is a plain load with a fixed stride along the only k loop. */
  boolean plain(Expr side) {
    return side instanceof Expr.Load l && l.index().isAffine() && c.k().size() == 1;
  }

  /** Whether most of an operand's loads that depend on these loops are of consecutive elements. */
  static boolean contiguous(Writer w, Expr side, List<Loop> loops) {
    if (loops.isEmpty()) {
      return false;
    }
    Phase probe =
        new Phase.Reduce(
            List.of(),
            List.of(new Phase.Accumulator(0, tapedeck.ad.kir.Reducer.SUM, side.dtype(), side)));
    return Access.of(w, List.of(probe), loops.getLast(), false).mostlyContiguous();
  }

  /** Whether an operand can be computed in vectors along the innermost of some loops. */
  static boolean vectorises(Writer w, Expr side, List<Loop> loops) {
    if (loops.isEmpty()) {
      return false;
    }
    Phase probe =
        new Phase.Reduce(
            List.of(),
            List.of(new Phase.Accumulator(0, tapedeck.ad.kir.Reducer.SUM, side.dtype(), side)));
    return Access.of(w, List.of(probe), loops.getLast(), false).worthLanes();
  }

  static long stride(Expr side, Loop loop) {
    Index i = ((Expr.Load) side).index();
    return i.coef(loop);
  }
}
