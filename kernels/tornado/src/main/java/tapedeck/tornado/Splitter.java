package tapedeck.tornado;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.tornado.render.Uses;

/**
 * Cuts launches with more buffers than a TornadoVM task may have. Stores are spread over several
 * kernels. Where one store alone reads too many buffers, the smallest of them are copied side by
 * side into a buffer per element type, from which the kernel then reads.
 */
final class Splitter {
  /** Arrays that a task can have beside its context: its interfaces end at 20 arguments. */
  static final int MOST_PARAMS = 19;

  private final List<Schedule.Slot> slots;
  private final List<Schedule.Launch> launches = new ArrayList<>();

  private Splitter(List<Schedule.Slot> slots) {
    this.slots = new ArrayList<>(slots);
  }

  /**
   * A schedule that computes the same with tasks that TornadoVM can hold; the schedule itself where
   * it has no other. What is added has no place in the planned arena.
   */
  static Schedule split(Schedule schedule) {
    if (schedule.launches().stream().allMatch(l -> fits(l.kernel()))) {
      return schedule;
    }
    Splitter s = new Splitter(schedule.slots());
    schedule.launches().forEach(s::add);
    return new Schedule(
        List.copyOf(s.slots),
        List.copyOf(s.launches),
        schedule.inputs(),
        schedule.outputs(),
        schedule.arenaBytes(),
        schedule.liveBytes());
  }

  private static boolean fits(Kernel kernel) {
    return Uses.params(kernel).size() <= MOST_PARAMS;
  }

  private void add(Schedule.Launch l) {
    if (fits(l.kernel())) {
      launches.add(l);
      return;
    }
    List<Object> stores = stores(l.kernel());
    Set<Integer> packed = packed(l, stores);
    Map<Integer, Rebinding.Place> copies = copy(l, packed);
    Set<Object> group = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Object store : stores) {
      group.add(store);
      if (buffers(l.kernel(), Uses.params(only(l.kernel(), group)), packed) > MOST_PARAMS) {
        group.remove(store);
        part(l, only(l.kernel(), group), copies);
        group.clear();
        group.add(store);
      }
    }
    part(l, only(l.kernel(), group), copies);
  }

  /** Parameters to copy: all that are read where a part could overwrite what the next one reads. */
  private static Set<Integer> packed(Schedule.Launch l, List<Object> stores) {
    Kernel k = l.kernel();
    List<Kernel.Param> params = k.params();
    List<Integer> read =
        Uses.params(k).stream()
            .filter(p -> !params.get(p).written())
            .sorted(Comparator.comparingLong(p -> params.get(p).elements()))
            .toList();
    if (new HashSet<>(l.slots()).size() < l.slots().size()) {
      return Set.copyOf(read);
    }
    List<List<Integer>> alone =
        stores.stream().map(s -> Uses.params(only(k, Collections.singleton(s)))).toList();
    Set<Integer> out = new HashSet<>();
    for (int p : read) {
      if (alone.stream().allMatch(s -> buffers(k, s, out) <= MOST_PARAMS)) {
        break;
      }
      out.add(p);
    }
    return out;
  }

  /** Number of buffers of a part that touches some parameters. */
  private static int buffers(Kernel k, List<Integer> params, Set<Integer> packed) {
    Set<DType> types = new HashSet<>();
    int own = 0;
    for (int p : params) {
      if (packed.contains(p)) {
        types.add(k.params().get(p).dtype());
      } else {
        own++;
      }
    }
    return own + types.size();
  }

  /** Launches the copies; returns the slot and offset of each parameter that was copied. */
  private Map<Integer, Rebinding.Place> copy(Schedule.Launch l, Set<Integer> packed) {
    Map<DType, Long> sizes = new EnumMap<>(DType.class);
    Map<Integer, Long> offsets = new TreeMap<>();
    for (int p : new TreeSet<>(packed)) {
      Kernel.Param from = l.kernel().params().get(p);
      long at = sizes.getOrDefault(from.dtype(), 0L);
      offsets.put(p, at);
      sizes.put(from.dtype(), at + from.elements());
    }
    Map<DType, Integer> homes = new EnumMap<>(DType.class);
    sizes.forEach(
        (t, n) -> {
          homes.put(t, slots.size());
          slots.add(new Schedule.Slot(t, n, new Schedule.Place.Arena(0)));
        });
    Map<Integer, Rebinding.Place> out = new HashMap<>();
    offsets.forEach(
        (p, at) -> {
          Kernel.Param from = l.kernel().params().get(p);
          int home = homes.get(from.dtype());
          out.put(p, new Rebinding.Place(home, at));
          if (from.elements() > 0) {
            launches.add(
                new Schedule.Launch(
                    copyKernel(from, sizes.get(from.dtype()), at),
                    l.label() + ", copy",
                    l.source(),
                    List.of(l.slots().get(p), home)));
          }
        });
    return out;
  }

  private static Kernel copyKernel(Kernel.Param from, long total, long at) {
    Loop i = new Loop(0, from.elements());
    Expr element = new Expr.Load(0, from.dtype(), Index.of(i));
    return new Kernel(
        List.of(
            new Kernel.Param(from.dtype(), from.elements(), true, false),
            new Kernel.Param(from.dtype(), total, false, true)),
        List.of(i),
        List.of(
            new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i).plus(at), element)))),
        Optional.empty());
  }

  /** Launches a part with parameters of its own. */
  private void part(Schedule.Launch l, Kernel part, Map<Integer, Rebinding.Place> copies) {
    List<Integer> bound = new ArrayList<>();
    List<Kernel.Param> params = new ArrayList<>();
    Map<Integer, Rebinding.Place> places = new HashMap<>();
    Map<Integer, Integer> homes = new HashMap<>();
    for (int p : Uses.params(part)) {
      Rebinding.Place copy = copies.get(p);
      if (copy == null) {
        places.put(p, new Rebinding.Place(bound.size(), 0));
        bound.add(l.slots().get(p));
        params.add(part.params().get(p));
      } else {
        Integer home = homes.get(copy.param());
        if (home == null) {
          home = bound.size();
          homes.put(copy.param(), home);
          bound.add(copy.param());
          Schedule.Slot s = slots.get(copy.param());
          params.add(new Kernel.Param(s.dtype(), s.elements(), true, false));
        }
        places.put(p, new Rebinding.Place(home, copy.offset()));
      }
    }
    Kernel rebound =
        new Kernel(
            List.copyOf(params),
            part.grid(),
            new Rebinding(places).phases(part.phases()),
            Optional.empty());
    launches.add(new Schedule.Launch(rebound, l.label(), l.source(), List.copyOf(bound)));
  }

  /** Everything that writes: stores, and scatter phases as a whole. */
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
          out.forEach(later -> needed.addAll(Uses.accumulators(later)));
          List<Phase.Accumulator> kept =
              r.accs().stream().filter(a -> needed.contains(a.id())).toList();
          if (!kept.isEmpty()) {
            out.addFirst(new Phase.Reduce(r.loops(), kept));
          }
        }
        case Phase.Emit e -> {
          List<Phase.Store> kept =
              e.stores().stream().filter(s -> stores.stream().anyMatch(o -> o == s)).toList();
          if (!kept.isEmpty()) {
            out.addFirst(new Phase.Emit(e.loops(), kept));
          }
        }
        case Phase.ScatterAdd s -> {
          if (stores.stream().anyMatch(o -> o == s)) {
            out.addFirst(s);
          }
        }
      }
    }
    return new Kernel(kernel.params(), kernel.grid(), out, Optional.empty());
  }
}
