package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.Settings;
import tapedeck.bench.model.Blas;
import tapedeck.bench.model.MatmulRun;
import tapedeck.bench.model.MatmulRun.Clock;
import tapedeck.bench.model.MatmulRun.Shape;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;

/** Matrix products of the CPU backend beside those of OpenBLAS. */
@Command(
    name = "matmul",
    description = {
      "Times matrix products of the CPU backend, in turns with OpenBLAS where that is installed, after"
          + " checking them against float64 sums."
    },
    mixinStandardHelpOptions = true)
final class MatmulCommand implements Callable<Integer> {
  private static final String CPU = "cpu";
  private static final Pattern SIZE =
      Pattern.compile("([1-9]\\d{0,5})x([1-9]\\d{0,5})x([1-9]\\d{0,5})");

  /** Types of elements. */
  enum Type {
    float32,
    float64
  }

  /** Which operands are transposed: n as they lie, t transposed. */
  enum Transpose {
    nn,
    nt,
    tn,
    tt
  }

  @Spec private CommandSpec spec;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "MxNxK",
      description = "rows and columns of the product and its depth; default: a range of shapes")
  private List<String> sizes =
      List.of(
          "2048x2048x2048",
          "1024x1024x1024",
          "512x512x512",
          "256x256x256",
          "64x64x64",
          "16x16x16",
          "1000x777x333",
          "128x784x512",
          "4096x64x64",
          "64x4096x64");

  @Option(
      names = "--dtype",
      split = ",",
      paramLabel = "TYPE",
      description = "${COMPLETION-CANDIDATES}; default: float32")
  private List<Type> types = List.of(Type.float32);

  @Option(
      names = "--transpose",
      split = ",",
      paramLabel = "WHICH",
      description = "operands that are transposed: ${COMPLETION-CANDIDATES}; default: nn")
  private List<Transpose> transposes = List.of(Transpose.nn);

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "threads of both; default: ${DEFAULT-VALUE}")
  private int threads = 1;

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "samples of which the median is told; default: ${DEFAULT-VALUE}")
  private int samples = 21;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description =
          "repeat each product until its time has not fallen for half of so many; default: ${DEFAULT-VALUE}")
  private double warmUp = 1;

  @Option(
      names = "--clock",
      paramLabel = "WHICH",
      description =
          "wall: elapsed time; cpu: processor time of the one thread, for a machine that is not idle;"
              + " default: ${DEFAULT-VALUE}")
  private Clock clock = Clock.wall;

  @Option(
      names = "--peer",
      paramLabel = "FILE",
      description = "OpenBLAS's library, auto or none; default: ${DEFAULT-VALUE}")
  private String peer = "auto";

  @Option(names = "--json", paramLabel = "FILE", description = "where raw samples go")
  private Optional<Path> json = Optional.empty();

  @Override
  public Integer call() {
    var line = spec.commandLine();
    Options.positive(line, "--threads", threads);
    Options.positive(line, "--samples", samples);
    json.ifPresent(AtomicFile::check);
    Options.check(line, warmUp >= 0, "--warm-up must not be negative");
    Options.check(
        line, clock == Clock.wall || threads == 1, "--clock cpu counts one thread: --threads 1");
    List<Shape> shapes = shapes();
    PrintWriter out = line.getOut();
    System.setProperty(Settings.THREADS.key(), Integer.toString(threads));
    // opened anew, with this number of threads
    Devices.close(CPU);
    Device device = Devices.open(CPU);
    Optional<Blas> blas =
        switch (peer) {
          case "none" -> Optional.empty();
          case "auto" -> Blas.find();
          default -> Optional.of(Blas.load(Path.of(peer)));
        };
    blas.ifPresent(b -> b.threads(threads));
    String description = blas.map(Blas::description).orElse("none");
    Map<String, Object> machine = MachineInfo.collect();
    out.printf(
        "matrix products, m x n x k, on %s, %s%nthreads: %d, peer: %s%n%n",
        machine.get("cpu"), machine.get("java"), threads, description);
    out.flush();
    TextTable table =
        new TextTable(
            "size", "type", "transposed", "GFLOP/s", "+-", "peer", "+-", "ratio", "error");
    List<Object> results = new ArrayList<>();
    for (Shape s : shapes) {
      results.add(measure(device, s, blas, table));
    }
    out.print(table);
    out.println();
    out.printf(
        "medians of %s time; +-: half the distance between the quartiles over the median%n", clock);
    out.println("ratio: median time of the peer over that of the CPU backend");
    out.println(
        "error: largest difference from a float64 sum over the sum of the terms' magnitudes");
    out.flush();
    json.ifPresent(file -> Json.write(file, report(machine, description, results)));
    return 0;
  }

  private List<Shape> shapes() {
    List<Shape> shapes = new ArrayList<>();
    for (Type type : types) {
      for (Transpose t : transposes) {
        for (String size : sizes) {
          Matcher m = SIZE.matcher(size);
          Options.check(
              spec.commandLine(), m.matches(), "--sizes must be like 64x128x32, not " + size);
          shapes.add(
              new Shape(
                  type == Type.float64,
                  Integer.parseInt(m.group(1)),
                  Integer.parseInt(m.group(2)),
                  Integer.parseInt(m.group(3)),
                  t.name().charAt(0) == 't',
                  t.name().charAt(1) == 't'));
        }
      }
    }
    return shapes;
  }

  private Map<String, Object> measure(
      Device device, Shape s, Optional<Blas> blas, TextTable table) {
    try (MatmulRun run = new MatmulRun(device, s, blas, clock)) {
      double error = run.check();
      run.warmUp(warmUp);
      // In turns: what disturbs the machine for a while disturbs both alike.
      for (int i = 0; i < samples; i++) {
        run.sample();
      }
      double own = run.samples().median();
      String size = s.m() + "x" + s.n() + "x" + s.k();
      String type = (s.f64() ? Type.float64 : Type.float32).name();
      String transposed = (s.transA() ? "t" : "n") + (s.transB() ? "t" : "n");
      Map<String, Object> m = new LinkedHashMap<>();
      m.put("size", size);
      m.put("dtype", type);
      m.put("transpose", transposed);
      m.put("error", error);
      m.put("median_seconds", own);
      m.put("seconds", run.samples().values());
      String[] cells = {"-", "-", "-"};
      if (blas.isPresent()) {
        double theirs = run.peerSamples().median();
        cells =
            new String[] {
              rate(s, theirs), spread(run.peerSamples().values()), "%.3f".formatted(theirs / own)
            };
        m.put("peer_median_seconds", theirs);
        m.put("peer_seconds", run.peerSamples().values());
        m.put("ratio", theirs / own);
      }
      table.row(
          size,
          type,
          transposed,
          rate(s, own),
          spread(run.samples().values()),
          cells[0],
          cells[1],
          cells[2],
          "%.1e".formatted(error));
      return m;
    }
  }

  private static String rate(Shape s, double seconds) {
    return "%.1f".formatted(s.flops() / seconds * 1e-9);
  }

  private static String spread(double[] samples) {
    return "%.1f %%".formatted(100 * Stats.spread(samples));
  }

  private Map<String, Object> report(
      Map<String, Object> machine, String description, List<Object> results) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("what", "matrix products of the CPU backend and of a BLAS, in turns");
    m.put(
        "command",
        "tapedeck " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs()));
    m.put("machine", machine);
    m.put("threads", threads);
    m.put("clock", clock.name());
    m.put("peer", description);
    m.put("results", results);
    return m;
  }
}
