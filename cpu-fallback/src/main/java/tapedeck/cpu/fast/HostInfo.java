package tapedeck.cpu.fast;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.type.Settings;

/** What is known of the machine. */
final class HostInfo {
  private HostInfo() {}

  static int threads() {
    return Math.max(1, Settings.THREADS.intValue(Runtime.getRuntime().availableProcessors()));
  }

  static DeviceInfo describe() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("java", Runtime.version().toString());
    details.put("threads", Integer.toString(threads()));
    int bits = Vectors.ofMachine().bits();
    details.put("vectors", bits == 0 ? "none" : bits + " bits");
    return new DeviceInfo("cpu", processor(), threads(), memory(), 10, details);
  }

  private static String processor() {
    String model = field(Path.of("/proc/cpuinfo"), "model name");
    String arch = System.getProperty("os.arch");
    return model.isEmpty() ? arch : model + " (" + arch + ")";
  }

  /** Bytes of main memory, or of this process's control group if that has fewer; 0 if unknown. */
  static long memory() {
    String total = field(Path.of("/proc/meminfo"), "MemTotal").replace(" kB", "");
    long bytes = total.isEmpty() ? 0 : Long.parseLong(total) * 1024;
    List<String> group = lines(Path.of("/sys/fs/cgroup/memory.max"));
    if (!group.isEmpty() && group.get(0).matches("\\d{1,18}")) {
      bytes =
          bytes == 0 ? Long.parseLong(group.get(0)) : Math.min(bytes, Long.parseLong(group.get(0)));
    }
    return bytes;
  }

  private static String field(Path file, String name) {
    for (String line : lines(file)) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equals(name)) {
        return line.substring(colon + 1).strip();
      }
    }
    return "";
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      // A system without this file: the value is then unknown, which is allowed.
      return List.of();
    }
  }
}
