package tapedeck.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;

/** What the project wants of a GPU, against what the reports in a folder say. */
public final class Targets {
  private static final String CPU = "cpu";
  private static final String EAGER = "torch-eager";
  private static final String JAX = "jax";
  private static final String SQUARE = "matmul/f32-4096x4096x4096-nn";

  private Targets() {}

  /** A line's time over that of a peer, at most; or its bytes a second over a copy's, at least. */
  private record Target(String line, Optional<String> peer, double bound) {
    static Target over(String line, String peer, double most) {
      return new Target(line, Optional.of(peer), most);
    }

    static Target bandwidth(String line) {
      return new Target(line, Optional.empty(), 0.9);
    }

    String text() {
      return peer.map(p -> String.format("time <= %.2f of %s", bound, p))
          .orElseGet(() -> String.format(">= %.0f %% of copy bandwidth", 100 * bound));
    }
  }

  private static final List<Target> ALL =
      List.of(
          Target.bandwidth("rows/elementwise"),
          Target.bandwidth("rows/softmax"),
          Target.bandwidth("rows/layer-norm"),
          Target.bandwidth("rows/log-sum-exp"),
          Target.bandwidth("rows/sum-last"),
          Target.bandwidth("rows/sum-first"),
          Target.bandwidth("rows/sum-middle"),
          // Rates of 0.9, 1.2 and 0.6 of cuBLAS.
          Target.over(SQUARE, EAGER, 1 / 0.9),
          Target.over(SQUARE + "-high", EAGER, 1 / 1.2),
          Target.over(SQUARE + "-default", EAGER, 1 / 0.6),
          Target.over(SQUARE + "-bfloat16", EAGER, 1 / 0.6),
          Target.over("mlp/step", EAGER, 0.5),
          Target.over("mlp/step", JAX, 1),
          Target.over("mlp-wide/step", EAGER, 1),
          Target.over("black-scholes/greeks", JAX, 1),
          Target.over("black-scholes/greeks", EAGER, 0.2),
          Target.over("per-example/gradients", JAX, 1));

  /** Lines of one report with the copy bandwidth of its devices. */
  private record Run(String file, List<Measured> lines, Map<?, ?> devices) {

    List<Measured> device(String line) {
      return lines.stream()
          .filter(m -> m.tapedeck() && m.line().equals(line) && !m.on().equals(CPU))
          .toList();
    }

    Optional<Measured> on(String line, String place) {
      return lines.stream().filter(m -> m.line().equals(line) && m.on().equals(place)).findFirst();
    }

    Optional<Double> copy(String device) {
      return devices.get(device) instanceof Map<?, ?> d
              && d.get("limits") instanceof Map<?, ?> l
              && l.get("copy_bytes_per_second") instanceof Number n
          ? Optional.of(n.doubleValue())
          : Optional.empty();
    }
  }

  /**
   * Two tables: the targets, and every line of a device against the CPU backend.
   *
   * @throws DataException if the folder cannot be read or a report in it is damaged
   */
  public static String tables(Path folder) {
    List<Run> runs = runs(folder);
    TextTable targets = new TextTable("line", "on", "target", "measured", "met", "report");
    for (Target t : ALL) {
      int before = targets.rows();
      for (Run r : runs) {
        for (Measured m : r.device(t.line)) {
          row(t, r, m, targets);
        }
      }
      if (targets.rows() == before) {
        targets.row(t.line, "-", t.text(), "not measured", "-", "-");
      }
    }
    TextTable cpu = new TextTable("line", "on", "ms", "CPU backend ms", "CPU over device");
    for (Run r : runs) {
      for (Measured m : r.lines) {
        Optional<Measured> host = m.on().equals(CPU) ? Optional.empty() : r.on(m.line(), CPU);
        host.filter(_ -> m.tapedeck())
            .ifPresent(
                h ->
                    cpu.row(
                        m.line(),
                        m.on(),
                        String.format("%.3f", 1e3 * m.median()),
                        String.format("%.3f", 1e3 * h.median()),
                        String.format("%.2f", h.median() / m.median())));
      }
    }
    return targets + "\n" + (cpu.rows() == 0 ? "no line was measured on the CPU backend\n" : cpu);
  }

  private static void row(Target t, Run r, Measured m, TextTable table) {
    String measured;
    boolean met;
    if (t.peer.isPresent()) {
      Optional<Measured> p = r.on(t.line, t.peer.get());
      if (p.isEmpty()) {
        return;
      }
      Ratio ratio = Ratio.of(m.seconds(), p.get().seconds());
      measured = ratio.toString();
      met = ratio.medians() <= t.bound;
    } else {
      Optional<Double> rate = m.cost().map(c -> c.bytes() / Stats.median(m.seconds()));
      Optional<Double> part = rate.flatMap(b -> r.copy(m.on()).map(c -> b / c));
      if (part.isEmpty()) {
        return;
      }
      measured = String.format("%.0f %%", 100 * part.get());
      met = part.get() >= t.bound;
    }
    table.row(t.line, m.on(), t.text(), measured, met ? "yes" : "NO", r.file);
  }

  private static List<Run> runs(Path folder) {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(p -> p.getFileName().toString().endsWith(".json")).sorted().toList();
    } catch (IOException e) {
      throw new DataException("[targets] cannot read " + folder + ": " + AtomicFile.reason(e), e);
    }
    List<Run> runs = new ArrayList<>();
    for (Path f : files) {
      // Other reports, such as a tuner's, lie in the same folder.
      if (Json.read(f) instanceof Map<?, ?> m && Report.FORM.equals(m.get("form"))) {
        Map<?, ?> devices = m.get("devices") instanceof Map<?, ?> d ? d : Map.of();
        runs.add(new Run(f.getFileName().toString(), Report.lines(m, f.toString()), devices));
      }
    }
    return runs;
  }
}
