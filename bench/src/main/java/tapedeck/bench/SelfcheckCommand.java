package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.TextTable;
import tapedeck.cpu.selfcheck.CheckResult;
import tapedeck.cpu.selfcheck.DeviceChecks;
import tapedeck.cpu.selfcheck.SelfCheck;

/** Checks every operation on a device. */
@Command(
    name = "selfcheck",
    description =
        "Checks every operation, type and gradient on a device against the float64 reference.",
    mixinStandardHelpOptions = true)
final class SelfcheckCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;

  @Option(names = "--effort", description = "${COMPLETION-CANDIDATES}; default: full")
  private DeviceChecks.Effort effort = DeviceChecks.Effort.FULL;

  @Option(
      names = "--op",
      split = ",",
      paramLabel = "NAME",
      description = "only these operations, as named in the progress line and in failures")
  private List<String> ops = List.of();

  @Option(
      names = "--part",
      paramLabel = "K/N",
      description =
          "only the K-th of N parts: where a command may not take long, or where a driver keeps"
              + " memory for every kernel that it has seen, as PoCL does")
  private String part = "1/1";

  @Option(names = "--json", paramLabel = "FILE", description = "counts, failures and errors")
  private Optional<Path> json = Optional.empty();

  @Override
  public Integer call() {
    json.ifPresent(AtomicFile::check);
    return device.on(spec.commandLine(), this::check);
  }

  /** Names of the rows that the options ask for. */
  private Set<String> wanted() {
    List<String> all = SelfCheck.names(effort);
    for (String op : ops) {
      Options.check(spec.commandLine(), all.contains(op), "--op: there is no '" + op + "'");
    }
    Matcher m = Pattern.compile("(\\d{1,4})/(\\d{1,4})").matcher(part);
    int k = m.matches() ? Integer.parseInt(m.group(1)) : 0;
    int n = k == 0 ? 0 : Integer.parseInt(m.group(2));
    Options.check(
        spec.commandLine(), 1 <= k && k <= n, "--part must be K/N with K from 1 to N, not " + part);
    List<String> named = ops.isEmpty() ? all : ops;
    return IntStream.range(0, named.size())
        .filter(i -> i % n == k - 1)
        .mapToObj(named::get)
        .collect(Collectors.toSet());
  }

  private int check() {
    Set<String> wanted = wanted();
    PrintWriter out = spec.commandLine().getOut();
    Device target = Devices.defaultDevice();
    out.println("device " + target.name() + ": " + target.info().description());
    out.flush();
    long start = System.nanoTime();
    boolean terminal = System.console() != null && System.console().isTerminal();
    List<CheckResult> results =
        SelfCheck.run(
            target,
            effort,
            wanted::contains,
            name -> {
              if (terminal) {
                System.err.print("\r\u001b[K" + name);
                System.err.flush();
              }
            });
    if (terminal) {
      System.err.print("\r\u001b[K");
    }
    List<CheckResult> failed = results.stream().filter(r -> !r.passed()).toList();
    if (!failed.isEmpty()) {
      TextTable table = new TextTable("operation", "check", "type", "variant");
      failed.forEach(r -> table.row(r.op(), r.check(), r.dtype().label(), r.label()));
      out.println("failures");
      out.println(table);
    }
    out.print(SelfCheck.report(results));
    double seconds = (System.nanoTime() - start) * 1e-9;
    out.printf("%.1f s%n", seconds);
    out.flush();
    json.ifPresent(f -> Json.write(f, report(target, results, seconds)));
    return failed.isEmpty() ? 0 : 1;
  }

  private Map<String, Object> report(Device target, List<CheckResult> results, double seconds) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("machine", MachineInfo.collect());
    m.put("device", target.name());
    m.put("description", target.info().description());
    m.put("details", target.info().details());
    m.put("effort", effort.name());
    m.put("part", part);
    m.put("seconds", seconds);
    m.put("checks", results.size());
    m.put(
        "failures", results.stream().filter(r -> !r.passed()).map(CheckResult::toString).toList());
    // The largest error of each operation, as a multiple of the tolerance.
    Map<String, Double> errors = new TreeMap<>();
    results.forEach(r -> errors.merge(r.op(), r.error(), Math::max));
    m.put("errors", errors);
    return m;
  }
}
