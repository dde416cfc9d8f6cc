package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.BackendProvider.Candidate;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.DeviceException;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;
import tapedeck.bench.tune.Tuner;
import tapedeck.bench.tune.Works;
import tapedeck.opencl.Tunable;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.TuningDatabase;
import tapedeck.opencl.tuning.TuningEntry;

/** Measures which parameters of the kernel templates are fastest on a device. */
@Command(
    name = "tune",
    description = {
      "Searches the fastest parameters of the OpenCL kernels for a device and writes them to the"
          + " user's tuning file, from which they are used from then on."
    },
    mixinStandardHelpOptions = true)
final class TuneCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "OpenCL device, as listed by 'devices'; default: the first one")
  private Optional<String> name = Optional.empty();

  @Option(
      names = "--work",
      split = ",",
      paramLabel = "KIND",
      description = "${COMPLETION-CANDIDATES}; default: all")
  private List<Works.Kind> works = List.of();

  @Option(
      names = "--budget",
      paramLabel = "SECONDS",
      description = "time for all searches together; default: 300")
  private int budget = 300;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "tuning file to write or to add to; default: that of the setting tapedeck.tuning")
  private Optional<Path> out = Optional.empty();

  @Option(names = "--json", paramLabel = "FILE", description = "report with raw samples")
  private Optional<Path> json = Optional.empty();

  @Option(names = "--seed", paramLabel = "N", description = "of the search's order; default: 0")
  private long seed;

  @Option(
      names = "--quick",
      description = "tiny work: shows in seconds that tuning works, but finds nothing of use")
  private boolean quick;

  @Override
  public Integer call() {
    Options.positive(spec.commandLine(), "--budget", budget);
    Options.check(
        spec.commandLine(),
        !quick || out.isPresent(),
        "--quick needs --out: what it finds must not come into use by itself");
    PrintWriter print = spec.commandLine().getOut();
    Candidate candidate = candidate();
    Path file =
        out.or(TuningDatabase::userFile)
            .orElseThrow(
                () -> new DeviceException("[tune] --out is needed, since tapedeck.tuning is off"));
    // Read before hours are spent: a file that is not a database is not overwritten.
    TuningDatabase database =
        Files.exists(file) ? TuningDatabase.read(file) : new TuningDatabase(List.of());
    AtomicFile.check(file);
    json.ifPresent(AtomicFile::check);
    Hardware hardware;
    Map<Template, String> sources = new LinkedHashMap<>();
    try (Device d = candidate.open()) {
      if (!(d instanceof Tunable t)) {
        throw new DeviceException("[tune] device " + d.name() + " has no parameters to tune");
      }
      hardware = t.hardware();
      for (Template x : Template.values()) {
        if (x.profile() == hardware.profile()) {
          sources.put(x, t.source(x));
        }
      }
    }
    print.printf(
        "%s: %s, driver %s, %s kernels; up to %d s%n%n",
        candidate.name(), hardware.device(), hardware.driver(), hardware.profile().label(), budget);
    print.flush();
    Map<Template, Tuner.Outcome> outcomes = search(candidate);
    print(outcomes, sources, print);
    TuningEntry entry = entry(hardware, outcomes);
    Json.write(file, database.with(entry).toMap());
    print.printf("%nwrote %s%n", file);
    if (out.isPresent() && !out.equals(TuningDatabase.userFile())) {
      print.printf("to use it: -Dtapedeck.tuning=%s%n", file);
    }
    print.flush();
    json.ifPresent(f -> Json.write(f, report(candidate, hardware, outcomes)));
    return 0;
  }

  private Candidate candidate() {
    Devices.Listing listing = Devices.list();
    List<Candidate> found =
        listing.devices().stream().filter(c -> c.name().startsWith("opencl:")).toList();
    if (name.isPresent() && !name.get().equals("opencl")) {
      return listing.devices().stream()
          .filter(c -> c.name().equals(name.get()))
          .findFirst()
          .orElseThrow(
              () ->
                  new DeviceException(
                      "[tune] there is no device '" + name.get() + "'; see ./tapedeck devices"));
    }
    if (found.isEmpty()) {
      throw new DeviceException(
          "[tune] there is no OpenCL device: " + String.join("; ", listing.rejections()));
    }
    return found.getFirst();
  }

  private Map<Template, Tuner.Outcome> search(Candidate candidate) {
    EnumSet<Works.Kind> kinds =
        works.isEmpty() ? EnumSet.allOf(Works.Kind.class) : EnumSet.copyOf(works);
    boolean terminal = System.console() != null && System.console().isTerminal();
    if (!terminal) {
      return new Tuner(candidate::open, quick, seed, _ -> {}).run(kinds, budget);
    }
    long start = System.nanoTime();
    try (ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName("tune")
            .setInitialMax(budget)
            .setUnit(" s", 1)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(200)
            .continuousUpdate()
            .build()) {
      return new Tuner(
              candidate::open,
              quick,
              seed,
              text -> {
                bar.stepTo(Math.min(budget, (System.nanoTime() - start) / 1_000_000_000));
                bar.setExtraMessage(" " + text);
              })
          .run(kinds, budget);
    }
  }

  private static void print(
      Map<Template, Tuner.Outcome> outcomes, Map<Template, String> sources, PrintWriter print) {
    TextTable table = new TextTable("template", "work", "before ms", "after ms", "before/after");
    outcomes.forEach(
        (t, o) -> {
          for (TuningEntry.Measurement m : o.samples()) {
            double before = median(m.before());
            double after = median(m.after());
            table.row(
                t.label(),
                m.work(),
                String.format("%.4f", 1e3 * before),
                String.format("%.4f", 1e3 * after),
                String.format("%.2fx", before / after));
          }
        });
    if (outcomes.values().stream().anyMatch(Tuner.Outcome::faster)) {
      print.println(table);
    }
    outcomes.forEach(
        (t, o) -> {
          Tuner.Counts c = o.counts();
          print.printf(
              "%s: tried %d of %d: %d timed, %d stopped early, %d with known kernels, %d failed, %d"
                  + " wrong%n",
              t.label(),
              o.tried(),
              o.possible(),
              c.timed(),
              c.stopped(),
              c.same(),
              c.failed(),
              c.wrong());
          print.printf("  before  %s (%s)%n", o.before(), sources.get(t));
          for (Tuner.Rival r : o.rivals()) {
            print.printf(
                "  rival   %s: %.3f of the time before (worst work %.3f), faster in %.0f %% of rounds%n",
                r.parameters(), r.ratio(), r.worst(), 100 * r.wins());
          }
          print.printf("  after   %s%n", o.faster() ? o.after() : "the same: nothing was faster");
        });
  }

  private static double median(List<Double> samples) {
    return Stats.median(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static TuningEntry entry(Hardware h, Map<Template, Tuner.Outcome> outcomes) {
    Map<Template, Parameters> chosen = new LinkedHashMap<>();
    List<TuningEntry.Measurement> samples = new ArrayList<>();
    outcomes.forEach(
        (t, o) -> {
          chosen.put(t, o.after());
          samples.addAll(o.samples());
        });
    return new TuningEntry(
        h.profile(),
        h.device(),
        h.driver(),
        h.family(),
        h.vendor(),
        "measured by ./tapedeck tune",
        LocalDate.now(ZoneOffset.UTC).toString(),
        chosen,
        samples);
  }

  private Map<String, Object> report(
      Candidate candidate, Hardware h, Map<Template, Tuner.Outcome> outcomes) {
    Map<String, Object> r = new LinkedHashMap<>();
    r.put("machine", MachineInfo.collect());
    r.put("device", candidate.name());
    r.put("description", h.device());
    r.put("driver", h.driver());
    r.put("profile", h.profile().label());
    r.put("budget_seconds", budget);
    r.put("seed", seed);
    List<Object> templates = new ArrayList<>();
    outcomes.forEach(
        (t, o) -> {
          Map<String, Object> m = new LinkedHashMap<>();
          m.put("template", t.label());
          m.put("before", o.before().toMap());
          m.put("after", o.after().toMap());
          m.put("possible", o.possible());
          m.put("tried", o.tried());
          m.put("timed", o.counts().timed());
          m.put("stopped_early", o.counts().stopped());
          m.put("known_kernels", o.counts().same());
          m.put("failed", o.counts().failed());
          m.put("wrong", o.counts().wrong());
          List<Object> rivals = new ArrayList<>();
          for (Tuner.Rival x : o.rivals()) {
            Map<String, Object> s = new LinkedHashMap<>();
            s.put("parameters", x.parameters().toMap());
            s.put("ratio", x.ratio());
            s.put("worst_ratio", x.worst());
            s.put("wins", x.wins());
            s.put("measurements", x.samples().stream().map(TuneCommand::samples).toList());
            rivals.add(s);
          }
          m.put("rivals", rivals);
          templates.add(m);
        });
    r.put("templates", templates);
    return r;
  }

  private static Map<String, Object> samples(TuningEntry.Measurement x) {
    Map<String, Object> s = new LinkedHashMap<>();
    s.put("work", x.work());
    s.put("before_median_seconds", median(x.before()));
    s.put("after_median_seconds", median(x.after()));
    s.put("before_seconds", x.before());
    s.put("after_seconds", x.after());
    return s;
  }
}
