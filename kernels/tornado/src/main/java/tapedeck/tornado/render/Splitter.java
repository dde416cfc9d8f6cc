package tapedeck.tornado.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DeviceException;

/** Cuts kernels with more buffers than a TornadoVM task may have, by their stores. */
final class Splitter {
  /** Arrays that a task can have beside its context: its interfaces end at 20 arguments. */
  static final int MOST_PARAMS = 19;

  private Splitter() {}

  /**
   * Kernels that together do what one does; the kernel itself where it has few enough buffers. They
   * keep the numbers of the parameters. They may not run in place, where one would overwrite what
   * the next one reads.
   *
   * @throws DeviceException if a single store needs too many buffers
   */
  static List<Kernel> split(Kernel kernel) {
    if (params(kernel).size() <= MOST_PARAMS) {
      return List.of(kernel);
    }
    List<Kernel> out = new ArrayList<>();
    Set<Object> group = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Object store : stores(kernel)) {
      group.add(store);
      if (params(only(kernel, group)).size() > MOST_PARAMS) {
        group.remove(store);
        if (!group.isEmpty()) {
          out.add(only(kernel, group));
        }
        group.clear();
        group.add(store);
      }
    }
    out.add(only(kernel, group));
    for (Kernel k : out) {
      if (params(k).size() > MOST_PARAMS) {
        throw new DeviceException(
            "[tornado] one value from "
                + params(k).size()
                + " buffers; a TornadoVM task has at most "
                + MOST_PARAMS);
      }
    }
    return out;
  }

  private static List<Object> stores(Kernel kernel) {
    List<Object> out = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      switch (p) {
        case Phase.Reduce r -> {}
        case Phase.Emit e -> out.addAll(e.stores());
        case Phase.ScatterAdd s -> out.add(s);
      }
    }
    return out;
  }

  /** The kernel with these stores only, and the accumulators that they need. */
  private static Kernel only(Kernel kernel, Set<Object> stores) {
    List<Phase> out = new ArrayList<>();
    for (Phase p : kernel.phases().reversed()) {
      switch (p) {
        case Phase.Reduce r -> {
          Set<Integer> needed = new TreeSet<>();
          out.forEach(later -> roots(later).forEach(e -> accs(e, needed)));
          List<Phase.Accumulator> kept =
              r.accs().stream().filter(a -> needed.contains(a.id())).toList();
          if (!kept.isEmpty()) {
            out.addFirst(new Phase.Reduce(r.loops(), kept));
          }
        }
        case Phase.Emit e -> {
          List<Phase.Store> kept = e.stores().stream().filter(stores::contains).toList();
          if (!kept.isEmpty()) {
            out.addFirst(new Phase.Emit(e.loops(), kept));
          }
        }
        case Phase.ScatterAdd s -> {
          if (stores.contains(s)) {
            out.addFirst(s);
          }
        }
      }
    }
    return new Kernel(kernel.params(), kernel.grid(), out, Optional.empty());
  }

  /** Parameters that a kernel really touches, in order. */
  static List<Integer> params(Kernel kernel) {
    Set<Integer> out = new TreeSet<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Phase p : kernel.phases()) {
      roots(p).forEach(e -> loads(e, out, seen));
      switch (p) {
        case Phase.Reduce r -> {}
        case Phase.Emit e -> e.stores().forEach(s -> out.add(s.param()));
        case Phase.ScatterAdd s -> out.add(s.store().param());
      }
    }
    return List.copyOf(out);
  }

  /** Expressions of a phase, those inside its indices too. */
  private static List<Expr> roots(Phase p) {
    List<Expr> out = new ArrayList<>();
    switch (p) {
      case Phase.Reduce r -> r.accs().forEach(a -> out.add(a.value()));
      case Phase.Emit e ->
          e.stores()
              .forEach(
                  s -> {
                    out.add(s.value());
                    out.add(new Expr.IndexValue(s.index()));
                  });
      case Phase.ScatterAdd s -> {
        out.add(s.store().value());
        out.add(new Expr.IndexValue(s.store().index()));
        s.bounds().forEach(b -> out.add(new Expr.IndexValue(b.index())));
      }
    }
    return out;
  }

  private static void loads(Expr e, Set<Integer> into, Set<Expr> seen) {
    if (seen.add(e)) {
      if (e instanceof Expr.Load l) {
        into.add(l.param());
      }
      e.children().forEach(c -> loads(c, into, seen));
    }
  }

  private static void accs(Expr root, Set<Integer> into) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Expr> todo = new ArrayList<>(List.of(root));
    while (!todo.isEmpty()) {
      Expr e = todo.removeLast();
      if (seen.add(e)) {
        if (e instanceof Expr.Acc a) {
          into.add(a.id());
        }
        todo.addAll(e.children());
      }
    }
  }
}
