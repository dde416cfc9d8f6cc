package tapedeck.bench.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.Json;

/** Reports: what is written is read again, merged, compared and followed over commits. */
class CompareTest {
  @TempDir Path folder;

  private static final Measured OURS =
      new Measured(
          "mlp/step",
          "cpu",
          true,
          new double[] {2e-3, 1e-3, 3e-3},
          Optional.of(new Measured.Cost(13, 1000, 5e6, 1e-3, 64, 64)),
          Optional.empty());
  private static final Measured THEIRS =
      new Measured(
          "mlp/step",
          "libtorch",
          false,
          new double[] {4e-3, 4e-3, 4e-3},
          Optional.empty(),
          Optional.of(1e-7));

  private static Report report(String time, Measured... lines) {
    Report r = new Report();
    r.head.put(
        "machine", Map.of("cpu", "Abacus", "processors", 2, "time", time, "commit", "c" + time));
    r.lines.addAll(List.of(lines));
    return r;
  }

  private Path written(String name, Report r) {
    Path file = folder.resolve(name);
    r.write(file);
    return file;
  }

  @Test
  void targetsAreReadFromTheReportsOfAFolder() {
    Report r = new Report();
    r.head.put(
        "devices", Map.of("opencl:0", Map.of("limits", Map.of("copy_bytes_per_second", 1e6))));
    var cost = Optional.of(new Measured.Cost(1, 1000, 10, 1e-3, 0, 0));
    r.lines.add(
        new Measured(
            "rows/softmax", "opencl:0", true, new double[] {1.25e-3}, cost, Optional.empty()));
    r.lines.add(
        new Measured("rows/softmax", "cpu", true, new double[] {5e-3}, cost, Optional.empty()));
    for (var t : Map.of("opencl:0", 0.4, "torch-eager", 1.0, "jax", 0.3).entrySet()) {
      double[] seconds = {t.getValue()};
      boolean ours = t.getKey().equals("opencl:0");
      r.lines.add(
          new Measured("mlp/step", t.getKey(), ours, seconds, Optional.empty(), Optional.empty()));
    }
    r.write(folder.resolve("a.json"));
    Json.write(folder.resolve("tune.json"), Map.of("templates", List.of()));
    List<String> lines = Targets.tables(folder).lines().map(l -> l.replaceAll(" +", " ")).toList();
    assertTrue(
        lines.contains("rows/softmax opencl:0 >= 90 % of copy bandwidth 80 % NO a.json"),
        lines::toString);
    assertTrue(
        lines.contains(
            "mlp/step opencl:0 time <= 0.50 of torch-eager 0.40 [0.40 to 0.40] yes a.json"),
        lines::toString);
    assertTrue(
        lines.contains("mlp/step opencl:0 time <= 1.00 of jax 1.33 [1.33 to 1.33] NO a.json"),
        lines::toString);
    assertTrue(
        lines.contains("black-scholes/greeks - time <= 1.00 of jax not measured - -"),
        lines::toString);
    assertTrue(lines.contains("rows/softmax opencl:0 1.250 5.000 4.00"), lines::toString);
  }

  @Test
  void slowFunctionsGetFewerSamples() {
    var s = new Comparison.Settings(21, 1, 2, false);
    assertEquals(21, s.samples(0.05));
    assertEquals(4, s.samples(0.5));
    assertEquals(3, s.samples(10));
    assertEquals(2, new Comparison.Settings(2, 1, 2, false).samples(10));
    assertEquals(21, new Comparison.Settings(21, 1, Double.MAX_VALUE, false).samples(1e3));
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    List<Measured> found = Report.read(written("a.json", report("1", OURS, THEIRS)));
    assertEquals(2, found.size());
    assertArrayEquals(OURS.seconds(), found.get(0).seconds());
    assertEquals(OURS.cost(), found.get(0).cost());
    assertTrue(found.get(0).tapedeck());
    assertEquals(Optional.of(1e-7), found.get(1).error());
    assertEquals("libtorch", found.get(1).on());
    assertEquals(0.5, found.get(0).ofBound().orElseThrow(), 1e-12);
  }

  @Test
  void reportsAreMergedOnce() {
    Report r = report("1", OURS);
    Path file = written("b.json", report("2", THEIRS));
    r.merge(file);
    assertEquals(2, r.lines.size());
    assertTrue(r.notes.get(0).contains("b.json"), r.notes.toString());
    DataException e = assertThrows(DataException.class, () -> r.merge(file));
    assertTrue(e.getMessage().contains("there already"), e.getMessage());
  }

  @Test
  void otherFilesAreNoReports() throws IOException {
    Path file = folder.resolve("x.json");
    for (String text :
        new String[] {
          "",
          "[1]",
          "{\"form\": \"something else\", \"lines\": []}",
          "{\"form\": \"" + Report.FORM + "\", \"lines\": [{\"line\": \"a\", \"on\": \"b\"}]}",
          "{\"form\": \"" + Report.FORM + "\", \"lines\": [{\"line\": \"a\", \"seconds\": [1]}]}",
          "{\"form\": \"" + Report.FORM + "\", \"lines\": [], \"lines\": []}"
        }) {
      Files.writeString(file, text);
      DataException e = assertThrows(DataException.class, () -> Report.read(file), text);
      assertTrue(e.getMessage().contains("x.json"), e.getMessage());
    }
  }

  @Test
  void ratiosHaveTheSpreadOfNeighbours() {
    Ratio r = Ratio.of(new double[] {1, 2, 3, 4, 5}, new double[] {2, 2, 2, 2, 2});
    assertEquals(1.5, r.medians());
    assertEquals(1.0, r.lower());
    assertEquals(2.0, r.upper());
    assertEquals("1.50 [1.00 to 2.00]", r.toString());
  }

  @Test
  void theReportNamesRatiosNotesAndDifferences() {
    Report r = report("1", OURS, THEIRS);
    r.notes.add("clblast: not built");
    r.differs.add("mlp/step on libtorch differs by 1.0e+00");
    StringWriter text = new StringWriter();
    ReportText.print(r, new PrintWriter(text));
    String t = text.toString();
    assertTrue(t.matches("(?s).*mlp/step +cpu +libtorch +0\\.50 \\[0\\.38 to 0\\.63\\].*"), t);
    assertTrue(t.matches("(?s).*mlp/step +cpu +2\\.000 .* 50 % .*"), t);
    assertTrue(t.contains("note: clblast: not built"), t);
    assertTrue(t.contains("DIFFERS: mlp/step on libtorch"), t);
  }

  @Test
  void historyFollowsEachLine() throws IOException {
    written("late.json", report("2", OURS));
    Measured slower =
        new Measured(
            "mlp/step", "cpu", true, new double[] {4e-3}, Optional.empty(), Optional.empty());
    written("early.json", report("1", slower));
    Json.write(
        folder.resolve("main.json"),
        Map.of(
            "machine",
            Map.of("cpu", "Abacus", "processors", 2, "time", "3", "commit", "c3"),
            "results",
            List.of(
                Map.of("batch", 128, "device", "cpu", "step", Map.of("seconds", List.of(5e-3))))));
    String t = History.table(folder).toString();
    assertTrue(t.matches("(?s).*mlp/step +cpu +Abacus x2 +1 +c1 +4\\.000 +-\\n.*"), t);
    assertTrue(t.matches("(?s).*mlp/step +cpu +Abacus x2 +2 +c2 +2\\.000 +-50 %\\n.*"), t);
    assertTrue(t.contains("main job, batch 128, step"), t);
    Files.writeString(folder.resolve("bad.json"), "{}");
    assertThrows(DataException.class, () -> History.table(folder));
    Path none = Files.createDirectory(folder.resolve("none"));
    assertThrows(DataException.class, () -> History.table(none));
  }

  @Test
  void committedReportsHaveAHistory() {
    String t = History.table(Path.of("results")).toString();
    assertTrue(t.contains("main job, batch 128, step"), t);
    assertTrue(t.contains("product 1024x1024x1024 float32 nn"), t);
  }
}
