package tapedeck.bench.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.Json;
import tapedeck.bench.work.KernelCost;

/** All that a comparison found; the same form is read from other programs. */
public final class Report {
  static final String FORM = "tapedeck comparison 1";

  /**
   * The time of one kernel of a function.
   *
   * @param source who measured: the device or the host
   */
  public record Kernel(
      String line,
      String on,
      int index,
      String label,
      String source,
      double seconds,
      KernelCost cost,
      double boundSeconds) {

    Kernel bound(double least) {
      return new Kernel(line, on, index, label, source, seconds, cost, least);
    }
  }

  /** Machine, command, devices and the like, as they are written. */
  public final Map<String, Object> head = new LinkedHashMap<>();

  public final Map<String, Object> peers = new LinkedHashMap<>();
  public final List<Measured> lines = new ArrayList<>();
  public final List<Kernel> kernels = new ArrayList<>();

  /** Figures of the host, ready to be written. */
  public final List<Object> host = new ArrayList<>();

  /** Bytes of memory that one run needs, by line and place. */
  public final List<Map<String, Object>> memory = new ArrayList<>();

  /** What could not run, and why. */
  public final List<String> notes = new ArrayList<>();

  /** Results that do not agree. */
  public final List<String> differs = new ArrayList<>();

  /** Writes it as JSON. */
  public void write(Path file) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("form", FORM);
    m.putAll(head);
    m.put("peers", peers);
    m.put("lines", lines.stream().map(Measured::toMap).toList());
    List<Object> k = new ArrayList<>();
    for (Kernel x : kernels) {
      Map<String, Object> e = new LinkedHashMap<>();
      e.put("line", x.line);
      e.put("on", x.on);
      e.put("index", x.index);
      e.put("label", x.label);
      e.put("timed_by", x.source);
      e.put("median_seconds", x.seconds);
      e.put("bytes", x.cost.bytes());
      e.put("operations", x.cost.operations());
      e.put("bound_seconds", x.boundSeconds);
      k.add(e);
    }
    m.put("kernels", k);
    m.put("host", host);
    m.put("memory", memory);
    m.put("left_out", notes);
    m.put("differs", differs);
    Json.write(file, m);
  }

  /**
   * The lines of a report that this or another program wrote.
   *
   * @throws DataException if the file is no such report
   */
  public static List<Measured> read(Path file) {
    if (!(Json.read(file) instanceof Map<?, ?> m)) {
      throw new DataException("[report] " + file + " is no JSON object");
    }
    return lines(m, file.toString());
  }

  static List<Measured> lines(Map<?, ?> m, String source) {
    if (!FORM.equals(m.get("form")) || !(m.get("lines") instanceof List<?> list)) {
      throw new DataException("[report] " + source + " is no report of the form '" + FORM + "'");
    }
    List<Measured> out = new ArrayList<>();
    for (Object o : list) {
      if (!(o instanceof Map<?, ?> line)) {
        throw new DataException("[report] " + source + ": a line is no JSON object");
      }
      out.add(Measured.fromMap(line, source));
    }
    return out;
  }

  /** Adds the lines of another program's report. */
  public void merge(Path file) {
    for (Measured m : read(file)) {
      if (lines.stream().anyMatch(l -> l.line().equals(m.line()) && l.on().equals(m.on()))) {
        throw new DataException(
            "[report] " + file + " has " + m.line() + " on " + m.on() + ", which is there already");
      }
      lines.add(m);
    }
    notes.add("lines of " + file.getFileName() + " were not measured in turns with the others");
  }
}
