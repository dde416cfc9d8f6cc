package tapedeck.bench.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What a measurement was made on. */
public final class MachineInfo {
  private MachineInfo() {}

  /** Processor, memory, system, Java, commit and time. */
  public static Map<String, Object> collect() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    m.put("cpu", field(Path.of("/proc/cpuinfo"), "model name").orElse("unknown"));
    m.put("processors", Runtime.getRuntime().availableProcessors());
    m.put("memory", field(Path.of("/proc/meminfo"), "MemTotal").orElse("unknown"));
    m.put("os", property("os.name") + " " + property("os.version") + " " + property("os.arch"));
    m.put("java", property("java.vm.name") + " " + property("java.runtime.version"));
    m.put("commit", commit());
    return m;
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }

  /** The commit of the build: told by the launcher, else asked of git, else unknown. */
  private static String commit() {
    String told = System.getProperty("tapedeck.commit", "");
    return told.isEmpty() ? ask("git", "describe", "--always", "--dirty", "--abbrev=12") : told;
  }

  private static String ask(String... command) {
    try {
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      String answer = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      boolean ended = p.waitFor(10, TimeUnit.SECONDS);
      return ended && p.exitValue() == 0 ? answer : "unknown";
    } catch (IOException e) {
      return "unknown: " + AtomicFile.reason(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "unknown";
    }
  }

  private static Optional<String> field(Path file, String name) {
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(l -> l.startsWith(name))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException e) {
      return Optional.of("unreadable: " + AtomicFile.reason(e));
    }
  }
}
