package tapedeck.bench;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.BackendProvider.Candidate;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.bench.report.TextTable;
import tapedeck.opencl.Tunable;
import tapedeck.opencl.tuning.Template;

/** Lists devices with what they can do, and why others cannot be used. */
@Command(
    name = "devices",
    description = "Lists the devices, what they can do, and why a backend was rejected.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Devices.Listing listing = Devices.list();
    TextTable table = new TextTable("device", "kind", "units", "memory", "types", "description");
    List<String> details = new ArrayList<>();
    List<String> parameters = new ArrayList<>();
    List<String> rejected = new ArrayList<>(listing.rejections());
    int usable = 0;
    for (Candidate c : listing.devices()) {
      DeviceInfo i = c.info();
      String types;
      try {
        Device opened = Devices.open(c.name());
        // Some details are known only then, such as whether tensor cores can be used.
        i = opened.info();
        types = types(opened);
        usable++;
        if (opened instanceof Tunable t) {
          tuning(c.name(), t, parameters);
        }
      } catch (DeviceException e) {
        types = "does not open";
        rejected.add(c.name() + ": " + e.getMessage());
      }
      table.row(
          c.name(),
          i.kind(),
          Integer.toString(i.computeUnits()),
          memory(i.memoryBytes()),
          types,
          i.description());
      i.details().forEach((k, v) -> details.add("  " + c.name() + "  " + k + ": " + v));
    }
    out.print(table);
    if (usable > 0) {
      out.println("\ndefault: " + Devices.defaultDevice().name());
    }
    if (!details.isEmpty()) {
      out.println("\ndetails");
      details.forEach(out::println);
    }
    if (!parameters.isEmpty()) {
      out.println("\nkernel parameters");
      parameters.forEach(out::println);
    }
    if (!rejected.isEmpty()) {
      out.println("\nrejected");
      rejected.forEach(r -> out.println("  " + r));
    }
    out.flush();
    return usable > 0 ? 0 : 1;
  }

  private static void tuning(String device, Tunable t, List<String> lines) {
    for (Template x : Template.values()) {
      if (x.profile() == t.hardware().profile()) {
        lines.add(
            "  " + device + "  " + x.label() + ": " + t.tuning().get(x) + " (" + t.source(x) + ")");
      }
    }
  }

  private static String types(Device device) {
    List<String> names = new ArrayList<>();
    for (DType d : DType.values()) {
      if (device.supports(d)) {
        names.add(d.label());
      }
    }
    return String.join(" ", names);
  }

  private static String memory(long bytes) {
    return bytes == 0 ? "?" : String.format("%.1f GiB", bytes / (double) (1L << 30));
  }
}
