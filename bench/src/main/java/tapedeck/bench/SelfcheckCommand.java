package tapedeck.bench;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
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

  @Override
  public Integer call() {
    return device.on(spec.commandLine(), this::check);
  }

  private int check() {
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
    out.printf("%.1f s%n", (System.nanoTime() - start) * 1e-9);
    out.flush();
    return failed.isEmpty() ? 0 : 1;
  }
}
