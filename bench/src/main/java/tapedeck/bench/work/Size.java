package tapedeck.bench.work;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How large the operands of the workloads are. */
public enum Size {
  /** To try things out. */
  SMALL,
  /** Those that reports of processors quote. */
  FULL,
  /** Those that reports of GPUs quote. */
  LARGE;

  /** The size of a name. */
  public static Optional<Size> of(String label) {
    return Arrays.stream(values()).filter(s -> s.label().equals(label)).findFirst();
  }

  /** The name by which a user chooses it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  <T> T pick(T small, T full, T large) {
    return switch (this) {
      case SMALL -> small;
      case FULL -> full;
      case LARGE -> large;
    };
  }
}
