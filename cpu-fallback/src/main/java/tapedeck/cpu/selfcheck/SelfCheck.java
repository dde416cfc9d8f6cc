package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import tapedeck.ad.backend.Device;

/** The whole table on one device. */
public final class SelfCheck {
  private SelfCheck() {}

  /**
   * Runs every row's checks: rules against finite differences on the reference, and the device
   * against the reference.
   *
   * @param device what is checked
   * @param effort how many variants and random graphs are tried
   * @param wanted which rows, by their names
   * @param progress told the name of each row before it is checked
   * @return the outcome of every check, row by row
   */
  public static List<CheckResult> run(
      Device device,
      DeviceChecks.Effort effort,
      Predicate<String> wanted,
      Consumer<String> progress) {
    List<CheckResult> out = new ArrayList<>();
    for (OpSample s : table(effort)) {
      if (!wanted.test(s.name())) {
        continue;
      }
      progress.accept(s.name());
      out.addAll(RuleChecks.run(s));
      out.addAll(DeviceChecks.run(device, s, effort));
    }
    return out;
  }

  /**
   * {@return names of the rows, in the order in which they are checked}
   *
   * @param effort how many random graphs there are
   */
  public static List<String> names(DeviceChecks.Effort effort) {
    return table(effort).stream().map(OpSample::name).toList();
  }

  /** All operations, and random graphs of them. */
  private static List<OpSample> table(DeviceChecks.Effort effort) {
    List<OpSample> rows = new ArrayList<>(OpSamples.all());
    rows.addAll(
        RandomGraphs.rows(
            switch (effort) {
              case QUICK -> 4;
              case FULL -> 60;
            }));
    return rows;
  }

  /**
   * {@return the device checks of every row by its name; each runs when asked and gives its
   * failures}
   *
   * @param device what is checked
   * @param effort how many variants and random graphs are tried
   */
  public static Map<String, Supplier<List<String>>> rows(
      Device device, DeviceChecks.Effort effort) {
    Map<String, Supplier<List<String>>> out = new LinkedHashMap<>();
    for (OpSample s : table(effort)) {
      out.put(
          s.name(),
          () ->
              DeviceChecks.run(device, s, effort).stream()
                  .filter(r -> !r.passed())
                  .map(CheckResult::toString)
                  .toList());
    }
    return out;
  }

  /**
   * {@return a line per failure, then a line with the counts; a summary for people}
   *
   * @param results outcomes, as {@link #run} gives them
   */
  public static String report(List<CheckResult> results) {
    StringBuilder s = new StringBuilder();
    Map<String, Integer> failures = new LinkedHashMap<>();
    for (CheckResult r : results) {
      if (!r.passed()) {
        s.append(r).append('\n');
        failures.merge(r.op(), 1, Integer::sum);
      }
    }
    long ops = results.stream().map(CheckResult::op).distinct().count();
    s.append(ops).append(" operations, ").append(results.size()).append(" checks, ");
    int failed = failures.values().stream().mapToInt(Integer::intValue).sum();
    return s.append(failed == 0 ? "all passed" : failed + " failed in " + failures.keySet())
        .append('\n')
        .toString();
  }
}
