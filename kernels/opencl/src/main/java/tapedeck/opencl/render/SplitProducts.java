package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.Substitution;
import tapedeck.ad.schedule.Schedule;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/**
 * Makes two launches of a product that has too few results to give every compute unit a tile, but a
 * long k: the first one computes products of parts of k into a workspace, and the second one adds
 * them in their order and does what follows the product. The number of parts depends on shapes, the
 * device and parameters alone, so results are reproducible.
 *
 * @param schedule with the split launches
 * @param origin for each of its launches, the number of the launch from which it comes
 */
public record SplitProducts(Schedule schedule, List<Integer> origin) {
  /** Side of the tiles that are counted: those of the middle form. */
  private static final int TILE = 64;

  /** A schedule for a device. */
  public static SplitProducts of(Schedule s, Target target, Tuning tuning) {
    List<Schedule.Slot> slots = new ArrayList<>(s.slots());
    List<Schedule.Launch> launches = new ArrayList<>();
    List<Integer> origin = new ArrayList<>();
    long offset = (s.arenaBytes() + Schedule.ALIGN - 1) / Schedule.ALIGN * Schedule.ALIGN;
    long workspace = 0;
    for (int i = 0; i < s.launches().size(); i++) {
      Schedule.Launch l = s.launches().get(i);
      int parts = parts(l.kernel(), target, tuning);
      if (parts == 1) {
        launches.add(l);
        origin.add(i);
        continue;
      }
      Split split = new Split(l.kernel(), parts);
      List<Integer> bound = new ArrayList<>(l.slots());
      bound.add(slots.size());
      // Launches run one after the other, so all of them have the same workspace.
      Schedule.Slot slot =
          new Schedule.Slot(split.sum.dtype(), split.elements(), new Schedule.Place.Arena(offset));
      slots.add(slot);
      workspace = Math.max(workspace, slot.bytes());
      launches.add(new Schedule.Launch(split.first(), l.label(), l.source(), bound));
      launches.add(new Schedule.Launch(split.second(), l.label(), l.source(), bound));
      origin.add(i);
      origin.add(i);
    }
    if (workspace == 0) {
      return new SplitProducts(s, List.copyOf(origin));
    }
    Schedule out =
        new Schedule(slots, launches, s.inputs(), s.outputs(), offset + workspace, s.liveBytes());
    return new SplitProducts(out, List.copyOf(origin));
  }

  /** Parts of k; 1 where the product stays whole. */
  private static int parts(Kernel kernel, Target target, Tuning tuning) {
    Optional<Product> product = Product.of(kernel);
    if (target.profile() != Profile.GPU
        || product.isEmpty()
        || product.get().m() < 8
        || product.get().n() < 8
        || "off".equals(System.getProperty("tapedeck.opencl.split"))) {
      return 1;
    }
    Product p = product.get();
    Parameters chosen = tuning.get(Template.PRODUCT_SPLIT);
    long tiles = p.batch() * LoopRenderer.ceilDiv(p.m(), TILE) * LoopRenderer.ceilDiv(p.n(), TILE);
    long most =
        Math.min(
            Math.min(chosen.get("parts"), p.k() / chosen.get("k")),
            LoopRenderer.ceilDiv(target.computeUnits(), tiles));
    long extent = p.c().k().getFirst().extent();
    for (int parts = (int) most; parts > 1; parts--) {
      if (extent % parts == 0) {
        return parts;
      }
    }
    return 1;
  }

  /** The kernels of one product. */
  private static final class Split {
    private final Kernel kernel;
    private final Contraction c;
    private final Phase.Accumulator sum;
    private final int workspace;

    /** Counts the parts. */
    private final Loop part;

    private final List<Loop> results = new ArrayList<>();

    Split(Kernel kernel, int parts) {
      this.kernel = kernel;
      this.c = kernel.contraction().orElseThrow();
      this.sum = ((Phase.Reduce) kernel.phases().getFirst()).accs().getFirst();
      this.workspace = kernel.params().size();
      results.addAll(c.batch());
      results.addAll(c.m());
      results.addAll(c.n());
      int next = 0;
      for (Loop l : results) {
        next = Math.max(next, l.id() + 1);
      }
      for (Loop l : c.k()) {
        next = Math.max(next, l.id() + 1);
      }
      this.part = new Loop(next, parts);
    }

    long elements() {
      return part.extent() * Contraction.extent(results);
    }

    /** Place of a partial result: all results of a part lie together. */
    private Index place() {
      Index i = Index.of(part);
      for (Loop l : results) {
        i = i.times(l.extent()).plus(Index.of(l));
      }
      return i;
    }

    private Kernel with(
        List<Loop> grid, List<Phase> phases, boolean first, Optional<Contraction> note) {
      Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      for (Phase p : phases) {
        Facts.roots(p).forEach(e -> walk(e, seen));
        Facts.indices(p).forEach(i -> walk(new Expr.IndexValue(i), seen));
      }
      Set<Integer> read = new HashSet<>();
      for (Expr e : seen) {
        if (e instanceof Expr.Load l) {
          read.add(l.param());
        }
      }
      List<Kernel.Param> params = new ArrayList<>();
      for (int i = 0; i < workspace; i++) {
        Kernel.Param p = kernel.params().get(i);
        params.add(
            new Kernel.Param(p.dtype(), p.elements(), read.contains(i), !first && p.written()));
      }
      params.add(new Kernel.Param(sum.dtype(), elements(), !first, first));
      return new Kernel(params, grid, phases, note);
    }

    private static void walk(Expr e, Set<Expr> seen) {
      if (seen.add(e)) {
        e.children().forEach(x -> walk(x, seen));
      }
    }

    /** Products of the parts. */
    Kernel first() {
      Loop k = c.k().getFirst();
      Loop shorter = new Loop(k.id(), k.extent() / part.extent());
      Index whole = Index.of(part).times(shorter.extent()).plus(Index.of(shorter));
      Substitution s = new Substitution(Map.of(k, whole));
      List<Loop> ks = new ArrayList<>(c.k());
      ks.set(0, shorter);
      List<Loop> batch = new ArrayList<>(List.of(part));
      batch.addAll(c.batch());
      List<Loop> grid = new ArrayList<>(List.of(part));
      grid.addAll(results);
      Expr value = new Expr.Acc(sum.id(), sum.dtype());
      return with(
          grid,
          List.of(
              new Phase.Reduce(
                  ks,
                  List.of(
                      new Phase.Accumulator(
                          sum.id(), sum.reducer(), sum.dtype(), s.expr(sum.value())))),
              new Phase.Emit(List.of(), List.of(new Phase.Store(workspace, place(), value)))),
          true,
          Optional.of(
              new Contraction(
                  batch, c.m(), c.n(), ks, s.expr(c.lhs()), s.expr(c.rhs()), c.precision())));
    }

    /** Their sums and the product's stores. */
    Kernel second() {
      Expr partial = new Expr.Load(workspace, sum.dtype(), place());
      return with(
          List.copyOf(results),
          List.of(
              new Phase.Reduce(
                  List.of(part),
                  List.of(new Phase.Accumulator(sum.id(), Reducer.SUM, sum.dtype(), partial))),
              kernel.phases().get(1)),
          false,
          Optional.empty());
    }
  }
}
