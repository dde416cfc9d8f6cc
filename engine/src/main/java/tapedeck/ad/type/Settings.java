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
  /** Name of the default device; see {@link tapedeck.ad.backend.Devices#defaultDevice}. */
  DEVICE(
      "device", "", "device to use, such as cpu, interp or opencl:0; empty: the best usable one"),
  /** Threads of the CPU backend, at least 1; read when the device is opened. */
  THREADS("threads", "", "threads of the CPU backend; empty: one per processor"),
  /** Whether operations are fused into kernels. */
  FUSE("fuse", "on", "off: every operation is a kernel of its own"),
  /** Whether kernels are ordered so that updates fuse with what they read and happen in place. */
  ORDER("order", "on", "off: kernels are made in the order in which a function was traced"),
  /** Whether small kernels that are independent of each other may be launched as one. */
  JOIN("join", "on", "off: small independent kernels are not launched together"),
  /** Whether intermediates share memory. */
  PLAN("plan", "on", "off: every intermediate has memory of its own"),
  /** Precision of float32 products for which none is given; see {@link Precision}. */
  PRECISION(
      "precision",
      "highest",
      "of float32 products: highest, or where a device is faster so, high, default (TF32) or bfloat16"),
  /** Whether tapes are verified; see {@link tapedeck.ad.tape.TapeChecker}. */
  CHECKS("checks", "off", "on: shape rules are applied again after every pass over a tape"),
  /** Whether each kernel's results are compared with those of the interpreter. */
  VALIDATE("validate", "off", "cpu: every kernel is compared with the interpreter on the CPU"),
  /** Whether results are searched for NaN after each kernel. */
  NANS("nans", "off", "error: a kernel that makes a NaN fails with its operation and source line"),
  /** Folder for what is compiled; empty for none. */
  DUMP("dump", "", "folder that receives tapes, schedules and generated kernel sources"),
  /** How much is printed on standard error, 0 to 4; a level includes those below. */
  DEBUG("debug", "0", "1 compile times, 2 schedules, 3 tapes, 4 kernels, on standard error"),
  /** Time that an idle thread of the CPU backend takes to sleep; read when the device is opened. */
  AWAKE(
      "awake", "2000", "microseconds for which idle threads of the CPU backend wait for more work"),
  /** Whether new code of the CPU backend begins without vectors, which the JIT has to compile. */
  TIERS("tiers", "on", "off: the CPU backend computes in vectors from the start"),
  /** Optimisations to leave out; see {@link Optimisation}. */
  WITHOUT("without", "", "optimisations to leave out, such as short-rows,own-loops"),
  /** Folder in which the OpenCL backend keeps compiled programs. */
  CACHE("cache.dir", "", "folder of the program cache; empty: ~/.cache/tapedeck; off: none"),
  /** File with parameters of the OpenCL backend's kernels; read when a device is opened. */
  TUNING(
      "tuning",
      "",
      "file of measured kernel parameters; empty: ~/.cache/tapedeck/tuning.json; off: none"),
  /** Whether tensors that nobody closed are reported; see {@link tapedeck.ad.run.Leaks}. */
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

  /** {@return the system property, such as {@code tapedeck.cache.dir}} */
  public String key() {
    return key;
  }

  /** {@return the environment variable, such as {@code TAPEDECK_CACHE_DIR}} */
  public String variable() {
    return variable;
  }

  /** {@return the meaning of the values, in one line} */
  public String help() {
    return help;
  }

  /** {@return the value in force, never null: the property, else the variable, else the default} */
  public String get() {
    return System.getProperty(key, inherited);
  }

  /**
   * {@return whether the value in force is the given one, ignoring case}
   *
   * @param value the value to compare with, such as {@code on}
   */
  public boolean is(String value) {
    return get().equalsIgnoreCase(value);
  }

  /**
   * {@return the value in force as an integer}
   *
   * @param whenEmpty the result if the value is empty
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

  /** {@return a line per setting: property, variable, value in force, meaning} */
  public static List<String> table() {
    List<String> rows = new ArrayList<>();
    for (Settings s : values()) {
      rows.add(String.format("%-20s %-22s %-10s %s", s.key(), s.variable(), s.get(), s.help));
    }
    return rows;
  }
}
