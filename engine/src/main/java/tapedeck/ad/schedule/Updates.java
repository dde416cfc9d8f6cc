package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.schedule.Fuser.FusedKernel;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;

/** Kernels that may write a result over a donated input, such as updates of parameters. */
final class Updates {
  private final Map<FusedKernel, Set<Var>> overwritten = new IdentityHashMap<>();

  Updates(Fuser.Fused fused, Set<Integer> donated) {
    Tape tape = fused.tape();
    Set<Var> outputs = new HashSet<>(tape.outputs());
    Set<Var> inputs = new HashSet<>();
    donated.forEach(i -> inputs.add(tape.inputs().get(i)));
    for (List<FusedKernel> batch : fused.batches()) {
      for (FusedKernel k : batch) {
        overwritten.put(k, overwritten(k, inputs, outputs));
      }
    }
  }

  private static Set<Var> overwritten(FusedKernel k, Set<Var> inputs, Set<Var> outputs) {
    Set<Var> found = new HashSet<>();
    for (int i = 0; i < k.params().size(); i++) {
      Var in = k.params().get(i);
      for (int o = 0; inputs.contains(in) && o < k.params().size(); o++) {
        Var out = k.params().get(o);
        if (k.kernel().params().get(o).written()
            && outputs.contains(out)
            && out.aval().equals(in.aval())
            && InPlace.allowed(k.kernel(), i, o)) {
          found.add(in);
        }
      }
    }
    return found;
  }

  /** Donated inputs that a kernel may overwrite. */
  Set<Var> of(FusedKernel k) {
    return overwritten.get(k);
  }

  /**
   * The kernels with updates behind everything else that reads what they overwrite, where nothing
   * on the way needs their results.
   */
  Fuser.Fused last(Fuser.Fused fused) {
    List<FusedKernel> order = new ArrayList<>();
    fused.batches().forEach(order::addAll);
    for (int i = order.size() - 2; i >= 0; i--) {
      FusedKernel k = order.get(i);
      Set<Var> targets = of(k);
      int to = i;
      for (int j = i + 1; j < order.size() && !targets.isEmpty(); j++) {
        List<Var> used = order.get(j).params();
        if (used.stream().anyMatch(v -> writes(k, v))) {
          break;
        }
        to = used.stream().anyMatch(targets::contains) ? j : to;
      }
      if (to > i) {
        order.remove(i);
        order.add(to, k);
      }
    }
    return new Fuser.Fused(fused.tape(), order.stream().map(List::of).toList());
  }

  private static boolean writes(FusedKernel k, Var v) {
    int at = k.params().indexOf(v);
    return at >= 0 && k.kernel().params().get(at).written();
  }
}
