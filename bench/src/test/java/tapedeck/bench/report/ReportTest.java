package tapedeck.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.type.DataException;

class ReportTest {
  @TempDir Path folder;

  @Test
  void jsonOfEveryKind() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("a\"b", List.of(1, 2L, 0.5, true));
    m.put("samples", new double[] {1e-9, 2});
    m.put("bad", Double.NaN);
    String compact = Json.text(m).replaceAll("\\s", "");
    assertEquals("{\"a\\\"b\":[1,2,0.5,true],\"samples\":[1.0E-9,2.0],\"bad\":\"NaN\"}", compact);
    assertThrows(IllegalArgumentException.class, () -> Json.text(new Object()));
  }

  @Test
  void tableColumnsAreAligned() {
    String t = new TextTable("name", "n").row("a", "10").row("long name", "9").toString();
    assertEquals(
        """
        name        n
        ---------  --
        a          10
        long name   9
        """,
        t);
  }

  @Test
  void figures() {
    assertEquals(2.5, Stats.median(new double[] {4, 1, 3, 2}));
    assertEquals(3, Stats.median(new double[] {9, 1, 3}));
    assertEquals(0.25, Stats.spread(new double[] {5, 2, 3, 4, 6}));
    assertEquals(0.1, Stats.normwiseError(new double[] {3.3, 4.4}, new double[] {3, 4}), 1e-15);
    assertEquals(1.0 / 11, Stats.rho(new double[] {6, 0.1}, new double[] {5, 0.1}), 1e-15);
    assertTrue(Double.isNaN(Stats.rho(new double[] {Double.NaN}, new double[] {1})));
  }

  @Test
  void aFailedWriteLeavesNothingBehind() throws IOException {
    Path file = folder.resolve("report.json");
    Files.writeString(file, "old");
    DataException e =
        assertThrows(
            DataException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(1);
                      throw new IOException("disk full");
                    }));
    assertTrue(e.getMessage().contains("disk full"), e.getMessage());
    assertEquals("old", Files.readString(file));
    assertEquals(1, folder.toFile().list().length);
    assertThrows(DataException.class, () -> AtomicFile.write(file.resolve("below"), "x"));
  }

  @Test
  void anArchiveIsReadByTar() throws Exception {
    Path stage = folder.resolve("stage");
    Files.createDirectories(stage.resolve("a/b"));
    Files.writeString(stage.resolve("a/run"), "#!/bin/sh\necho hello\n");
    assertTrue(stage.resolve("a/run").toFile().setExecutable(true));
    Files.write(stage.resolve("a/b/data"), new byte[1025]);
    Files.createSymbolicLink(stage.resolve("a/link"), Path.of("b/data"));
    Path archive = folder.resolve("x.tar.gz");
    try (OutputStream out = Files.newOutputStream(archive)) {
      TarGz.write(stage, out);
    }
    Path target = Files.createDirectory(folder.resolve("target"));
    Process p =
        new ProcessBuilder("tar", "-xzf", archive.toString(), "-C", target.toString())
            .redirectErrorStream(true)
            .start();
    String messages = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, p.waitFor(), messages);
    assertTrue(Files.isExecutable(target.resolve("a/run")));
    assertFalse(Files.isExecutable(target.resolve("a/b/data")));
    assertEquals(1025, Files.size(target.resolve("a/link")));
    assertEquals(Path.of("b/data"), Files.readSymbolicLink(target.resolve("a/link")));
  }

  @Test
  void theMachineIsDescribed() {
    Map<String, Object> m = MachineInfo.collect();
    for (String field : List.of("time", "cpu", "processors", "memory", "os", "java", "commit")) {
      assertFalse(m.get(field).toString().isBlank(), field);
    }
  }
}
