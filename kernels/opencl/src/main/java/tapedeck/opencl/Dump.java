package tapedeck.opencl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Settings;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Rendered;

/** Writes kernel sources where the settings ask for them, with what each launch is for. */
final class Dump {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private Dump() {}

  static void sources(String device, List<Dispatch> dispatches) {
    String folder = Settings.DUMP.get();
    boolean print = Settings.DEBUG.intValue(0) >= 4;
    if (folder.isEmpty() && !print) {
      return;
    }
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < dispatches.size(); i++) {
      Rendered r = dispatches.get(i).text();
      s.append("// launch ").append(i).append(": ").append(dispatches.get(i).origin()).append('\n');
      s.append("// ").append(r.strategy()).append(", global ").append(Arrays.toString(r.global()));
      s.append(", local ").append(Arrays.toString(r.local())).append('\n');
      s.append(r.source()).append('\n');
    }
    if (print) {
      System.err.print(s);
    }
    if (!folder.isEmpty()) {
      Path file =
          Path.of(folder)
              .resolve(
                  String.format("%03d-%s.cl", NUMBER.incrementAndGet(), device.replace(':', '-')));
      try {
        Files.createDirectories(file.getParent());
        Files.writeString(
            file,
            Rendered.preamble(dispatches.stream().anyMatch(d -> d.text().float64())) + "\n" + s);
      } catch (IOException e) {
        throw new DataException("[dump] cannot write " + file + ": " + e.getMessage(), e);
      }
    }
  }
}
