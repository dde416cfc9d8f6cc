package tapedeck.ad.schedule;

import java.util.List;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.DType;

/**
 * A planned sequence of kernel launches. Launches depend on earlier ones only through the slots
 * they share; running them in order is always right.
 *
 * @param slots every buffer that a launch touches
 * @param launches kernels in order
 * @param inputs slot of each input
 * @param outputs slot of each output; an output donated from an input shares that input's slot
 * @param arenaBytes size of the one allocation that holds all {@link Place.Arena} slots, 0 if there
 *     are none
 * @param liveBytes largest sum of simultaneously live arena slots: the lower bound of {@code
 *     arenaBytes}
 */
public record Schedule(
    List<Slot> slots,
    List<Launch> launches,
    List<Integer> inputs,
    List<Integer> outputs,
    long arenaBytes,
    long liveBytes) {

  /** Arena offsets are multiples of this many bytes. */
  public static final int ALIGN = 256;

  /**
   * A buffer of the schedule.
   *
   * @param dtype element type
   * @param elements number of elements
   * @param place where its memory comes from
   */
  public record Slot(DType dtype, long elements, Place place) {
    /** {@return the size in bytes, without the alignment of the arena} */
    public long bytes() {
      return elements * dtype.bytes();
    }
  }

  /** Where a slot's memory comes from. */
  public sealed interface Place {
    /**
     * The caller's input buffer.
     *
     * @param position index into the schedule's inputs
     */
    record Input(int position) implements Place {}

    /**
     * The caller's output buffer.
     *
     * @param position index into the schedule's outputs
     */
    record Output(int position) implements Place {}

    /**
     * Part of the executable's arena.
     *
     * @param offset in bytes, a multiple of {@link #ALIGN}
     */
    record Arena(long offset) implements Place {}
  }

  /**
   * One kernel launch.
   *
   * @param kernel what is computed
   * @param label operations that were fused, for profiles and messages, such as {@code
   *     matmul+add+relu}
   * @param source the user's source line of the last operation, or an empty string
   * @param slots slot of each kernel parameter
   * @param joins whether it is small and independent of the launches before it back to the last one
   *     that does not join: none of them writes memory that another one of them uses, so a backend
   *     may run them as one
   */
  public record Launch(
      Kernel kernel, String label, String source, List<Integer> slots, boolean joins) {

    /**
     * A launch that joins no others.
     *
     * @param kernel what is computed
     * @param label operations that were fused
     * @param source the user's source line of the last operation, or an empty string
     * @param slots slot of each kernel parameter
     */
    public Launch(Kernel kernel, String label, String source, List<Integer> slots) {
      this(kernel, label, source, slots, false);
    }
  }
}
