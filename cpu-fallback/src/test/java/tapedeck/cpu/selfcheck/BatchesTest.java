package tapedeck.cpu.selfcheck;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tapedeck.ad.run.ScheduleText;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.type.DType;

/** Launches that may be one do not touch each other's memory, in random graphs. */
class BatchesTest {
  private static final int GRAPHS = 60;
  private static final int TOGETHER = 6;

  /** Bytes of a place that a launch uses; inputs and outputs have a memory each. */
  private record Use(boolean written, int memory, long from, long to) {
    boolean clashes(Use o) {
      return (written || o.written) && memory == o.memory && from < o.to && o.from < to;
    }
  }

  @Test
  void batchesAreIndependent() {
    int joined = 0;
    for (int first = 0; first < GRAPHS; first += TOGETHER) {
      List<Tape> tapes = new ArrayList<>();
      for (int g = first; g < first + TOGETHER; g++) {
        OpSample s = RandomGraphs.row(g);
        Tape t = Tapes.of(s.variants().getFirst(), DType.FLOAT32).tape();
        tapes.add(t);
        tapes.add(Tapes.vjp(t));
      }
      Tape all = Tapes.merge(tapes);
      Set<Integer> donated =
          IntStream.range(0, all.inputs().size()).boxed().collect(Collectors.toSet());
      joined += check(Scheduler.schedule(all, donated));
      joined += check(Scheduler.schedule(all, Set.of()));
    }
    assertTrue(joined > GRAPHS, joined + " launches joined others");
  }

  private static int check(Schedule s) {
    int joined = 0;
    List<Use> batch = new ArrayList<>();
    for (int i = 0; i < s.launches().size(); i++) {
      Schedule.Launch l = s.launches().get(i);
      if (l.joins()) {
        joined++;
      } else {
        batch.clear();
      }
      List<Use> own = uses(s, l);
      int at = i;
      for (Use a : batch) {
        for (Use b : own) {
          assertFalse(a.clashes(b), () -> "launch " + at + "\n" + ScheduleText.of(s));
        }
      }
      batch.addAll(own);
    }
    return joined;
  }

  private static List<Use> uses(Schedule s, Schedule.Launch l) {
    List<Use> out = new ArrayList<>();
    for (int p = 0; p < l.slots().size(); p++) {
      Schedule.Slot slot = s.slots().get(l.slots().get(p));
      boolean written = l.kernel().params().get(p).written();
      out.add(
          slot.place() instanceof Schedule.Place.Arena a
              ? new Use(written, -1, a.offset(), a.offset() + slot.bytes())
              : new Use(written, l.slots().get(p), 0, slot.bytes()));
    }
    return out;
  }
}
