package tapedeck.opencl.render;

import java.util.List;
import java.util.stream.Collectors;
import tapedeck.ad.schedule.Schedule;

/**
 * One enqueued kernel.
 *
 * @param text what is compiled
 * @param launches what it does: one launch of a schedule, or several that are independent of each
 *     other
 */
public record Dispatch(Rendered text, List<Schedule.Launch> launches) {

  /** {@return the slot of each argument} */
  public List<Integer> slots() {
    return launches.stream().flatMap(l -> l.slots().stream()).toList();
  }

  /** {@return the launches' labels} */
  public String label() {
    return launches.stream().map(Schedule.Launch::label).collect(Collectors.joining(" | "));
  }

  /** {@return the labels with the user's source lines} */
  public String origin() {
    return launches.stream()
        .map(l -> l.label() + (l.source().isEmpty() ? "" : " at " + l.source()))
        .collect(Collectors.joining(" | "));
  }
}
