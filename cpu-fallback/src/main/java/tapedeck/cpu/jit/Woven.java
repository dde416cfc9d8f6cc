package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Substitution;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;

/**
 * Elementwise kernels on rows that are shorter than a vector, such as outer products with a few
 * elements. So many rows as fill whole vectors become one: results lie one after another as before,
 * and operands, of which a vector needs few elements, are loaded once and distributed over the
 * lanes.
 */
final class Woven {
  /** Most vectors of the rows that become one. */
  private static final int MOST = 8;

  /** Most instructions, loads and stores for these vectors. */
  private static final int INSTRUCTIONS = 96;

  private Woven() {}

  /**
   * How an operand's elements follow one another: element k of the row is {@code k / by * whole + k
   * % by * rest} elements from the first.
   *
   * @param by elements of one of the rows that were joined
   */
  record Pattern(long by, long whole, long rest) {
    /** The pattern of an operand, or null if the axis occurs in any other way. */
    static @Nullable Pattern of(Index index, Loop axis) {
      long by = 0;
      long whole = 0;
      long rest = 0;
      for (Index.Term t : index.terms()) {
        if (!new Index(0, List.of(t)).dependsOn(axis)) {
          continue;
        }
        long divisor;
        switch (t.atom()) {
          case Index.Div d when d.arg().equals(Index.of(axis)) -> {
            divisor = d.by();
            whole = t.coef();
          }
          case Index.Mod m when m.arg().equals(Index.of(axis)) -> {
            divisor = m.by();
            rest = t.coef();
          }
          default -> {
            return null;
          }
        }
        if (by != 0 && by != divisor) {
          return null;
        }
        by = divisor;
      }
      return by == 0 ? null : new Pattern(by, whole, rest);
    }

    long element(long k) {
      return k / by * whole + k % by * rest;
    }

    /** The least element of a vector that begins at element k of the row. */
    long first(long k, int lanes) {
      long least = element(k);
      for (int i = 1; i < lanes; i++) {
        least = Math.min(least, element(k + i));
      }
      return least;
    }

    /** Whether all elements of each vector of a row lie within as many as a vector has. */
    boolean suits(long extent, int lanes) {
      for (long k = 0; k < extent; k += lanes) {
        long first = first(k, lanes);
        for (int i = 0; i < lanes; i++) {
          if (element(k + i) - first >= lanes) {
            return false;
          }
        }
      }
      return true;
    }
  }

  /** The kernel with rows joined, or as it is where they are long enough or cannot be. */
  static Kernel of(Kernel kernel) {
    List<Loop> grid = kernel.grid();
    int n = grid.size();
    if (!Optimisation.WOVEN_ROWS.isOn()
        || n < 2
        || kernel.phases().size() != 1
        || !(kernel.phases().getFirst() instanceof Phase.Emit e)
        || !e.loops().isEmpty()
        || Transposes.of(kernel) != null) {
      return kernel;
    }
    int lanes = VectorCode.lanes(new KernelShape(kernel).hasFloat64());
    Loop row = grid.get(n - 2);
    Loop axis = grid.getLast();
    long together = lanes / gcd(lanes, axis.extent());
    long vectors = together * axis.extent() / lanes;
    if (axis.extent() >= lanes
        || axis.extent() < 2
        || row.extent() % together > 0
        || vectors > MOST) {
      return kernel;
    }
    int id = grid.stream().mapToInt(Loop::id).max().orElseThrow();
    Loop outside = new Loop(id + 1, row.extent() / together);
    Loop joined = new Loop(id + 2, together * axis.extent());
    Map<Loop, Index> replacement = new HashMap<>();
    Index at = Index.of(joined);
    replacement.put(row, Index.of(outside).times(together).plus(at.div(axis.extent())));
    replacement.put(axis, at.mod(axis.extent()));
    Substitution s = new Substitution(replacement);
    List<Phase.Store> stores = e.stores().stream().map(s::store).toList();
    if (!stores.stream().allMatch(x -> suits(x, joined, lanes))) {
      return kernel;
    }
    List<Loop> loops = new ArrayList<>(grid.subList(0, n - 2));
    loops.add(outside);
    loops.add(joined);
    Kernel woven =
        new Kernel(
            kernel.params(),
            loops,
            List.of(new Phase.Emit(List.of(), stores)),
            kernel.contraction());
    return ShortRows.walked(woven, new Dependences()).isEmpty() ? kernel : woven;
  }

  static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static boolean suits(Phase.Store s, Loop axis, int lanes) {
    return s.value().dtype() != DType.BOOL
        && s.index().isAffine()
        && s.index().coef(axis) == 1
        && suits(s.value(), axis, lanes, new IdentityHashMap<>());
  }

  private static boolean suits(Expr e, Loop axis, int lanes, Map<Expr, Boolean> known) {
    Boolean before = known.get(e);
    if (before == null) {
      before =
          switch (e) {
            case Expr.Const c -> true;
            case Expr.Load l -> suits(l, axis, lanes);
            case Expr.Apply a -> a.args().stream().allMatch(x -> suits(x, axis, lanes, known));
            case Expr.Acc a -> false;
            case Expr.IndexValue v -> false;
            case Expr.Guarded g -> false;
          };
      known.put(e, before);
    }
    return before;
  }

  private static boolean suits(Expr.Load l, Loop axis, int lanes) {
    return !l.index().dependsOn(axis)
        || (l.index().isAffine() && l.index().coef(axis) == 1)
        || pattern(l, axis, lanes) != null;
  }

  /** How vectors of an operand's row are made of what lies elsewhere, or null if they are not. */
  static @Nullable Pattern pattern(Expr.Load l, Loop axis, int lanes) {
    boolean whole = axis.extent() % lanes == 0 && axis.extent() <= (long) MOST * lanes;
    Pattern p = whole && l.dtype() != DType.BOOL ? Pattern.of(l.index(), axis) : null;
    return p != null && p.suits(axis.extent(), lanes) ? p : null;
  }

  /** Whether a loop is small enough for all vectors of a row to be written out. */
  static boolean fits(int weight, Loop axis, int lanes) {
    return weight * (axis.extent() / lanes) <= INSTRUCTIONS;
  }
}
