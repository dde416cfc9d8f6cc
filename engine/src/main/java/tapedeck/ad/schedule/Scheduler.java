package tapedeck.ad.schedule;

import java.util.Set;
import tapedeck.ad.tape.Tape;

/** Turns a tape into a schedule: simplify, fuse, plan memory. */
public final class Scheduler {
  private Scheduler() {}

  /**
   * A schedule for a tape, under {@link tapedeck.ad.type.Settings#FUSE} and {@link
   * tapedeck.ad.type.Settings#PLAN}.
   *
   * @param tape a tape without custom rules; its constants are inputs like all others
   * @param donated positions of inputs whose buffers outputs may take over
   * @return kernels in order and the memory they use
   */
  public static Schedule schedule(Tape tape, Set<Integer> donated) {
    return MemoryPlanner.plan(Fuser.fuse(Simplifier.simplify(tape)), donated);
  }
}
