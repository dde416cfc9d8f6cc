package tapedeck.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.Settings;
import tapedeck.opencl.Tunable;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.TuningDatabase;
import tapedeck.opencl.tuning.TuningEntry;

/** The command as a user calls it. */
class TuneCommandTest {
  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.execute(new PrintWriter(out), new PrintWriter(err, true), args);
  }

  @BeforeEach
  void needsADevice() {
    Devices.Listing found = Devices.list();
    Assumptions.assumeTrue(
        found.devices().stream().anyMatch(c -> c.name().equals("opencl:0")),
        () -> "not tested, no OpenCL device: " + found.rejections());
  }

  @Test
  void writesAFileThatIsUsed() throws Exception {
    Path file = folder.resolve("deep/tuning.json");
    Path report = folder.resolve("report.json");
    String[] command = {
      "tune", "--quick", "--work", "elementwise,reduce", "--budget", "4", "--out", file.toString()
    };
    String[] withReport = java.util.Arrays.copyOf(command, command.length + 2);
    withReport[command.length] = "--json";
    withReport[command.length + 1] = report.toString();
    assertEquals(0, run(withReport), err.toString());
    assertTrue(out.toString().contains("elementwise: tried "), out.toString());
    assertTrue(out.toString().contains("-Dtapedeck.tuning=" + file), out.toString());
    assertTrue(Files.readString(report).contains("\"tried\""));

    TuningDatabase written = TuningDatabase.read(file);
    TuningEntry entry = written.entries().getFirst();
    assertEquals(1, written.entries().size());
    Template elementwise = Template.of(entry.profile(), "elementwise").orElseThrow();
    Parameters chosen = entry.templates().get(elementwise);
    // Other values than those that come with the program, to see that the file is what is used.
    int other = elementwise == Template.LOOPS ? 3 : 5;
    String name = elementwise == Template.LOOPS ? "items" : "groups";
    String text = Files.readString(file);
    String value = "\"" + name + "\" : ";
    int at = text.indexOf(value, text.indexOf("\"elementwise\" : {")) + value.length();
    Files.writeString(
        file,
        text.substring(0, at) + other + text.substring(at + text.substring(at).indexOf("\n")));
    String before = System.getProperty(Settings.TUNING.key());
    System.setProperty(Settings.TUNING.key(), file.toString());
    try (Device d =
        Devices.list().devices().stream()
            .filter(c -> c.name().equals("opencl:0"))
            .findFirst()
            .orElseThrow()
            .open()) {
      Tunable t = (Tunable) d;
      assertEquals("measured by ./tapedeck tune", t.source(elementwise));
      assertEquals(chosen.with(name, other), t.tuning().get(elementwise));
    } finally {
      System.setProperty(Settings.TUNING.key(), before);
    }
    assertEquals(0, run(command), err.toString());
    assertEquals(1, TuningDatabase.read(file).entries().size(), "the same device's entry");
  }

  private void fails(int code, String message, String... args) {
    assertEquals(code, run(args), err.toString());
    assertTrue(err.toString().contains(message), err.toString());
  }

  @Test
  void aFileThatIsNoDatabaseIsNotOverwritten() throws IOException {
    Path file = Files.writeString(folder.resolve("notes.txt"), "not a database");
    fails(1, file + " is not usable", "tune", "--quick", "--out", file.toString());
    assertEquals("not a database", Files.readString(file));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void unusableArguments() {
    String file = folder.resolve("t.json").toString();
    fails(2, "--budget must be at least 1", "tune", "--budget", "0", "--out", file);
    fails(2, "--work", "tune", "--work", "knitting", "--out", file);
    fails(1, "there is no device 'abacus'", "tune", "--device", "abacus", "--out", file);
    fails(1, "device cpu has no parameters", "tune", "--device", "cpu", "--out", file);
    fails(2, "--quick needs --out", "tune", "--quick");
    fails(1, "--out is needed", "tune");
  }
}
