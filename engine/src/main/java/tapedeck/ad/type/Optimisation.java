package tapedeck.ad.type;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Optimisations that {@link Settings#WITHOUT} leaves out, to measure what each gains and to find
 * out which one is at fault. Results are the same within the tolerances of the operations, except
 * where a constant says that they are the same bit for bit.
 */
public enum Optimisation {
  /** A kernel has as many operations as its real buffers allow, not as its intermediates would. */
  REAL_BUFFERS,
  /** Loops of the CPU backend are not inlined into what calls them. Same bits. */
  OWN_LOOPS,
  /** The CPU backend does a row that keeps nothing per element in one call. */
  WHOLE_ROWS,
  /** The CPU backend keeps values that later phases need where results will be. Same bits. */
  KEPT_RESULTS,
  /** Vector loops of the CPU backend walk many short rows. */
  SHORT_ROWS,
  /** A block of a product on the CPU backend packs its own part of the right operand. Same bits. */
  OWN_PANELS,
  /** Short rows end in a whole vector on the CPU backend, not in a part of one. Same bits. */
  WHOLE_ENDS,
  /** A thread of the CPU backend does the same part of every kernel, if it can. Same bits. */
  OWN_SHARES,
  /** The CPU backend cuts deep products of few results into parts of their depth. */
  DEPTH_PARTS,
  /** The CPU backend writes large results around its caches. Same bits. */
  STREAMED_WRITES,
  /** Rows shorter than a vector become longer ones on the CPU backend. Same bits. */
  WOVEN_ROWS,
  /** The CPU backend applies functions to many short rows at once, also after a narrow product. */
  JOINED_ROWS;

  /** {@return the name in the setting, such as {@code short-rows}} */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * {@return whether the setting does not name it}
   *
   * @throws TapedeckException if the setting names anything that is no optimisation
   */
  public boolean isOn() {
    String without = Settings.WITHOUT.get();
    if (without.isEmpty()) {
      return true;
    }
    boolean on = true;
    for (String name : without.split(",", -1)) {
      String s = name.strip();
      if (Arrays.stream(values()).noneMatch(o -> o.label().equalsIgnoreCase(s))) {
        throw new TapedeckException(
            "[settings] "
                + Settings.WITHOUT.key()
                + " names no optimisation with '"
                + s
                + "'; there are "
                + Arrays.stream(values())
                    .map(Optimisation::label)
                    .collect(Collectors.joining(", ")));
      }
      on &= !label().equalsIgnoreCase(s);
    }
    return on;
  }
}
