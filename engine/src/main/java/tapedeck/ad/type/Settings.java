package tapedeck.ad.type;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The one table of settings. Each is the system property {@code tapedeck.NAME} or, where that is
 * not set, the environment variable {@code TAPEDECK_NAME} (dots become underscores). Properties are
 * read at each use, so a test or a debugger may change them while the program runs.
 */
public enum Settings {
  DEVICE(
      "device", "", "device to use, such as cpu, interp or opencl:0; empty: the best usable one"),
  THREADS("threads", "", "threads of the CPU backend; empty: one per processor"),
  FUSE("fuse", "on", "off: every operation is a kernel of its own"),
  PLAN("plan", "on", "off: every intermediate has memory of its own"),
  CHECKS("checks", "off", "on: shape rules are applied again after every pass over a tape"),
  VALIDATE("validate", "off", "cpu: every kernel is compared with the interpreter on the CPU"),
  NANS("nans", "off", "error: a kernel that makes a NaN fails with its operation and source line"),
  DUMP("dump", "", "folder that receives tapes, schedules and generated kernel sources"),
  DEBUG("debug", "0", "1 compile times, 2 schedules, 3 tapes, 4 kernels, on standard error"),
  CACHE("cache.dir", "", "folder of the program cache; empty: ~/.cache/tapedeck; off: none"),
  LEAKS("leaks", "off", "on: a tensor that was collected without being closed is reported");

  private final String key;
  private final String variable;
  private final String inherited;
  private final String help;

  Settings(String key, String fallback, String help) {
    this.key = "tapedeck." + key;
    this.variable = "TAPEDECK_" + key.replace('.', '_').toUpperCase(Locale.ROOT);
    // The environment of a process does not change.
    String environment = System.getenv(variable);
    this.inherited = environment == null ? fallback : environment;
    this.help = help;
  }

  public String key() {
    return key;
  }

  public String variable() {
    return variable;
  }

  public String help() {
    return help;
  }

  /** The value in force; never null. */
  public String get() {
    return System.getProperty(key, inherited);
  }

  /** Whether the value in force is the given one, ignoring case. */
  public boolean is(String value) {
    return get().equalsIgnoreCase(value);
  }

  /**
   * The value in force as an integer.
   *
   * @throws TapedeckException if it is not one
   */
  public int intValue(int whenEmpty) {
    String v = get();
    if (v.isEmpty()) {
      return whenEmpty;
    }
    try {
      return Integer.parseInt(v.trim());
    } catch (NumberFormatException e) {
      throw new TapedeckException(
          "[settings] " + key() + " must be an integer, not '" + v + "'", e);
    }
  }

  /** A line per setting: property, variable, value in force, meaning. */
  public static List<String> table() {
    List<String> rows = new ArrayList<>();
    for (Settings s : values()) {
      rows.add(String.format("%-20s %-22s %-10s %s", s.key(), s.variable(), s.get(), s.help));
    }
    return rows;
  }
}
