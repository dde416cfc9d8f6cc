package tapedeck.bench.compare;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.Stats;

/**
 * Samples of one function in one place.
 *
 * @param line name of the function
 * @param on device of Tapedeck, or a peer
 * @param tapedeck whether it is Tapedeck
 * @param seconds samples in the order in which they were taken
 * @param cost what it must at least do; of Tapedeck's own lines only
 * @param error normwise difference from the first device's result; absent for that one
 */
public record Measured(
    String line,
    String on,
    boolean tapedeck,
    double[] seconds,
    Optional<Cost> cost,
    Optional<Double> error) {

  /**
   * What a function must at least do and hold.
   *
   * @param kernels launched
   * @param bytes moved
   * @param operations scalar operations
   * @param boundSeconds the least time, by the device's limits
   * @param planBytes memory of the plan for values between kernels
   * @param liveBytes the least that any plan needs
   */
  public record Cost(
      int kernels,
      long bytes,
      double operations,
      double boundSeconds,
      long planBytes,
      long liveBytes) {}

  public double median() {
    return Stats.median(seconds);
  }

  /** How much of the limits it reaches, where they are known: 1 is all. */
  public Optional<Double> ofBound() {
    return cost.filter(c -> c.boundSeconds > 0).map(c -> c.boundSeconds / median());
  }

  /** The same with another least time. */
  Measured bound(double seconds) {
    return new Measured(
        line,
        on,
        tapedeck,
        this.seconds,
        cost.map(
            c -> new Cost(c.kernels, c.bytes, c.operations, seconds, c.planBytes, c.liveBytes)),
        error);
  }

  /** For a report. */
  Map<String, Object> toMap() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("line", line);
    m.put("on", on);
    m.put("kind", tapedeck ? "tapedeck" : "peer");
    m.put("median_seconds", median());
    m.put("seconds", seconds);
    cost.ifPresent(
        c -> {
          m.put("kernels", c.kernels);
          m.put("bytes", c.bytes);
          m.put("operations", c.operations);
          m.put("bound_seconds", c.boundSeconds);
          m.put("plan_bytes", c.planBytes);
          m.put("live_bytes", c.liveBytes);
        });
    error.ifPresent(e -> m.put("error", e));
    return m;
  }

  /** Reads what {@link #toMap} wrote, or another program in the same form. */
  static Measured fromMap(Map<?, ?> m, String source) {
    double[] seconds = numbers(m.get("seconds"), source);
    if (seconds.length == 0) {
      throw new DataException("[report] " + source + ": a line has no samples");
    }
    Optional<Cost> cost = Optional.empty();
    if (m.get("bound_seconds") instanceof Number bound) {
      cost =
          Optional.of(
              new Cost(
                  (int) number(m, "kernels", source),
                  (long) number(m, "bytes", source),
                  number(m, "operations", source),
                  bound.doubleValue(),
                  (long) number(m, "plan_bytes", source),
                  (long) number(m, "live_bytes", source)));
    }
    return new Measured(
        text(m, "line", source),
        text(m, "on", source),
        "tapedeck".equals(m.get("kind")),
        seconds,
        cost,
        m.get("error") instanceof Number e ? Optional.of(e.doubleValue()) : Optional.empty());
  }

  static String text(Map<?, ?> m, String field, String source) {
    if (m.get(field) instanceof String s) {
      return s;
    }
    throw new DataException("[report] " + source + ": the text '" + field + "' is missing");
  }

  static double number(Map<?, ?> m, String field, String source) {
    if (m.get(field) instanceof Number n) {
      return n.doubleValue();
    }
    throw new DataException("[report] " + source + ": the number '" + field + "' is missing");
  }

  static double[] numbers(Object value, String source) {
    if (!(value instanceof List<?> list)) {
      throw new DataException("[report] " + source + ": samples must be a list of numbers");
    }
    double[] out = new double[list.size()];
    for (int i = 0; i < out.length; i++) {
      if (!(list.get(i) instanceof Number n)) {
        throw new DataException("[report] " + source + ": samples must be a list of numbers");
      }
      out[i] = n.doubleValue();
    }
    return out;
  }
}
