package tapedeck.ad.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.SourceLine;

/**
 * Counts tensors whose memory the garbage collector had to free because nobody closed them. With
 * {@link Settings#LEAKS} on, a summary by type and source line goes to standard error when the JVM
 * ends.
 */
public final class Leaks {
  private static final Map<String, Integer> BY_ORIGIN = new TreeMap<>();
  private static boolean reporting;

  private Leaks() {}

  /** What to report if the tensor that is being made is never closed, or null if nobody asks. */
  static String origin(Aval aval) {
    if (!Settings.LEAKS.is("on")) {
      return null;
    }
    String line = SourceLine.find();
    return aval + (line.isEmpty() ? "" : " made at " + line);
  }

  static void add(String origin) {
    synchronized (BY_ORIGIN) {
      BY_ORIGIN.merge(origin, 1, Integer::sum);
      if (!reporting) {
        reporting = true;
        Runtime.getRuntime()
            .addShutdownHook(new Thread(() -> report().forEach(System.err::println)));
      }
    }
  }

  /**
   * {@return the number of leaked tensors so far, of those made while {@link Settings#LEAKS} was
   * on}
   */
  public static int count() {
    synchronized (BY_ORIGIN) {
      return BY_ORIGIN.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  /**
   * {@return a line with the total and one per origin, most frequent first; empty if there are
   * none}
   */
  public static List<String> report() {
    synchronized (BY_ORIGIN) {
      if (BY_ORIGIN.isEmpty()) {
        return List.of();
      }
      List<String> lines =
          new ArrayList<>(
              BY_ORIGIN.entrySet().stream()
                  .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                  .map(e -> "  " + e.getValue() + " x " + e.getKey())
                  .toList());
      lines.add(0, "[leaks] " + count() + " tensors were collected without being closed:");
      return lines;
    }
  }
}
