package tapedeck.ad.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.TapedeckException;

/**
 * Writes compiled tapes where {@link Settings#DUMP} asks for it, and prints what {@link
 * Settings#DEBUG} asks for.
 */
final class Dumps {
  private static final AtomicInteger NEXT = new AtomicInteger();

  private Dumps() {}

  static void compiled(String device, Tape tape, Schedule schedule, double millis) {
    int debug = Settings.DEBUG.intValue(0);
    if (debug >= 1) {
      System.err.printf(
          "[compile] %s: %d equations, %d kernels, %.1f ms%n",
          device, tape.eqns().size(), schedule.launches().size(), millis);
    }
    if (debug >= 2) {
      System.err.print(ScheduleText.of(schedule));
    }
    if (debug >= 3) {
      System.err.print(tape);
    }
    String folder = Settings.DUMP.get();
    if (!folder.isEmpty()) {
      int n = NEXT.getAndIncrement();
      Path dir = Path.of(folder);
      write(dir, "tape-%04d.txt".formatted(n), tape.toString());
      write(dir, "tape-%04d.dot".formatted(n), tape.toDot());
      write(dir, "schedule-%04d.txt".formatted(n), ScheduleText.of(schedule));
    }
  }

  private static void write(Path dir, String name, String text) {
    try {
      Files.createDirectories(dir);
      Files.writeString(dir.resolve(name), text);
    } catch (IOException e) {
      throw new TapedeckException(
          "[dump] cannot write " + dir.resolve(name) + ": " + e.getMessage(), e);
    }
  }
}
