package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;

/**
 * Elements of a row that several phases of a kernel read at the same points: each work-item keeps
 * its own in registers after the first phase, so that a row comes from memory once. The loops of
 * such phases are unrolled, since registers have no index.
 */
final class KeptLoads {
  private final Writer w;
  private final List<Phase> phases;
  private final List<Kept> kept;
  private final int rounds;

  /** A load of the first phase and what stands for it in each of the others. */
  private record Kept(String name, Expr.Load load, Map<Phase, List<Expr.Load>> others) {}

  private KeptLoads(Writer w, List<Phase> phases, List<Kept> kept, int rounds) {
    this.w = w;
    this.phases = phases;
    this.kept = kept;
    this.rounds = rounds;
  }

  /**
   * What is worth keeping.
   *
   * @param vector width of the vectors in which a phase's innermost loop runs
   * @param lanes work-items that share the loops of a phase
   * @param words registers of 32 bits that may be used
   */
  static KeptLoads of(Kernel kernel, Writer w, ToIntFunction<Phase> vector, int lanes, int words) {
    List<Phase> alike = new ArrayList<>();
    List<Kept> kept = new ArrayList<>();
    long rounds = 0;
    for (Phase p : kernel.phases()) {
      if (p.loops().isEmpty() || p instanceof Phase.ScatterAdd) {
        continue;
      }
      if (alike.isEmpty() || same(alike.getFirst(), p, vector)) {
        alike.add(p);
      }
    }
    if (alike.size() > 1) {
      Phase first = alike.getFirst();
      int width = vector.applyAsInt(first);
      rounds = LoopRenderer.ceilDiv(Contraction.extent(first.loops()), (long) width * lanes);
      long left = words;
      for (Expr.Load l : loads(w, first)) {
        long cost = rounds * width * Math.max(1, l.dtype().bytes() / 4);
        Map<Phase, List<Expr.Load>> others = new HashMap<>();
        for (Phase p : alike.subList(1, alike.size())) {
          List<Expr.Load> found = loads(w, p).stream().filter(x -> equal(l, first, x, p)).toList();
          if (!found.isEmpty()) {
            others.put(p, found);
          }
        }
        if (!others.isEmpty() && cost <= left) {
          left -= cost;
          kept.add(new Kept("kept" + kept.size(), l, others));
        }
      }
    }
    return new KeptLoads(w, alike, kept, (int) rounds);
  }

  private static boolean same(Phase a, Phase b, ToIntFunction<Phase> vector) {
    return a.loops().stream()
            .map(Loop::extent)
            .toList()
            .equals(b.loops().stream().map(Loop::extent).toList())
        && vector.applyAsInt(a) == vector.applyAsInt(b);
  }

  /** Loads of consecutive elements that a phase does at each of its points. */
  private static List<Expr.Load> loads(Writer w, Phase p) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Expr.Load> out = new ArrayList<>();
    Facts.roots(p).forEach(e -> walk(w, e, p.loops().getLast(), seen, out));
    return out;
  }

  private static void walk(Writer w, Expr e, Loop last, Set<Expr> seen, List<Expr.Load> out) {
    // What stands under a condition is not read at every point.
    if (!seen.add(e) || e instanceof Expr.Guarded) {
      return;
    }
    if (e instanceof Expr.Load l && !w.written[l.param()] && l.index().coef(last) == 1) {
      boolean known = out.stream().anyMatch(o -> w.graph.node(o) == w.graph.node(l));
      if (!known) {
        out.add(l);
      }
    }
    e.children().forEach(c -> walk(w, c, last, seen, out));
  }

  private static boolean equal(Expr.Load a, Phase of, Expr.Load b, Phase in) {
    return a.param() == b.param()
        && b.index()
            .rename(
                l -> {
                  int i = in.loops().indexOf(l);
                  return i < 0 ? l : of.loops().get(i);
                })
            .equals(a.index());
  }

  boolean isEmpty() {
    return kept.isEmpty();
  }

  /** Whether a phase's loops are to be written with {@link #rounds} rounds. */
  boolean has(Phase p) {
    return !kept.isEmpty() && phases.contains(p);
  }

  /** Times that each work-item goes through the body of a phase's loops. */
  int rounds() {
    return rounds;
  }

  /** Declares the registers. */
  void declare(int width) {
    for (Kept k : kept) {
      w.line(ScalarText.type(k.load.dtype(), width) + " " + k.name + "[" + rounds + "];");
    }
  }

  /** Fills the registers, or has them stand for loads, in round {@code j} of a phase. */
  void use(Phase p) {
    for (Kept k : kept) {
      String place = k.name + "[j]";
      if (p == phases.getFirst()) {
        w.line(place + " = " + w.vector(k.load) + ";");
      } else {
        k.others
            .getOrDefault(p, List.of())
            .forEach(l -> w.scope().values.put(w.graph.node(l).id(), place));
      }
    }
  }
}
