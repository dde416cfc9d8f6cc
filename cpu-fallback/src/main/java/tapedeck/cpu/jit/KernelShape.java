package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** What can be read off a kernel without generating it. */
record KernelShape(Kernel kernel) {
  /** Fewest columns of a work unit where several are to share one row of accumulators. */
  private static final int SHARED_CHUNK = 512;

  /** Columns are shared out in multiples of this. */
  private static final int ALIGNED = 128;

  /** Units of a reduction over columns that are enough. */
  private static final int SHARES = 8;

  boolean hasFloat64() {
    return hasFloat64(roots());
  }

  static boolean hasFloat64(List<Expr> values) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return values.stream().anyMatch(e -> hasFloat64(e, seen));
  }

  private static boolean hasFloat64(Expr e, Set<Expr> seen) {
    return seen.add(e)
        && (e.dtype() == DType.FLOAT64 || e.children().stream().anyMatch(c -> hasFloat64(c, seen)));
  }

  private List<Expr> roots() {
    List<Expr> out = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      switch (p) {
        case Phase.Reduce r -> r.accs().forEach(a -> out.add(a.value()));
        case Phase.Emit e -> e.stores().forEach(s -> out.add(s.value()));
        case Phase.ScatterAdd s -> out.add(s.store().value());
      }
    }
    return out;
  }

  /** Whether all is done in a few vector instructions, with nothing kept per element. */
  boolean isCheap() {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return roots().stream().allMatch(e -> isCheap(e, seen)) && seen.size() < 24;
  }

  private static boolean isCheap(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return true;
    }
    boolean cheap =
        switch (e) {
          case Expr.Apply a -> a.op().cost() <= 4 && a.op() != ScalarOp.UMULHI;
          case Expr.Const c -> true;
          case Expr.Acc a -> true;
          case Expr.Load l -> l.index().isAffine();
          case Expr.IndexValue v -> false;
          case Expr.Guarded g -> false;
        };
    return cheap && e.children().stream().allMatch(c -> isCheap(c, seen));
  }

  KernelGen.Mode mode(int shortest) {
    long columns = kernel.grid().isEmpty() ? 1 : kernel.grid().getLast().extent();
    boolean loops = false;
    for (Phase p : kernel.phases()) {
      loops |= !p.loops().isEmpty();
      if (p instanceof Phase.ScatterAdd s) {
        return columns >= shortest && scatterFits(s)
            ? KernelGen.Mode.COLUMNS
            : KernelGen.Mode.SCALAR;
      }
    }
    if (!loops) {
      return columns >= shortest ? KernelGen.Mode.COLUMNS : KernelGen.Mode.SCALAR;
    }
    long rows = 1;
    for (Phase p : kernel.phases()) {
      rows = Math.max(rows, p.loops().isEmpty() ? 1 : p.loops().getLast().extent());
    }
    if (columns < shortest || rows < shortest) {
      return rows >= shortest
          ? KernelGen.Mode.ROWS
          : columns >= shortest ? KernelGen.Mode.COLUMNS : KernelGen.Mode.SCALAR;
    }
    // A row that does not fill a vector wastes more than strided access to many rows costs.
    boolean narrow = rows < Vec.LANES && columns >= Vec.LANES;
    return narrow || !liesInRows() ? KernelGen.Mode.COLUMNS : KernelGen.Mode.ROWS;
  }

  /** Whether operands are contiguous along the innermost loops of phases rather than the grid's. */
  boolean liesInRows() {
    long asRows = 0;
    long asColumns = 0;
    for (Phase p : kernel.phases()) {
      if (!p.loops().isEmpty()) {
        Loop inner = p.loops().getLast();
        Loop outer = kernel.grid().isEmpty() ? inner : kernel.grid().getLast();
        for (Index i : indices(p)) {
          asRows += score(i, inner);
          asColumns += score(i, outer);
        }
      }
    }
    return asColumns <= asRows;
  }

  /**
   * Columns of a work unit: fewer where a reduction would be one unit or two.
   *
   * @param usual columns otherwise
   */
  int columnChunk(int usual) {
    boolean reduces = kernel.phases().stream().anyMatch(p -> p instanceof Phase.Reduce);
    List<Loop> outer = kernel.grid().subList(0, kernel.grid().size() - 1);
    if (!reduces || Contraction.extent(outer) >= SHARES) {
      return usual;
    }
    long share = (kernel.grid().getLast().extent() + SHARES - 1) / SHARES;
    return Math.clamp((share + ALIGNED - 1) / ALIGNED * ALIGNED, SHARED_CHUNK, usual);
  }

  /** Whether an operand is contiguous along an outer grid loop and not along the innermost. */
  boolean isTransposed() {
    if (kernel.grid().size() < 2) {
      return false;
    }
    Loop inner = kernel.grid().getLast();
    List<Loop> outer = kernel.grid().subList(0, kernel.grid().size() - 1);
    return kernel.phases().stream()
        .flatMap(p -> indices(p).stream())
        .anyMatch(i -> Math.abs(i.coef(inner)) > 1 && outer.stream().anyMatch(l -> i.coef(l) == 1));
  }

  private boolean scatterFits(Phase.ScatterAdd s) {
    Loop axis = kernel.grid().getLast();
    // Targets that are not neighbours are added to one by one, whatever form the rest has.
    return s.store().index().coef(axis) == 1
        && s.bounds().stream().noneMatch(b -> b.index().dependsOn(axis));
  }

  /** Contiguous is good, strided is bad, unchanging is free. */
  private static int score(Index i, Loop axis) {
    return i.coef(axis) == 1 ? 1 : i.dependsOn(axis) ? -2 : 0;
  }

  private static List<Index> indices(Phase p) {
    List<Index> out = new ArrayList<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    switch (p) {
      case Phase.Reduce r -> r.accs().forEach(a -> collect(a.value(), out, seen));
      case Phase.Emit e ->
          e.stores()
              .forEach(
                  s -> {
                    out.add(s.index());
                    collect(s.value(), out, seen);
                  });
      case Phase.ScatterAdd s -> collect(s.store().value(), out, seen);
    }
    return out;
  }

  private static void collect(Expr e, List<Index> out, Set<Expr> seen) {
    if (seen.add(e)) {
      if (e instanceof Expr.Load l) {
        out.add(l.index());
      }
      e.children().forEach(c -> collect(c, out, seen));
    }
  }
}
