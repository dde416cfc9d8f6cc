package tapedeck.opencl;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import tapedeck.ad.schedule.Schedule;
import tapedeck.opencl.render.Dispatch;

/**
 * A schedule's dispatches on two in-order queues, so that independent ones may run side by side,
 * such as the two products of a layer's gradient. A dispatch goes to the first queue if it depends
 * on the last one there, and otherwise to the second.
 *
 * @param second whether a dispatch is on the second queue
 * @param awaits for each dispatch the one on the other queue that must have ended before, or -1
 * @param awaited whether something waits for a dispatch
 * @param last number of the last dispatch on the second queue, -1 if there is none
 */
record Branches(boolean[] second, int[] awaits, boolean[] awaited, int last) {
  /** Dependences are looked for between all pairs of dispatches. */
  private static final int MOST = 512;

  /** Bytes that a dispatch uses; a caller's buffer is a memory of its own. */
  private record Use(boolean written, int memory, long from, long to) {
    boolean conflicts(Use o) {
      return (written || o.written) && memory == o.memory && from < o.to && o.from < to;
    }
  }

  static Branches of(Schedule schedule, List<Dispatch> dispatches) {
    int n = dispatches.size();
    boolean[] second = new boolean[n];
    int[] awaits = new int[n];
    boolean[] awaited = new boolean[n];
    Arrays.fill(awaits, -1);
    if (n > MOST) {
      return new Branches(second, awaits, awaited, -1);
    }
    List<List<Use>> uses = dispatches.stream().map(d -> uses(schedule, d)).toList();
    List<BitSet> before = new ArrayList<>();
    int[] last = {-1, -1};
    // For each queue, up to which dispatch of the other one it has waited.
    int[] known = {-1, -1};
    for (int i = 0; i < n; i++) {
      BitSet needed = new BitSet();
      BitSet all = new BitSet();
      for (int j = 0; j < i; j++) {
        if (conflict(uses.get(i), uses.get(j))) {
          needed.set(j);
          all.set(j);
          all.or(before.get(j));
        }
      }
      before.add(all);
      second[i] = last[0] >= 0 && !all.get(last[0]);
      int queue = second[i] ? 1 : 0;
      for (int j = i - 1; j > known[queue]; j--) {
        if (needed.get(j) && second[j] != second[i]) {
          awaits[i] = j;
          awaited[j] = true;
          known[queue] = j;
          break;
        }
      }
      last[queue] = i;
    }
    if (last[1] >= 0) {
      awaited[last[1]] = true;
    }
    return new Branches(second, awaits, awaited, last[1]);
  }

  private static boolean conflict(List<Use> a, List<Use> b) {
    return a.stream().anyMatch(x -> b.stream().anyMatch(x::conflicts));
  }

  private static List<Use> uses(Schedule schedule, Dispatch d) {
    List<Use> out = new ArrayList<>();
    for (Schedule.Launch l : d.launches()) {
      for (int p = 0; p < l.slots().size(); p++) {
        Schedule.Slot slot = schedule.slots().get(l.slots().get(p));
        boolean written = l.kernel().params().get(p).written();
        out.add(
            slot.place() instanceof Schedule.Place.Arena a
                ? new Use(written, -1, a.offset(), a.offset() + slot.bytes())
                : new Use(written, l.slots().get(p), 0, slot.bytes()));
      }
    }
    return out;
  }
}
