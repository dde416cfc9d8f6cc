package tapedeck.opencl.tuning;

import java.util.Locale;

/** How work is spread over the work-items of a device. */
public enum Profile {
  /** Few work-items, each with loops over contiguous vectors; no barriers. */
  CPU,
  /** Many work-items with coalesced accesses; local memory and barriers. */
  GPU;

  /** {@return the name in databases, such as {@code gpu}} */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
