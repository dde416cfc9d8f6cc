package tapedeck.ad.schedule;

import java.util.Set;
import tapedeck.ad.tape.Tape;

/** Turns a tape into a schedule: simplify, fuse, plan memory. */
public final class Scheduler {
  private Scheduler() {}

  /**
   * A schedule for a tape.
   *
   * @param donated positions of inputs whose buffers outputs may take over
   */
  public static Schedule schedule(Tape tape, Set<Integer> donated) {
    return MemoryPlanner.plan(Fuser.fuse(Simplifier.simplify(tape)), donated);
  }
}
