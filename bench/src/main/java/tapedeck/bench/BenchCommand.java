package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.BackendProvider.Candidate;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.DeviceException;
import tapedeck.bench.data.Batches;
import tapedeck.bench.data.ImageData;
import tapedeck.bench.model.MlpRun;
import tapedeck.bench.model.MlpRun.Work;
import tapedeck.bench.model.ReplayOverhead;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;

/** The main job: batch gradients of a multilayer perceptron on each device. */
@Command(
    name = "bench",
    description = {
      "Computes batch gradients of a multilayer perceptron (softmax cross entropy, float32) on real images"
          + " with each device and with the CPU backend."
    },
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  private static final String CPU = "cpu";
  private static final String INTERPRETER = "interpreter";

  @Spec private CommandSpec spec;
  @Mixin private DataOption data;
  @Mixin private CompareOptions compare;

  @Option(
      names = "--device",
      split = ",",
      paramLabel = "NAME",
      description = "devices to measure beside the CPU backend; default: all but the interpreter")
  private List<String> devices = List.of();

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "N",
      description = "batch sizes; default: 32,128,512")
  private List<Integer> batches = List.of();

  @Option(names = "--threads", paramLabel = "N", description = "threads of the CPU backend")
  private Optional<Integer> threads = Optional.empty();

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "samples of which the median is told; default: 21")
  private Optional<Integer> samples = Optional.empty();

  @Option(names = "--seed", paramLabel = "N", description = "of the initial parameters; default: 0")
  private long seed;

  @Option(names = "--json", paramLabel = "FILE", description = "where raw samples go")
  private Optional<Path> json = Optional.empty();

  @Option(names = "--no-cpu", description = "leaves out the CPU backend where others are named")
  private boolean noCpu;

  @Option(names = "--quick", description = "batch 128 and few samples: ends within a minute")
  private boolean quick;

  @Override
  public Integer call() {
    var line = spec.commandLine();
    data.check(line);
    batches.forEach(n -> Options.positive(line, "--batch", n));
    samples.ifPresent(n -> Options.positive(line, "--samples", n));
    threads.ifPresent(
        n -> {
          Options.positive(line, "--threads", n);
          System.setProperty(tapedeck.ad.type.Settings.THREADS.key(), Integer.toString(n));
        });
    PrintWriter out = line.getOut();
    Options.check(line, !noCpu || !devices.isEmpty(), "--no-cpu needs --device");
    compare.check(line);
    json.ifPresent(AtomicFile::check);
    if (compare.wanted()) {
      return compare.run(
          new CompareOptions.Setting(
              line,
              data,
              compare.measures() ? choose(out) : List.of(),
              batches,
              threads.orElse(Runtime.getRuntime().availableProcessors()),
              samples,
              seed,
              quick,
              json));
    }
    ImageData images = data.read();
    int[] sizes = data.sizes(images);
    List<String> names = choose(out);
    Map<String, Object> machine = MachineInfo.collect();
    out.printf(
        "gradients of an MLP %s, softmax cross entropy, float32, on %s (%d images)%n",
        DataOption.name(sizes), images.name(), images.train().size());
    out.printf(
        "%s, %s processors, %s%n%n",
        machine.get("cpu"), machine.get("processors"), machine.get("java"));
    out.flush();

    TextTable table =
        new TextTable(
            "batch",
            "device",
            "forward ms",
            "fwd+bwd ms",
            "ratio",
            "step ms",
            "samples/s",
            "kernels/step",
            "peak MiB",
            "vs cpu",
            "gradient error");
    List<Object> results = new ArrayList<>();
    for (int batch : batches.isEmpty() ? (quick ? List.of(128) : List.of(32, 128, 512)) : batches) {
      measure(names, images, batch, sizes, table, results, out);
    }
    out.print(table);
    out.println();
    out.println(
        "medians; step: forward, backward and update of all parameters, without waiting between steps");
    out.println("ratio: time of forward and backward over that of forward alone");
    out.println("vs cpu: time of a step on the CPU backend over that on the device");
    out.println("gradient error: norm of the difference from the float64 reference over its norm");
    out.println();
    List<Object> overheads = new ArrayList<>();
    for (String name : names) {
      ReplayOverhead.Result o = ReplayOverhead.measure(name);
      out.printf(
          "host time per replayed kernel on %s: %.2f us (median, %d tiny kernels)%n",
          name, 1e6 * o.seconds(), o.kernels());
      overheads.add(
          Map.of("device", name, "kernels", o.kernels(), "seconds_per_kernel", o.seconds()));
    }
    out.flush();
    Map<String, Object> report = report(machine, names, images, sizes, results);
    report.put("replay_overhead", overheads);
    json.ifPresent(file -> Json.write(file, report));
    return 0;
  }

  /** Devices that open; a named one must. */
  private List<String> choose(PrintWriter out) {
    List<String> names = new ArrayList<>();
    for (String name : devices) {
      names.add(Devices.open(name).name());
    }
    for (Candidate c : Devices.list().devices()) {
      boolean wanted =
          devices.isEmpty() ? !c.info().kind().equals(INTERPRETER) : c.name().equals(CPU) && !noCpu;
      if (wanted && !names.contains(c.name())) {
        try {
          names.add(Devices.open(c.name()).name());
        } catch (DeviceException e) {
          out.println("left out: " + c.name() + ": " + e.getMessage());
        }
      }
    }
    if (devices.isEmpty()) {
      Devices.list().rejections().forEach(r -> out.println("left out: " + r));
    }
    if (names.isEmpty()) {
      names.add(Devices.defaultDevice().name());
    }
    return names;
  }

  private void measure(
      List<String> names,
      ImageData images,
      int batch,
      int[] sizes,
      TextTable table,
      List<Object> results,
      PrintWriter out) {
    // Devices are opened anew for each batch size, so that their peak memory is that of this size.
    names.forEach(Devices::close);
    int[] rows = Batches.first(images.train().size(), batch);
    List<MlpRun> runs = new ArrayList<>();
    try {
      for (String name : names) {
        runs.add(new MlpRun(name, images.train(), rows, sizes, seed));
      }
      double[] reference = runs.get(0).referenceGradient();
      runs.forEach(r -> r.warmUp(quick ? 0.7 : 2));
      int rounds = samples.orElse(quick ? 7 : 21);
      // In turns: what disturbs the machine for a while disturbs all devices alike.
      for (int i = 0; i < rounds; i++) {
        runs.forEach(MlpRun::sample);
      }
      Optional<MlpRun> cpu = runs.stream().filter(r -> r.device().equals(CPU)).findFirst();
      for (MlpRun r : runs) {
        double error = Stats.normwiseError(r.gradient(), reference);
        double step = r.samples(Work.STEP).median();
        Optional<Double> gain = cpu.map(c -> c.samples(Work.STEP).median() / step);
        table.row(
            Integer.toString(batch),
            r.device(),
            ms(r.samples(Work.FORWARD).median()),
            ms(r.samples(Work.GRADIENT).median()),
            String.format(
                "%.2f", r.samples(Work.GRADIENT).median() / r.samples(Work.FORWARD).median()),
            ms(step),
            String.format("%,.0f", batch / step),
            Integer.toString(r.kernels(Work.STEP)),
            String.format("%.1f", r.peakBytes() / (double) (1 << 20)),
            gain.map(g -> String.format("%.2fx", g)).orElse("-"),
            String.format("%.1e", error));
        results.add(result(r, error));
      }
    } finally {
      runs.forEach(MlpRun::close);
    }
    out.flush();
  }

  private static String ms(double seconds) {
    return String.format("%.3f", 1e3 * seconds);
  }

  private static Map<String, Object> result(MlpRun r, double error) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("device", r.device());
    m.put("batch", r.batch());
    m.put("gradient_error", error);
    m.put("peak_device_bytes", r.peakBytes());
    m.put("step_arena_bytes", r.arena()[0]);
    m.put("step_live_bytes", r.arena()[1]);
    m.put("compile_seconds", r.compileSeconds());
    for (Work w : Work.values()) {
      Map<String, Object> s = new LinkedHashMap<>();
      s.put("kernels", r.kernels(w));
      s.put("median_seconds", r.samples(w).median());
      s.put("seconds", r.samples(w).values());
      m.put(w.label(), s);
    }
    return m;
  }

  private Map<String, Object> report(
      Map<String, Object> machine,
      List<String> names,
      ImageData images,
      int[] sizes,
      List<Object> results) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put(
        "what",
        "multilayer perceptron, softmax cross entropy, stochastic gradient descent, float32");
    m.put(
        "command",
        "tapedeck " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs()));
    m.put("network", DataOption.name(sizes));
    m.put("data", images.name());
    m.put("machine", machine);
    Map<String, Object> devices = new LinkedHashMap<>();
    for (String name : names) {
      DeviceInfo i = Devices.open(name).info();
      Map<String, Object> d = new LinkedHashMap<>();
      d.put("kind", i.kind());
      d.put("description", i.description());
      d.put("units", i.computeUnits());
      d.put("details", i.details());
      devices.put(name, d);
    }
    m.put("devices", devices);
    m.put("results", results);
    return m;
  }
}
