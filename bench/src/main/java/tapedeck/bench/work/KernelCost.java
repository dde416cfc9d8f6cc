package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;

/**
 * What a kernel must at least do. Every buffer moves once in each direction in which it is used. An
 * operation counts once for each combination of the loops on which it depends, so that what can be
 * taken out of a loop is; a library function counts as {@link tapedeck.ad.kir.ScalarOp#cost} cheap
 * ones. Computing indices costs nothing.
 *
 * @param bytes moved
 * @param operations scalar operations
 * @param product whether the operations are a matrix product's: multiplications fuse with additions
 * @param float64 whether it computes in float64
 */
public record KernelCost(long bytes, double operations, boolean product, boolean float64) {

  /** The cost of one launch of a kernel. */
  public static KernelCost of(Kernel k) {
    long bytes = 0;
    boolean wide = false;
    for (Kernel.Param p : k.params()) {
      bytes += p.elements() * p.dtype().bytes() * ((p.read() ? 1 : 0) + (p.written() ? 1 : 0));
      wide |= p.dtype() == DType.FLOAT64;
    }
    double operations = new Counter(k).count();
    return new KernelCost(bytes, operations, k.contraction().isPresent(), wide);
  }

  private static final class Counter {
    private final Kernel kernel;
    private final Map<Expr, Set<Loop>> loops = new IdentityHashMap<>();
    private double total;

    Counter(Kernel kernel) {
      this.kernel = kernel;
    }

    double count() {
      double points = kernel.points();
      for (Phase p : kernel.phases()) {
        double each = points * Contraction.extent(p.loops());
        switch (p) {
          case Phase.Reduce r -> {
            r.accs().forEach(a -> visit(a.value()));
            total += each * r.accs().size();
          }
          case Phase.Emit e -> e.stores().forEach(s -> visit(s.value()));
          case Phase.ScatterAdd s -> {
            visit(s.store().value());
            total += each;
          }
        }
      }
      return total;
    }

    /** Adds the cost of an expression that was not seen before; returns the loops it depends on. */
    private Set<Loop> visit(Expr e) {
      Set<Loop> known = loops.get(e);
      if (known != null) {
        return known;
      }
      Set<Loop> on = new HashSet<>();
      switch (e) {
        case Expr.Const _ -> {}
        // A sum is known once per grid point.
        case Expr.Acc _ -> on.addAll(kernel.grid());
        case Expr.Load l -> index(l.index(), on);
        case Expr.IndexValue v -> index(v.index(), on);
        case Expr.Guarded g -> {
          g.bounds().forEach(b -> index(b.index(), on));
          on.addAll(visit(g.value()));
          on.addAll(visit(g.otherwise()));
        }
        case Expr.Apply a -> {
          a.args().forEach(x -> on.addAll(visit(x)));
          total += a.op().cost() * (double) Contraction.extent(new ArrayList<>(on));
        }
      }
      loops.put(e, on);
      return on;
    }

    private void index(Index index, Set<Loop> on) {
      for (Index.Term t : index.terms()) {
        switch (t.atom()) {
          case Index.Var v -> on.add(v.loop());
          case Index.Div d -> index(d.arg(), on);
          case Index.Mod m -> index(m.arg(), on);
          case Index.Dyn d -> on.addAll(visit(d.value()));
        }
      }
    }
  }

  /** The least time for some kernels one after the other. */
  public static double bound(List<KernelCost> kernels, Limits limits) {
    return kernels.stream().mapToDouble(limits::seconds).sum();
  }
}
