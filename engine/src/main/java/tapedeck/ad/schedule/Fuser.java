package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Lowering;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.Shape;

/**
 * Groups the roots of a tape into kernels. A root joins the latest group that it reads from if
 * their loop domains fit and it reads every member of that group at its own loop position;
 * otherwise a group with the same domain that comes after everything it reads; otherwise it starts
 * a group. Groups keep their order of creation, which is therefore a topological order.
 */
final class Fuser {
  /**
   * A kernel and the variables behind its parameters.
   *
   * @param label what was fused
   */
  record FusedKernel(Kernel kernel, List<Var> params, String label, String source) {}

  /** Kernels in order of execution; those of one batch are independent of each other. */
  record Fused(Tape tape, List<List<FusedKernel>> batches) {}

  private final Tape tape;
  private final Set<Var> outputs;
  private final boolean on;
  private final boolean realBuffers = Optimisation.REAL_BUFFERS.isOn();
  private final Map<Var, Eqn> producers = new HashMap<>();
  private final Set<Var> roots;
  private final List<Group> groups = new ArrayList<>();
  private final Map<Var, Group> home = new HashMap<>();
  private final Map<Var, Set<Var>> readers;
  private final Map<Group, Set<Var>> reads = new HashMap<>();
  private final Map<Object, Group> latest = new HashMap<>();

  private Fuser(Tape tape) {
    this.tape = tape;
    this.outputs = new HashSet<>(tape.outputs());
    this.on = !Settings.FUSE.is("off");
    tape.eqns().forEach(e -> producers.put(e.out(), e));
    this.roots = Roots.choose(tape, producers, !on);
    this.readers = readers();
  }

  static Fused fuse(Tape tape) {
    Fuser f = new Fuser(tape);
    for (Eqn e : tape.eqns()) {
      if (f.roots.contains(e.out()) && e.out().aval().shape().size() > 0) {
        f.place(e);
      }
    }
    return new Fused(tape, f.kernels().stream().map(List::of).toList());
  }

  // ---- placing --------------------------------------------------------------------------------

  private void place(Eqn e) {
    Var v = e.out();
    Lowering low = ((Op) e.primitive()).lower();
    Group own = alone(v, e, low);
    Map<Var, List<List<Index>>> leaves = leaves(v, e, own, Group.Level.ROW);
    int last = -1;
    for (Var leaf : leaves.keySet()) {
      Group g = home.get(leaf);
      last = g == null ? last : Math.max(last, g.position);
    }
    if (on && own.kind != Group.Kind.SCATTER && own.kind != Group.Kind.PRODUCT) {
      Group target = last < 0 ? null : groups.get(last);
      if (target != null && join(target, v, e, low, own)) {
        return;
      }
      Group sibling = latest.get(key(own));
      if (sibling != null
          && sibling.position >= last
          && sibling != target
          && join(sibling, v, e, low, own)) {
        return;
      }
    }
    groups.add(own);
    add(own, v, Group.Level.ROW, leaves.keySet(), own.ops);
    if (own.kind == Group.Kind.MAP || own.kind == Group.Kind.REDUCE) {
      latest.put(key(own), own);
    }
  }

  private static Object key(Group g) {
    return List.of(g.kind, g.domain, Arrays.toString(g.reduced));
  }

  /** The group that a root forms by itself. */
  private Group alone(Var v, Eqn e, Lowering low) {
    int position = groups.size();
    return switch (low) {
      case Lowering.Map m -> {
        List<Loop> loops = Group.loops(v.aval().shape(), 0);
        yield new Group(position, Group.Kind.MAP, loops, new boolean[loops.size()]);
      }
      case Lowering.Reduction r -> {
        Shape s = e.ins().get(0).aval().shape();
        List<Loop> loops = Group.loops(s, 0);
        boolean[] mask = new boolean[loops.size()];
        for (int i = 0, at = 0; i < s.rank(); i++) {
          if (s.dim(i) != 1) {
            mask[at++] = r.axes().contains(i);
          }
        }
        yield new Group(position, Group.Kind.REDUCE, loops, mask);
      }
      case Lowering.Product p -> {
        List<Loop> loops = new ArrayList<>(Group.loops(v.aval().shape(), 0));
        loops.add(new Loop(loops.size(), e.ins().get(0).aval().shape().dim(-1)));
        boolean[] mask = new boolean[loops.size()];
        mask[mask.length - 1] = true;
        yield new Group(position, Group.Kind.PRODUCT, loops, mask);
      }
      case Lowering.Scatter s -> {
        Shape grid = v.aval().shape().without(s.axis());
        List<Loop> loops = Group.loops(grid, 0);
        yield new Group(position, Group.Kind.SCATTER, loops, new boolean[loops.size()]);
      }
    };
  }

  private boolean join(Group g, Var v, Eqn e, Lowering low, Group own) {
    Group.Level level = null;
    boolean convert = false;
    Shape s = v.aval().shape();
    if (low instanceof Lowering.Map && g.kind != Group.Kind.SCATTER) {
      if (Group.fits(s, g.grid())) {
        level = Group.Level.ROW;
      } else if (g.kind == Group.Kind.REDUCE
          && Group.fits(s, g.domain)
          && Group.hasShortRows(g.domain, g.reduced)) {
        level = Group.Level.FULL;
      }
    } else if (low instanceof Lowering.Reduction) {
      if (g.kind == Group.Kind.REDUCE && g.hasDomain(own.domain, own.reduced)) {
        level = Group.Level.ROW;
      } else if (g.kind == Group.Kind.MAP
          && g.domain.equals(own.domain)
          && Group.hasShortRows(own.domain, own.reduced)) {
        level = Group.Level.ROW;
        convert = true;
      }
    }
    if (level == null) {
      return false;
    }
    Group probe = g;
    if (convert) {
      probe = new Group(g.position, Group.Kind.REDUCE, g.domain, own.reduced);
      for (Var m : g.members.keySet()) {
        probe.members.put(m, Group.Level.FULL);
      }
    }
    Map<Var, List<List<Index>>> leaves = leaves(v, e, probe, level);
    if (g.ops + own.ops > Group.OPS_LIMIT || !readsInPlace(probe, leaves, low, level)) {
      return false;
    }
    if (buffers(g, v, leaves.keySet()) > Group.BUFFER_LIMIT) {
      return false;
    }
    if (convert) {
      g.kind = Group.Kind.REDUCE;
      g.reduced = own.reduced;
      g.members.replaceAll((m, l) -> Group.Level.FULL);
      latest.put(key(g), g);
    }
    add(g, v, level, leaves.keySet(), own.ops);
    return true;
  }

  private void add(Group g, Var v, Group.Level level, Set<Var> leaves, int ops) {
    g.members.put(v, level);
    g.ops += g.members.size() == 1 ? 0 : ops;
    home.put(v, g);
    reads.computeIfAbsent(g, k -> new HashSet<>()).addAll(leaves);
  }

  /**
   * Most buffers that a group's kernel may come to have after a root has joined it: what it reads
   * from elsewhere, and members that are results or have readers elsewhere or not placed yet.
   */
  private int buffers(Group g, Var joining, Set<Var> leaves) {
    Set<Var> within = new HashSet<>(g.members.keySet());
    within.add(joining);
    Set<Var> elsewhere = new HashSet<>(reads.get(g));
    elsewhere.addAll(leaves);
    elsewhere.removeAll(within);
    int stored = 0;
    for (Var m : within) {
      if (!realBuffers
          || outputs.contains(m)
          || !within.containsAll(readers.getOrDefault(m, Set.of()))) {
        stored++;
      }
    }
    return elsewhere.size() + stored;
  }

  /** The roots that read each root, through maps that are computed again. */
  private Map<Var, Set<Var>> readers() {
    Map<Var, Set<Var>> through = new HashMap<>();
    Map<Var, Set<Var>> out = new HashMap<>();
    for (Eqn e : tape.eqns()) {
      Set<Var> from = new HashSet<>();
      for (Var in : e.ins()) {
        if (roots.contains(in)) {
          from.add(in);
        } else {
          from.addAll(through.getOrDefault(in, Set.of()));
        }
      }
      if (roots.contains(e.out())) {
        from.forEach(r -> out.computeIfAbsent(r, k -> new HashSet<>()).add(e.out()));
      } else {
        through.put(e.out(), from);
      }
    }
    return out;
  }

  /** Whether every member of the group is read at the reader's own position. */
  private boolean readsInPlace(
      Group g, Map<Var, List<List<Index>>> leaves, Lowering low, Group.Level level) {
    for (Map.Entry<Var, List<List<Index>>> leaf : leaves.entrySet()) {
      Group.Level of = g.members.get(leaf.getKey());
      if (of == null) {
        continue;
      }
      // What is known per element of a row can only be used where the row is walked.
      if (of == Group.Level.FULL && level == Group.Level.ROW && low instanceof Lowering.Map) {
        return false;
      }
      List<Index> own = Group.indices(leaf.getKey().aval().shape(), g.loops(of));
      for (List<Index> at : leaf.getValue()) {
        if (!at.equals(own)) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * Leaves that a root reads in a group's domain, with their indices; sets the number of operations
   * of the group.
   */
  private Map<Var, List<List<Index>>> leaves(Var v, Eqn e, Group g, Group.Level level) {
    Map<Var, List<List<Index>>> found = new LinkedHashMap<>();
    int[] ops = {Math.max(1, weight(v))};
    ExprBuilder b =
        new ExprBuilder(
            producers,
            (leaf, index) -> {
              if (producers.containsKey(leaf) && !roots.contains(leaf)) {
                ops[0] += weight(leaf);
                return null;
              }
              found.computeIfAbsent(leaf, k -> new ArrayList<>()).add(index);
              return new Expr.Load(leaf.id(), leaf.aval().dtype(), Index.ZERO);
            });
    KernelBuilder.operandsOf(v, e, g, level, b);
    if (g.members.isEmpty()) {
      g.ops = ops[0];
    }
    return found;
  }

  private int weight(Var v) {
    Lowering low = ((Op) producers.get(v).primitive()).lower();
    return low instanceof Lowering.Map m ? Roots.weight(m) : 1;
  }

  // ---- kernels --------------------------------------------------------------------------------

  private List<FusedKernel> kernels() {
    Set<Var> stored = new HashSet<>(outputs);
    for (Group g : groups) {
      for (Var v : reads.get(g)) {
        if (home.get(v) != null && home.get(v) != g) {
          stored.add(v);
        }
      }
    }
    List<FusedKernel> out = new ArrayList<>();
    for (Group g : groups) {
      out.add(new KernelBuilder(g, producers, roots, stored).build());
    }
    return out;
  }
}
