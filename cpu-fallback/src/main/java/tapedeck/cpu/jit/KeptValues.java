package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.Optimisation;

/**
 * Rewrites a kernel so that values are kept from phase to phase: a phase of its own computes them
 * into scratch memory, which the others see as a further parameter. That is done for library
 * functions that several phases would compute at the same points, such as the exponentials of a
 * softmax, and in scalar code to cut an expression that is too large for one method.
 */
final class KeptValues {
  /** Most bytes of kept values; they are to stay in the second-level cache. */
  private static final long LIMIT = 256 * 1024;

  private final Kernel kernel;
  private final Loop axis;
  private final int block;
  private final List<Kernel.Param> params;
  private final List<Phase> phases = new ArrayList<>();
  private final Map<Expr, Expr> shared = new HashMap<>();

  /** Library functions by phase. */
  private final List<Map<Expr, Value>> functions = new ArrayList<>();

  private KeptValues(Kernel kernel, Loop axis, int block) {
    this.kernel = kernel;
    this.axis = axis;
    this.block = block;
    this.params = new ArrayList<>(kernel.params());
  }

  /**
   * The kernel with values of library functions kept. Parameters that are not the kernel's own are
   * areas of scratch memory.
   *
   * @param axis grid loop of which a block is done at a time, or null; the kept values of a block
   *     follow one another, the first of them at the block's first axis value
   * @param block most elements of a block
   */
  static Kernel ofFunctions(Kernel kernel, Loop axis, int block) {
    KeptValues k = new KeptValues(kernel, axis, block);
    k.functions();
    return k.result();
  }

  /** The kernel with phases that become scalar code cut so that each piece fits into a method. */
  static Kernel ofLargePhases(Kernel kernel, Predicate<Phase> scalar) {
    KeptValues k = new KeptValues(kernel, null, 1);
    for (Phase p : kernel.phases()) {
      if (scalar.test(p) && isUnconditional(p)) {
        k.cut(p);
      } else {
        k.phases.add(p);
      }
    }
    return k.result();
  }

  /** Whether values are evaluated at all points. */
  private static boolean isUnconditional(Phase p) {
    return !(p instanceof Phase.ScatterAdd s) || s.bounds().isEmpty();
  }

  private Kernel result() {
    return new Kernel(
        List.copyOf(params), kernel.grid(), List.copyOf(phases), kernel.contraction());
  }

  static List<Expr> values(Phase p) {
    return switch (p) {
      case Phase.Reduce r -> r.accs().stream().map(Phase.Accumulator::value).toList();
      case Phase.Emit e -> e.stores().stream().map(Phase.Store::value).toList();
      case Phase.ScatterAdd s -> List.of(s.store().value());
    };
  }

  // ---- scratch as a parameter -----------------------------------------------------------------

  private long elements(List<Loop> loops) {
    return Contraction.extent(loops) * (axis == null ? 1 : block);
  }

  private Phase.Store keep(Expr value, Phase p) {
    List<Loop> loops = p.loops();
    params.add(new Kernel.Param(value.dtype(), elements(loops), true, true));
    return new Phase.Store(params.size() - 1, index(loops), value);
  }

  private Index index(List<Loop> loops) {
    Index at = axis == null ? Index.ZERO : Index.of(axis);
    long stride = axis == null ? 1 : block;
    for (Loop l : loops.reversed()) {
      at = at.plus(Index.of(l).times(stride));
      stride *= l.extent();
    }
    return at;
  }

  static Phase replaced(Phase p, Map<Expr, Expr> by) {
    return switch (p) {
      case Phase.Reduce r ->
          new Phase.Reduce(
              r.loops(),
              r.accs().stream()
                  .map(
                      a ->
                          new Phase.Accumulator(
                              a.id(), a.reducer(), a.dtype(), replaced(a.value(), by)))
                  .toList());
      case Phase.Emit e ->
          new Phase.Emit(e.loops(), e.stores().stream().map(s -> replaced(s, by)).toList());
      case Phase.ScatterAdd s ->
          new Phase.ScatterAdd(s.loops(), s.bounds(), replaced(s.store(), by));
    };
  }

  private static Phase.Store replaced(Phase.Store s, Map<Expr, Expr> by) {
    return new Phase.Store(s.param(), s.index(), replaced(s.value(), by));
  }

  private static Expr replaced(Expr e, Map<Expr, Expr> by) {
    Expr known = by.get(e);
    if (known != null) {
      return known;
    }
    Expr out = e;
    if (e instanceof Expr.Apply a) {
      List<Expr> args = a.args().stream().map(x -> replaced(x, by)).toList();
      boolean same = true;
      for (int i = 0; i < args.size(); i++) {
        same &= args.get(i) == a.args().get(i);
      }
      out = same ? e : new Expr.Apply(a.op(), a.dtype(), args);
    }
    by.put(e, out);
    return out;
  }

  // ---- library functions ----------------------------------------------------------------------

  private record Value(List<Long> extents, Expr canonical) {}

  private void functions() {
    kernel.phases().forEach(p -> functions.add(costly(p)));
    Map<Value, Integer> first = new HashMap<>();
    Map<Integer, Set<Value>> kept = new HashMap<>();
    long bytes = 0;
    for (int i = 0; i < kernel.phases().size(); i++) {
      Phase p = kernel.phases().get(i);
      for (Value v : functions.get(i).values()) {
        int from = first.getOrDefault(v, i);
        long more = elements(p.loops()) * v.canonical().dtype().bytes();
        if (from == i) {
          first.putIfAbsent(v, i);
        } else if (!kept.getOrDefault(from, Set.of()).contains(v) && bytes + more <= LIMIT) {
          kept.computeIfAbsent(from, k -> new LinkedHashSet<>()).add(v);
          bytes += more;
        }
      }
    }
    Map<Value, Phase.Store> places = results(kept);
    Set<Value> known = new HashSet<>();
    for (int i = 0; i < kernel.phases().size(); i++) {
      Phase p = kernel.phases().get(i);
      Map<Expr, Expr> by = new IdentityHashMap<>();
      List<Phase.Store> stores = new ArrayList<>();
      Set<Value> mine = kept.getOrDefault(i, Set.of());
      functions
          .get(i)
          .forEach(
              (e, v) -> {
                if (mine.contains(v) && known.add(v)) {
                  Phase.Store to = places.computeIfAbsent(v, k -> canonical(keep(e, p), p));
                  stores.add(new Phase.Store(to.param(), renamed(to.index(), p.loops()), e));
                }
                if (known.contains(v)) {
                  Phase.Store at = places.get(v);
                  by.put(e, new Expr.Load(at.param(), e.dtype(), renamed(at.index(), p.loops())));
                }
              });
      if (!stores.isEmpty()) {
        phases.add(new Phase.Emit(p.loops(), List.copyOf(stores)));
      }
      phases.add(by.isEmpty() ? p : replaced(p, by));
    }
  }

  // ---- results as the place where values are kept -----------------------------------------------

  /**
   * Values that can wait where a result will be: one area less in the first-level cache, and the
   * result's lines are there when the last phase writes them. The index of each store is in terms
   * of its phase's loops by position.
   *
   * @param kept values by the phase that is the first to have them
   */
  private Map<Value, Phase.Store> results(Map<Integer, Set<Value>> kept) {
    Map<Value, Phase.Store> out = new HashMap<>();
    if (axis == null && Optimisation.KEPT_RESULTS.isOn()) {
      kept.forEach(
          (from, values) ->
              values.forEach(
                  v -> {
                    Phase.Store s = out.isEmpty() ? result(from, v) : null;
                    if (s != null) {
                      out.put(v, s);
                    }
                  }));
    }
    return out;
  }

  private Phase.@Nullable Store result(int from, Value v) {
    for (int i = from; i < kernel.phases().size(); i++) {
      if (kernel.phases().get(i) instanceof Phase.Emit e
          && extents(e.loops()).equals(v.extents())) {
        for (Phase.Store s : e.stores()) {
          Phase.Store at = canonical(s, e);
          if (s.value().dtype() == v.canonical().dtype()
              && at.index().terms().stream().allMatch(t -> t.atom() instanceof Index.Var)
              && isFree(at, from, i, v)) {
            return at;
          }
        }
      }
    }
    return null;
  }

  /**
   * Whether a result has no other use between two phases. An operand may lie in the same memory if
   * it is read at the result's own elements alone.
   */
  private boolean isFree(Phase.Store result, int from, int to, Value v) {
    int stores = 0;
    for (int i = 0; i < kernel.phases().size(); i++) {
      Phase p = kernel.phases().get(i);
      if (p instanceof Phase.ScatterAdd || (i > to && functions.get(i).containsValue(v))) {
        return false;
      }
      if (p instanceof Phase.Emit e) {
        stores += (int) e.stores().stream().filter(s -> s.param() == result.param()).count();
      }
      Set<Expr> within = i < from ? Set.of() : valuesWithout(i, v);
      for (Expr x : within) {
        if (x instanceof Expr.Load l
            && (l.param() == result.param()
                || canonical(l.index(), p.loops()).equals(result.index()))) {
          return false;
        }
      }
    }
    return stores == 1 && !kernel.params().get(result.param()).read();
  }

  /** What a phase evaluates besides a value and what only that needs. */
  private Set<Expr> valuesWithout(int phase, Value v) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    values(kernel.phases().get(phase)).forEach(e -> without(e, v, functions.get(phase), seen));
    return seen;
  }

  private static void without(Expr e, Value v, Map<Expr, Value> functions, Set<Expr> seen) {
    if (!v.equals(functions.get(e)) && seen.add(e)) {
      e.children().forEach(c -> without(c, v, functions, seen));
    }
  }

  private static List<Long> extents(List<Loop> loops) {
    return loops.stream().map(Loop::extent).toList();
  }

  /** A store whose index is in terms of its phase's loops by position. */
  private static Phase.Store canonical(Phase.Store s, Phase p) {
    return new Phase.Store(s.param(), canonical(s.index(), p.loops()), s.value());
  }

  /** An index in terms of loops by position, in terms of these loops. */
  private static Index renamed(Index index, List<Loop> loops) {
    return index.rename(l -> l.id() < 0 ? loops.get(-1 - l.id()) : l);
  }

  /** Library functions that a phase evaluates at every point of its loops. */
  private Map<Expr, Value> costly(Phase p) {
    Map<Expr, Value> out = new LinkedHashMap<>();
    if (!p.loops().isEmpty() && isUnconditional(p)) {
      Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      Dependences dependences = new Dependences();
      Map<Expr, Expr> known = new IdentityHashMap<>();
      values(p).forEach(e -> costly(e, p.loops(), dependences, known, seen, out));
    }
    return out;
  }

  private void costly(
      Expr e,
      List<Loop> loops,
      Dependences with,
      Map<Expr, Expr> known,
      Set<Expr> seen,
      Map<Expr, Value> out) {
    if (!(e instanceof Expr.Apply a) || !seen.add(e)) {
      return;
    }
    if (a.op().isFunction() && loops.stream().anyMatch(with.of(e)::contains)) {
      out.put(e, new Value(extents(loops), canonical(e, loops, known)));
    }
    a.args().forEach(x -> costly(x, loops, with, known, seen, out));
  }

  /** The expression in terms of its phase's loops by position, so that phases compare. */
  private Expr canonical(Expr e, List<Loop> loops, Map<Expr, Expr> known) {
    Expr out = known.get(e);
    if (out == null) {
      out =
          switch (e) {
            case Expr.Const c -> c;
            case Expr.Acc a -> a;
            case Expr.Load l -> new Expr.Load(l.param(), l.dtype(), canonical(l.index(), loops));
            case Expr.IndexValue v -> new Expr.IndexValue(canonical(v.index(), loops));
            case Expr.Apply a ->
                new Expr.Apply(
                    a.op(),
                    a.dtype(),
                    a.args().stream().map(x -> canonical(x, loops, known)).toList());
            // Guards and indices from data keep their loops, and so never equal another phase's.
            case Expr.Guarded g -> g;
          };
      // Equal operands are one node, so that comparing instructions does not walk them as trees.
      Expr before = shared.putIfAbsent(out, out);
      out = before == null ? out : before;
      known.put(e, out);
    }
    return out;
  }

  private static Index canonical(Index index, List<Loop> loops) {
    return index.rename(l -> loops.contains(l) ? new Loop(-1 - loops.indexOf(l), l.extent()) : l);
  }

  // ---- large phases ---------------------------------------------------------------------------

  /** Instructions that are evaluated at every point, operands first. */
  private static void instructions(Expr e, Set<Expr> seen) {
    if (e instanceof Expr.Apply a && !seen.contains(e)) {
      a.args().forEach(x -> instructions(x, seen));
      seen.add(e);
    }
  }

  private void cut(Phase p) {
    Set<Expr> ordered = new LinkedHashSet<>();
    values(p).forEach(e -> instructions(e, ordered));
    Map<Expr, Integer> pieceOf = new IdentityHashMap<>();
    Set<Expr> loaded = Collections.newSetFromMap(new IdentityHashMap<>());
    int piece = 0;
    int bytes = 0;
    for (Expr e : ordered) {
      int more = bytes((Expr.Apply) e, piece, pieceOf, loaded);
      if (bytes + more > CodeSize.LIMIT) {
        piece++;
        bytes = 0;
        loaded.clear();
        more = bytes((Expr.Apply) e, piece, pieceOf, loaded);
      }
      bytes += more;
      pieceOf.put(e, piece);
    }
    int pieces = piece;
    Set<Expr> crossing = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Expr e : ordered) {
      for (Expr x : ((Expr.Apply) e).args()) {
        if (pieceOf.getOrDefault(x, pieceOf.get(e)) < pieceOf.get(e)) {
          crossing.add(x);
        }
      }
    }
    values(p).stream().filter(e -> pieceOf.getOrDefault(e, pieces) < pieces).forEach(crossing::add);
    Map<Expr, Expr> by = new IdentityHashMap<>();
    for (int i = 0; i < pieces; i++) {
      List<Phase.Store> stores = new ArrayList<>();
      Map<Expr, Expr> made = new IdentityHashMap<>();
      for (Expr e : ordered) {
        if (pieceOf.get(e) == i && crossing.contains(e)) {
          Phase.Store s = keep(e, p);
          stores.add(new Phase.Store(s.param(), s.index(), replaced(e, by)));
          made.put(e, new Expr.Load(s.param(), e.dtype(), s.index()));
        }
      }
      by = new IdentityHashMap<>(by);
      by.putAll(made);
      phases.add(new Phase.Emit(p.loops(), List.copyOf(stores)));
    }
    phases.add(pieces == 0 ? p : replaced(p, by));
  }

  /** Bytes that an instruction adds to a piece, some of a store to scratch included. */
  private static int bytes(Expr.Apply e, int piece, Map<Expr, Integer> pieceOf, Set<Expr> loaded) {
    int bytes = 2 * CodeSize.of(e);
    for (Expr x : e.args()) {
      Integer of = pieceOf.get(x);
      if (of == null) {
        bytes += CodeSize.of(List.of(x), loaded);
      } else if (of != piece && loaded.add(x)) {
        bytes += 50;
      }
    }
    return bytes;
  }
}
