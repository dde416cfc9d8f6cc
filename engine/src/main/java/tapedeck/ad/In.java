package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which axis of each argument {@link Ad#vmap} maps over, in the order of the arguments: {@code
 * in(0).none()} maps the first argument's leading axis and gives the second argument whole to every
 * call. An axis counts for every tensor of its argument, and may be negative.
 */
public final class In {
  private In() {}

  /**
   * {@return axes whose first argument is mapped}
   *
   * @param axis of each of its tensors; may be negative
   */
  public static Axes in(int axis) {
    return new Axes(List.of()).in(axis);
  }

  /** {@return axes whose first argument is not mapped} */
  public static Axes none() {
    return new Axes(List.of()).none();
  }

  /**
   * Axes of the first arguments.
   *
   * @param axes one entry per argument, empty where it is not mapped
   */
  public record Axes(List<Optional<Integer>> axes) {
    /** Copies the list. */
    public Axes {
      axes = List.copyOf(axes);
    }

    /**
     * {@return these axes and those of the next argument, which is mapped}
     *
     * @param axis of each of its tensors; may be negative
     */
    public Axes in(int axis) {
      return with(Optional.of(axis));
    }

    /** {@return these axes and those of the next argument, which is not mapped} */
    public Axes none() {
      return with(Optional.empty());
    }

    private Axes with(Optional<Integer> axis) {
      List<Optional<Integer>> all = new ArrayList<>(axes);
      all.add(axis);
      return new Axes(all);
    }
  }
}
