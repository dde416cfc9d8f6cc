package tapedeck.ad.schedule;

import java.util.Set;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.type.Settings;

/** Turns a tape into a schedule: simplify, order, fuse, join, plan memory. */
public final class Scheduler {
  /** Bytes that fewer launches may cost in any schedule. */
  private static final long SLACK = 1 << 16;

  private Scheduler() {}

  /**
   * A schedule for a tape, under {@link Settings#ORDER}, {@link Settings#FUSE}, {@link
   * Settings#JOIN} and {@link Settings#PLAN}.
   *
   * @param tape a tape without custom rules; its constants are inputs like all others
   * @param donated positions of inputs whose buffers outputs may take over
   * @return kernels in order and the memory they use
   */
  public static Schedule schedule(Tape tape, Set<Integer> donated) {
    Tape simple = Simplifier.simplify(tape);
    boolean ordered = !Settings.ORDER.is("off");
    Fuser.Fused fused = Fuser.fuse(ordered ? ScalarsFirst.order(simple) : simple);
    Updates updates = new Updates(fused, donated);
    fused = ordered ? updates.last(fused) : fused;
    Schedule alone = MemoryPlanner.plan(fused, donated);
    Fuser.Fused joined = Settings.JOIN.is("off") ? fused : Joiner.join(fused, updates);
    if (joined.batches().size() == fused.batches().size()) {
      return alone;
    }
    Schedule together = MemoryPlanner.plan(joined, donated);
    return bytes(together) <= bytes(alone) + bytes(alone) / 64 + SLACK ? together : alone;
  }

  /** Memory that a run needs beside its inputs. */
  private static long bytes(Schedule s) {
    long results =
        s.outputs().stream()
            .map(s.slots()::get)
            .filter(slot -> slot.place() instanceof Schedule.Place.Output)
            .mapToLong(Schedule.Slot::bytes)
            .sum();
    return s.arenaBytes() + results;
  }
}
