package tapedeck.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;

/**
 * How medians changed between commits: reads all reports of a folder, those of the main job,
 * comparisons and products, and lines up what is the same function on the same device of the same
 * machine.
 */
public final class History {
  /** One median of one report. */
  record Point(String machine, String line, String on, String time, String commit, double median) {}

  private History() {}

  /**
   * A table with a row for each function and report, oldest first.
   *
   * @throws DataException if there is no report, or a file is none
   */
  public static TextTable table(Path folder) {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(p -> p.getFileName().toString().endsWith(".json")).sorted().toList();
    } catch (IOException e) {
      throw new DataException("[history] cannot read " + folder + ": " + AtomicFile.reason(e), e);
    }
    if (files.isEmpty()) {
      throw new DataException("[history] there is no .json file in " + folder);
    }
    List<Point> points = new ArrayList<>();
    for (Path f : files) {
      points.addAll(points(f));
    }
    return table(points);
  }

  static TextTable table(List<Point> points) {
    Map<String, List<Point>> series = new TreeMap<>();
    for (Point p : points) {
      series
          .computeIfAbsent(p.line + "\n" + p.on + "\n" + p.machine, _ -> new ArrayList<>())
          .add(p);
    }
    TextTable t = new TextTable("line", "on", "machine", "time", "commit", "ms", "change");
    for (List<Point> s : series.values()) {
      s.sort(Comparator.comparing(Point::time));
      for (int i = 0; i < s.size(); i++) {
        Point p = s.get(i);
        String change =
            i == 0 ? "-" : String.format("%+.0f %%", 100 * (p.median / s.get(i - 1).median - 1));
        t.row(
            p.line,
            p.on,
            p.machine,
            p.time,
            p.commit,
            String.format("%.3f", 1e3 * p.median),
            change);
      }
    }
    return t;
  }

  static List<Point> points(Path file) {
    if (!(Json.read(file) instanceof Map<?, ?> m)) {
      throw new DataException("[history] " + file + " is no JSON object");
    }
    if (m.get("runs") instanceof List<?>) {
      // A tuner's report: its samples are of parameters against each other, not of a commit.
      return List.of();
    }
    if (!(m.get("machine") instanceof Map<?, ?> machine)) {
      throw new DataException("[history] " + file + " does not say on which machine it was made");
    }
    String source = file.toString();
    String name =
        Measured.text(machine, "cpu", source)
            + " x"
            + Math.round(Measured.number(machine, "processors", source));
    String time = Measured.text(machine, "time", source);
    String commit = Measured.text(machine, "commit", source);
    Map<String, Double> medians = new LinkedHashMap<>();
    if (m.get("lines") instanceof List<?>) {
      for (Measured l : Report.lines(m, source)) {
        medians.put(l.line() + "\n" + l.on(), l.median());
      }
    } else if (m.get("results") instanceof List<?> results) {
      if (m.get("clock") instanceof String clock) {
        String on =
            "cpu, " + Math.round(Measured.number(m, "threads", source)) + " threads, " + clock;
        products(results, on, medians, source);
      } else {
        mainJob(results, medians, source);
      }
    } else {
      throw new DataException("[history] " + file + " has neither 'lines' nor 'results'");
    }
    List<Point> out = new ArrayList<>();
    medians.forEach(
        (key, median) -> {
          String[] parts = key.split("\n", 2);
          out.add(new Point(name, parts[0], parts[1], time, commit, median));
        });
    return out;
  }

  private static Map<?, ?> result(Object o, String source) {
    if (o instanceof Map<?, ?> r) {
      return r;
    }
    throw new DataException("[history] " + source + ": a result is no JSON object");
  }

  private static void products(
      List<?> results, String on, Map<String, Double> medians, String source) {
    for (Object o : results) {
      Map<?, ?> r = result(o, source);
      String line =
          String.join(
              " ",
              "product",
              Measured.text(r, "size", source),
              Measured.text(r, "dtype", source),
              Measured.text(r, "transpose", source));
      double[] seconds = Measured.numbers(r.get("seconds"), source);
      medians.put(line + "\n" + on, Stats.median(seconds));
    }
  }

  private static void mainJob(List<?> results, Map<String, Double> medians, String source) {
    for (Object o : results) {
      Map<?, ?> r = result(o, source);
      int batch = (int) Measured.number(r, "batch", source);
      String on = Measured.text(r, "device", source);
      for (String work : List.of("forward", "forward+backward", "step")) {
        if (r.get(work) instanceof Map<?, ?> w) {
          double[] seconds = Measured.numbers(w.get("seconds"), source);
          medians.put("main job, batch " + batch + ", " + work + "\n" + on, Stats.median(seconds));
        }
      }
    }
  }
}
