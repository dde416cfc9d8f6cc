package tapedeck.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.bench.compare.Comparison;
import tapedeck.bench.compare.History;
import tapedeck.bench.compare.Report;
import tapedeck.bench.compare.ReportText;
import tapedeck.bench.compare.Targets;
import tapedeck.bench.data.Batches;
import tapedeck.bench.data.ImageData;
import tapedeck.bench.data.SafeTensors;
import tapedeck.bench.peers.PeerProcess;
import tapedeck.bench.peers.Peers;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;
import tapedeck.bench.work.HostFigures;
import tapedeck.bench.work.KernelTimes;
import tapedeck.bench.work.Limits;
import tapedeck.bench.work.Line;
import tapedeck.bench.work.MlpWork;
import tapedeck.bench.work.Size;
import tapedeck.bench.work.Workload;
import tapedeck.bench.work.Workloads;

/** The part of {@code bench} that compares: other workloads, other libraries, other reports. */
final class CompareOptions {
  private static final String HOST = "host";
  private static final String ALL = "all";
  private static final String DEFAULT_HISTORY = "bench/results";

  @Option(
      names = "--work",
      split = ",",
      paramLabel = "NAME",
      description = {
        "instead of the main job: mlp, mlp-wide, black-scholes, per-example, rows, elementwise,"
            + " matmul, gmm, host, or all"
      })
  private List<String> works = List.of();

  @Option(
      names = "--peers",
      split = ",",
      arity = "0..1",
      fallbackValue = ALL,
      paramLabel = "NAME",
      description = {
        "measures libtorch, libtorch-blas1 (one BLAS thread), tensorflow, openblas, clblast, and in"
            + " Python torch-eager, torch-compile and jax, or those named, in turns with Tapedeck;"
            + " without --work: mlp and matmul"
      })
  private List<String> peers = List.of();

  @Option(
      names = "--kernels",
      description = "with --work: the time of each kernel too; OpenCL devices record it themselves")
  private boolean kernels;

  @Option(
      names = "--size",
      paramLabel = "NAME",
      description = "full, large (for GPUs), or small to try things out; default: full")
  private String sizeName = Size.FULL.label();

  @Option(
      names = "--limit",
      paramLabel = "SECONDS",
      description =
          "time for the samples of one function in one place, beyond which it gets fewer, at least"
              + " three; default: none")
  private Optional<Double> limit = Optional.empty();

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "each function runs until it has not become faster for so long; default: 1.5")
  private Optional<Double> warmUp = Optional.empty();

  @Option(
      names = "--python",
      paramLabel = "COMMAND",
      description = "for the peers in Python; default: python3")
  private String python = "python3";

  @Option(
      names = "--export-data",
      paramLabel = "FILE",
      description =
          "writes the operands of the workloads as safetensors, for bench/peers/*.py, and measures"
              + " nothing")
  private Optional<Path> export = Optional.empty();

  @Option(
      names = "--with",
      arity = "1..*",
      paramLabel = "FILE",
      description = "adds the lines of other reports, such as those of bench/peers/*.py")
  private List<Path> with = List.of();

  @Option(
      names = "--history",
      arity = "0..1",
      fallbackValue = DEFAULT_HISTORY,
      paramLabel = "DIR",
      description = "how medians changed between the reports in a folder; default: bench/results")
  private Optional<Path> history = Optional.empty();

  @Option(
      names = "--targets",
      paramLabel = "DIR",
      description = "what is wanted of a GPU against what the reports in a folder say")
  private Optional<Path> targets = Optional.empty();

  /** What {@code bench} knows already. */
  record Setting(
      CommandLine line,
      DataOption data,
      List<String> deviceNames,
      List<Integer> batches,
      int threads,
      Optional<Integer> samples,
      long seed,
      boolean quick,
      Optional<Path> json) {}

  /** Whether the main job is not what the user asked for. */
  boolean wanted() {
    return !works.isEmpty()
        || !peers.isEmpty()
        || !with.isEmpty()
        || export.isPresent()
        || history.isPresent()
        || targets.isPresent();
  }

  /** Whether devices are measured, and not only files read or written. */
  boolean measures() {
    return export.isEmpty() && (!works.isEmpty() || !peers.isEmpty());
  }

  void check(CommandLine line) {
    List<String> known = new ArrayList<>(Workloads.names());
    known.addAll(List.of(HOST, ALL));
    for (String w : works) {
      Options.check(
          line,
          known.contains(w),
          "--work: there is no '" + w + "', only " + String.join(", ", known));
    }
    List<String> labels = Arrays.stream(Peers.values()).map(Peers::label).toList();
    for (String p : peers) {
      Options.check(
          line,
          p.equals(ALL) || labels.contains(p),
          "--peers: there is no '" + p + "', only " + String.join(", ", labels));
    }
    Options.check(
        line,
        Size.of(sizeName).isPresent(),
        "--size must be full, large or small, not " + sizeName);
    limit.ifPresent(s -> Options.check(line, s > 0, "--limit must be above 0, not " + s));
    warmUp.ifPresent(s -> Options.check(line, s >= 0, "--warm-up must not be negative: " + s));
    Options.check(line, !kernels || measures(), "--kernels needs --work or --peers");
    Options.check(
        line,
        (history.isEmpty() && targets.isEmpty())
            || (!measures() && with.isEmpty() && export.isEmpty()),
        "--history and --targets stand alone");
    if (kernels) {
      System.setProperty(KernelTimes.PROFILING, "on");
    }
  }

  private List<String> chosen() {
    if (works.contains(ALL)) {
      List<String> all = new ArrayList<>(Workloads.names());
      all.add(HOST);
      return all;
    }
    if (!works.isEmpty()) {
      return works;
    }
    return peers.isEmpty() ? Workloads.names() : List.of("mlp", "matmul");
  }

  int run(Setting s) {
    PrintWriter out = s.line.getOut();
    if (history.isPresent()) {
      out.print(History.table(history.get()));
      out.flush();
      return 0;
    }
    if (targets.isPresent()) {
      out.print(Targets.tables(targets.get()));
      out.flush();
      return 0;
    }
    Report report = new Report();
    report.head.put("machine", MachineInfo.collect());
    report.head.put(
        "command",
        "tapedeck "
            + String.join(
                " ", s.line.getCommandSpec().root().commandLine().getParseResult().originalArgs()));
    export.ifPresent(file -> write(file, workloads(s), true, out));
    if (measures()) {
      measure(s, workloads(s), report, out);
    }
    with.forEach(report::merge);
    ReportText.print(report, out);
    if (measures() || !with.isEmpty()) {
      s.json.ifPresent(report::write);
    }
    return report.differs.isEmpty() ? 0 : 1;
  }

  private List<Workload> workloads(Setting s) {
    Supplier<Workload> mlp =
        () -> {
          int batch = s.batches.isEmpty() ? 128 : s.batches.get(0);
          if (sizeName.equals(Size.LARGE.label())) {
            // A GPU's host may lack the images, and what counts there is the shape.
            return MlpWork.random(batch, s.seed);
          }
          ImageData images = s.data.read();
          int[] rows = Batches.first(images.train().size(), batch);
          return new MlpWork(
              images.train().images(rows),
              images.train().labels(rows),
              s.data.sizes(images),
              s.seed);
        };
    Map<String, Supplier<Workload>> all = Workloads.of(mlp, Size.of(sizeName).orElseThrow());
    return chosen().stream().filter(n -> !n.equals(HOST)).map(n -> all.get(n).get()).toList();
  }

  /**
   * Writes the operands, and for other programs what the CPU backend makes of them, as {@code
   * expected/LINE}.
   */
  private static void write(
      Path file, List<Workload> workloads, boolean expected, PrintWriter out) {
    Map<String, Tensor> tensors = new TreeMap<>();
    Ad.onDevice(
        "cpu",
        () -> {
          for (Workload w : workloads) {
            w.data().forEach((n, t) -> tensors.put(n, t.tensor()));
            if (expected) {
              for (Line l : w.lines(n -> Objects.requireNonNull(tensors.get(n)))) {
                tensors.put("expected/" + l.name(), Tensor.of(l.values().get()));
              }
            }
          }
          SafeTensors.write(file, tensors);
          tensors.values().forEach(Tensor::close);
          return null;
        });
    out.printf("wrote %s (%d tensors)%n", file, tensors.size());
    out.flush();
  }

  private void measure(Setting s, List<Workload> workloads, Report report, PrintWriter out) {
    report.head.put("threads", s.threads);
    report.head.put("size", sizeName);
    Map<String, Limits> before = Limits.measure(s.deviceNames, s.threads);
    int rounds = s.samples.orElse(s.quick ? 7 : 21);
    var settings =
        new Comparison.Settings(
            rounds, warmUp.orElse(s.quick ? 0.4 : 1.5), limit.orElse(Double.MAX_VALUE), kernels);
    List<Peers> wanted =
        Arrays.stream(Peers.values())
            .filter(p -> peers.contains(ALL) || peers.contains(p.label()))
            .toList();
    Optional<Path> data = wanted.isEmpty() ? Optional.empty() : Optional.of(temporary());
    try (Comparison c = new Comparison(s.deviceNames, settings, report, out)) {
      if (data.isPresent()) {
        write(data.get(), workloads, false, out);
        c.startPeers(wanted, python, s.threads, data.get());
      }
      workloads.forEach(c::measure);
      memory(s, wanted, data, report);
      Map<String, Limits> limits = Limits.best(before, Limits.measure(s.deviceNames, s.threads));
      c.bounds(limits);
      describe(limits, report, out);
    } finally {
      data.ifPresent(CompareOptions::delete);
    }
    if (chosen().contains(HOST)) {
      host(s, report, out);
    }
  }

  private static void describe(Map<String, Limits> limits, Report report, PrintWriter out) {
    Map<String, Object> described = new LinkedHashMap<>();
    limits.forEach(
        (d, l) -> {
          Map<String, Object> m = new LinkedHashMap<>();
          m.put("description", Devices.open(d).info().description());
          m.put("details", Devices.open(d).info().details());
          m.put("limits", l.toMap());
          described.put(d, m);
          out.printf(
              "%s: copies %.1f GB/s; float32 %.0f Gop/s, fused %.0f; float64 %.0f, fused %.0f%n",
              d,
              1e-9 * l.bytesPerSecond(),
              1e-9 * l.operations(),
              1e-9 * l.fused(),
              1e-9 * l.operations64(),
              1e-9 * l.fused64());
        });
    report.head.put("devices", described);
    out.flush();
  }

  private static Path temporary() {
    try {
      return Files.createTempFile("tapedeck-data", ".safetensors");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a step of the network needs beside its parameters, in peers that ran it. */
  private void memory(Setting s, List<Peers> wanted, Optional<Path> data, Report report) {
    String step = "mlp/step";
    // TensorFlow keeps freed memory to itself, so its process tells nothing.
    for (Peers p : wanted.stream().filter(w -> w == Peers.LIBTORCH).toList()) {
      if (report.lines.stream().noneMatch(l -> l.line().equals(step) && l.on().equals(p.label()))) {
        continue;
      }
      try (PeerProcess process = p.start(python, s.threads, data.orElseThrow(), true)) {
        process.prepare(step);
        report.memory.add(Map.of("line", step, "on", p.label(), "bytes", process.memory(step)));
      } catch (PeerProcess.Failure e) {
        report.notes.add("memory of " + step + " in " + p.label() + ": " + e.getMessage());
      }
    }
  }

  private static void host(Setting s, Report report, PrintWriter out) {
    TextTable t = new TextTable("figure", "on", "median", "samples");
    for (String d : s.deviceNames) {
      for (HostFigures.Figure f : HostFigures.measure(d, s.quick ? 3 : 9)) {
        report.host.add(HostFigures.toMap(f));
        double m = Stats.median(f.seconds());
        t.row(
            f.name(),
            f.device(),
            m < 1e-3 ? String.format("%.3f us", 1e6 * m) : String.format("%.1f ms", 1e3 * m),
            Integer.toString(f.seconds().length));
      }
    }
    out.println();
    out.print(t);
    out.flush();
  }
}
