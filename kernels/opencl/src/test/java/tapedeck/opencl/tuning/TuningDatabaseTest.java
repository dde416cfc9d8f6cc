package tapedeck.opencl.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Settings;

/** Lookup chain, overriding, and files and entries that cannot be used; no device is needed. */
class TuningDatabaseTest {
  private static final Hardware H100 =
      new Hardware(Profile.GPU, "H100", "570.1", "sm_90", "NVIDIA Corporation", 1024, 48 << 10);

  @TempDir Path folder;

  private static String entry(String names, int group) {
    return """
        {"profile": "gpu", %s "source": "%s", "templates":
          {"elementwise": {"group": %d, "bytes": 16, "groups": 64}}}"""
        .formatted(names, "test " + names.replace("\"", ""), group);
  }

  private static TuningDatabase database(String... entries) {
    return parse("{\"format\": 1, \"entries\": [" + String.join(",", entries) + "]}");
  }

  private static TuningDatabase parse(String text) {
    return TuningDatabase.parse(text.getBytes(StandardCharsets.UTF_8), "test.json");
  }

  private static int group(Hardware h, TuningDatabase... databases) {
    List<TuningDatabase> all = new java.util.ArrayList<>(List.of(databases));
    all.add(TuningDatabase.shipped());
    return TuningDatabase.lookup(all, h).tuning().get(Template.GRID).get("group");
  }

  @Test
  void theClosestEntryCounts() {
    String[] chain = {
      entry("", 32),
      entry("\"vendor\": \"nvidia corporation\",", 64),
      entry("\"family\": \"sm_90\", \"vendor\": \"NVIDIA Corporation\",", 128),
      entry("\"device\": \"H100\", \"driver\": \"1.0\",", 512),
      entry("\"device\": \"H100\", \"driver\": \"570.1\",", 1024),
    };
    int[] expected = {32, 64, 128, 512, 1024};
    for (int n = 1; n <= chain.length; n++) {
      String[] first = java.util.Arrays.copyOf(chain, n);
      assertEquals(expected[n - 1], group(H100, database(first)), n + " entries");
      java.util.Collections.reverse(java.util.Arrays.asList(first));
      assertEquals(expected[n - 1], group(H100, database(first)), n + " entries, reversed");
    }
    assertEquals(
        256, group(H100, database(entry("\"device\": \"A100\", \"family\": \"sm_90\",", 512))));
    assertEquals(256, group(H100, database(entry("\"family\": \"sm_80\",", 512))));
    assertEquals(256, group(H100), "what comes with the program");
  }

  @Test
  void theUsersFileOverridesByTemplate() {
    TuningDatabase user = database(entry("", 512));
    TuningDatabase.Lookup found =
        TuningDatabase.lookup(List.of(user, TuningDatabase.shipped()), H100);
    assertEquals(512, found.tuning().get(Template.GRID).get("group"));
    assertEquals(256, found.tuning().get(Template.REDUCE_GROUPS).get("group"));
    assertTrue(found.sources().get(Template.REDUCE_GROUPS).startsWith("reasoned"));
    assertEquals(List.of(), found.rejected());
  }

  @Test
  void whatTheDeviceCannotDoIsLeftOutWithTheReason() {
    Hardware small = new Hardware(Profile.GPU, "X", "1", "", "V", 256, 16 << 10);
    TuningDatabase user = database(entry("\"vendor\": \"V\",", 512), entry("", 128));
    TuningDatabase.Lookup found =
        TuningDatabase.lookup(List.of(user, TuningDatabase.shipped()), small);
    assertEquals(128, found.tuning().get(Template.GRID).get("group"));
    assertTrue(
        found.rejected().stream()
            .anyMatch(r -> r.contains("work-groups of 512; the device's limit is 256")),
        found.rejected().toString());
    // The shipped small form needs more local memory than 16 KiB.
    assertTrue(
        found.rejected().stream().anyMatch(r -> r.matches(".*product.small.*bytes of local.*")),
        found.rejected().toString());
  }

  @Test
  void whatComesWithTheProgramIsCompleteAndPossible() {
    for (Profile p : Profile.values()) {
      Hardware h = new Hardware(p, "any", "1", "", "any", 256, 32 << 10);
      TuningDatabase.Lookup found = TuningDatabase.lookup(List.of(TuningDatabase.shipped()), h);
      assertEquals(List.of(), found.rejected());
      for (Template t : Template.values()) {
        if (t.profile() == p) {
          assertEquals(t, found.tuning().get(t).template());
        }
      }
    }
  }

  private static void refused(String message, String text) {
    DataException e = assertThrows(DataException.class, () -> parse(text));
    assertTrue(e.getMessage().startsWith("[tuning] test.json is not usable: "), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private static String withTemplates(String templates) {
    return "{\"format\": 1, \"entries\": [{\"profile\": \"gpu\", \"source\": \"s\","
        + " \"templates\": {"
        + templates
        + "}}]}";
  }

  @Test
  void wrongFilesSayWhatIsWrong() {
    refused("the file is empty", "");
    refused("line 1", "{");
    refused("line 2", "{\"format\": 1,\n \"entries\": [}");
    refused("more than one JSON value", "{\"format\": 1, \"entries\": []} {}");
    refused("format must be 1, not 2", "{\"format\": 2, \"entries\": []}");
    refused("out of range of", "{\"format\": 99999999999, \"entries\": []}");
    refused("unknown field 'extra'", "{\"format\": 1, \"entries\": [], \"extra\": 1}");
    refused("must be an object", "[]");
    refused("unexpected VALUE_NULL", "{\"format\": null, \"entries\": []}");
    refused("Duplicate", "{\"format\": 1, \"format\": 1, \"entries\": []}");
    refused("profile must be cpu or gpu", "{\"format\": 1, \"entries\": [{}]}");
    refused("must say its source", "{\"format\": 1, \"entries\": [{\"profile\": \"gpu\"}]}");
    refused("no such template for gpu", withTemplates("\"product\": {}"));
    refused("must have the integer group", withTemplates("\"elementwise\": {\"bytes\": 16}"));
    refused(
        "must have the integer bytes",
        withTemplates("\"elementwise\": {\"group\": 64, \"bytes\": 1.5, \"groups\": 4}"));
    refused(
        "unknown field 'warp'",
        withTemplates(
            "\"elementwise\": {\"group\": 64, \"bytes\": 16, \"groups\": 4, \"warp\": 1}"));
    refused(
        "group 96 is not a power of two",
        withTemplates("\"elementwise\": {\"group\": 96, \"bytes\": 16, \"groups\": 4}"));
    refused(
        "group 4096 is not in the range",
        withTemplates("\"elementwise\": {\"group\": 4096, \"bytes\": 16, \"groups\": 4}"));
    refused(
        "not the square of a whole number",
        withTemplates(
            "\"product.small\": {\"size\": 32, \"step\": 8, \"slices\": 2, \"group\": 256}"));
    refused(
        "would compute 16 by 16 results",
        withTemplates(
            "\"product.small\": {\"size\": 256, \"step\": 8, \"slices\": 1, \"group\": 256}"));
    refused(
        "has stores of four",
        withTemplates(
            "\"product.small\": {\"size\": 64, \"step\": 8, \"slices\": 8, \"group\": 512}"
                .replace("64", "32")));
  }

  /** One message that names the file, and everything as if the file were not there. */
  @Test
  void aCorruptFileIsNamedAndLeftOut() throws IOException {
    Path file = folder.resolve("tuning.json");
    // The first entry is fine; nothing of the file may be used all the same.
    Files.writeString(
        file, "{\"format\": 1, \"entries\": [" + entry("", 512) + ", {\"profile\": 3}]}");
    String said = saidByLookups(file, 256);
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.contains(file + " is not usable: entries[1].profile"), said);
    Path missing = folder.resolve("none.json");
    said = saidByLookups(missing, 256);
    assertTrue(said.contains("cannot read " + missing), said);
    Files.writeString(file, "{\"format\": 1, \"entries\": [" + entry("", 512) + "]}");
    assertEquals("", saidByLookups(file, 512));
  }

  private static String saidByLookups(Path file, int expectedGroup) {
    String before = System.getProperty(Settings.TUNING.key());
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setProperty(Settings.TUNING.key(), file.toString());
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      for (int i = 0; i < 2; i++) {
        Tuning t = TuningDatabase.lookup(H100).tuning();
        assertEquals(expectedGroup, t.get(Template.GRID).get("group"));
      }
    } finally {
      System.setErr(err);
      if (before == null) {
        System.clearProperty(Settings.TUNING.key());
      } else {
        System.setProperty(Settings.TUNING.key(), before);
      }
    }
    return said.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aNewEntryReplacesTheTemplatesOfItsDevices() {
    TuningDatabase d = database(entry("\"device\": \"H100\", \"driver\": \"570.1\",", 512));
    Parameters reduce = new Parameters(Template.REDUCE_GROUPS, List.of(128, 32, 4, 16, 64, 32));
    TuningEntry added =
        new TuningEntry(
            Profile.GPU,
            "H100",
            "570.1",
            "",
            "",
            "measured",
            "2026-01-01",
            Map.of(Template.REDUCE_GROUPS, reduce),
            List.of(
                new TuningEntry.Measurement("reduce", "rows", List.of(2.0), List.of(1.0, 1.5))));
    TuningDatabase updated = d.with(added);
    assertEquals(1, updated.entries().size());
    TuningEntry e = updated.entries().getFirst();
    assertEquals(reduce, e.templates().get(Template.REDUCE_GROUPS));
    assertEquals(512, e.templates().get(Template.GRID).get("group"));
    assertEquals("measured", e.source());
    assertEquals(1, updated.with(added).entries().getFirst().measurements().size());
    TuningEntry other =
        new TuningEntry(Profile.GPU, "A100", "1", "", "", "measured", "", Map.of(), List.of());
    assertEquals(2, updated.with(other).entries().size());
  }

  @Test
  void valuesAreNamed() {
    Parameters p = new Parameters(Template.GRID, List.of(256, 16, 64));
    assertEquals("group 256, bytes 16, groups 64", p.toString());
    assertEquals(8, p.with("bytes", 8).get("bytes"));
    assertThrows(IllegalArgumentException.class, () -> p.get("size"));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(Template.GRID, List.of(1)));
    assertFalse(p.with("bytes", 12).contradiction().isEmpty());
  }

  @Test
  void familiesOfDevices() {
    assertEquals("sm_90", Hardware.family("NVIDIA CUDA", "NVIDIA H100", 90, 16));
    assertEquals("gfx90a", Hardware.family("AMD", "gfx90a:sramecc+:xnack-", 0, 16));
    assertEquals("pocl-512", Hardware.family("Portable Computing Language", "pthread-x", 0, 64));
    assertEquals("", Hardware.family("Intel(R) OpenCL Graphics", "Intel(R) Arc", 0, 16));
  }
}
