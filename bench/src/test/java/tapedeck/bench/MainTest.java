package tapedeck.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a user calls it: output, messages, exit codes, files. */
class MainTest {
  @TempDir Path folder;

  private record Outcome(int code, String out, String err) {}

  private static Outcome run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.execute(new PrintWriter(out), new PrintWriter(err, true), args);
    return new Outcome(code, out.toString(), err.toString());
  }

  private static Outcome good(String... args) {
    Outcome o = run(args);
    assertEquals(0, o.code, Arrays.toString(args) + "\n" + o.err + o.out);
    assertEquals("", o.err);
    return o;
  }

  /** One clear message, no stack trace. */
  private static void fails(int code, String message, String... args) {
    Outcome o = run(args);
    assertEquals(code, o.code, Arrays.toString(args) + "\n" + o.err);
    assertTrue(o.err.startsWith("tapedeck: "), o.err);
    assertTrue(o.err.contains(message), o.err);
    assertFalse(o.err.contains("\tat "), o.err);
  }

  @Test
  void selfcheckOfSomeOperations() {
    Outcome o = good("selfcheck", "--device", "cpu", "--effort", "QUICK", "--op", "add,matmul");
    assertTrue(o.out.matches("(?s).*\\b2 operations, \\d+ checks, all passed.*"), o.out);
    o = good("selfcheck", "--device", "cpu", "--op", "add,matmul", "--part", "2/2");
    assertTrue(o.out.matches("(?s).*\\b1 operations, \\d+ checks, all passed.*"), o.out);
  }

  @Test
  void unusableArguments() {
    fails(2, "which command?");
    fails(2, "fly", "fly");
    fails(2, "--wings", "bench", "--wings");
    fails(2, "there is no 'wings'", "selfcheck", "--device", "cpu", "--op", "wings");
    fails(2, "--part must be K/N", "selfcheck", "--device", "cpu", "--part", "3/2");
    fails(2, "--batch must be at least 1, not 0", "bench", "--batch", "0");
    fails(2, "--hidden must be at least 1, not -3", "train", "--hidden", "-3");
    fails(2, "--momentum must be in [0, 1)", "train", "--momentum", "1");
    fails(2, "--rate must be positive", "train", "--rate", "0");
    fails(
        2,
        "--batch must be at most 1437",
        "train",
        "--data",
        "digits",
        "--batch",
        "2000",
        "--device",
        "cpu");
    fails(2, "xyz", "adbench", "--problem", "xyz", "--input", "a", "--out", "b");
    fails(2, "--input", "adbench", "--problem", "gmm", "--out", "b");
    fails(2, "--threads must be at least 1", "train", "--threads", "0");
    fails(2, "--sizes must be like 64x128x32, not 3x4", "matmul", "--sizes", "3x4");
    fails(2, "--threads must be at least 1", "matmul", "--threads", "0");
    fails(2, "counts one thread", "matmul", "--threads", "2", "--clock", "cpu");
    fails(2, "--work: there is no 'gymnastics'", "bench", "--work", "gymnastics");
    fails(2, "--peers: there is no 'nobody'", "bench", "--peers", "nobody");
    fails(
        2,
        "--size must be full, large or small, not tiny",
        "bench",
        "--work",
        "rows",
        "--size",
        "tiny");
    fails(2, "--kernels needs --work or --peers", "bench", "--kernels");
    fails(2, "--history and --targets stand alone", "bench", "--work", "rows", "--history");
  }

  @Test
  void missingThingsAreNamed() {
    fails(1, "there is no device 'abacus:7'", "train", "--device", "abacus:7");
    fails(1, "there is no device 'abacus'", "bench", "--device", "abacus");
    String none = folder.resolve("none").toString();
    fails(
        1,
        folder + " has no file train-images-idx3-ubyte.gz",
        "train",
        "--data",
        folder.toString(),
        "--device",
        "cpu");
    fails(1, "no folder " + none, "train", "--data", none, "--device", "cpu");
    fails(1, "cannot read " + none, "train", "--data", "digits", "--load", none, "--device", "cpu");
    fails(
        1,
        "cannot read " + none,
        "adbench",
        "--problem",
        "gmm",
        "--input",
        none,
        "--out",
        none,
        "--device",
        "cpu");
    fails(1, "start this command with ./tapedeck bundle", "bundle", "--out", none);
    fails(1, "cannot read " + none, "bench", "--with", none);
    fails(1, "cannot read " + none, "bench", "--history", none);
  }

  @Test
  void trainingThatDivergesSavesNothing() {
    Path saved = folder.resolve("diverged.safetensors");
    fails(
        1,
        "a smaller learning rate may help",
        "train",
        "--data",
        "digits",
        "--device",
        "cpu",
        "--epochs",
        "2",
        "--rate",
        "1e30",
        "--save",
        saved.toString());
    assertFalse(Files.exists(saved));
  }

  @Test
  void filesThatCannotBeWrittenAreNamedBeforeAnyWork() throws IOException {
    String file = Files.writeString(folder.resolve("file"), "kept").toString();
    String below = Path.of(file, "below").toString();
    String is = folder + ": it is a folder";
    String in = below + ": " + file + " is not a folder";
    String[][] commands = {
      {"train", "--data", "digits", "--epochs", "1", "--device", "cpu", "--save"},
      {"bench", "--quick", "--data", "digits", "--device", "cpu", "--json"},
      {"selfcheck", "--effort", "quick", "--op", "add", "--device", "cpu", "--json"},
      {"matmul", "--sizes", "4x4x4", "--peer", "none", "--json"},
      {"bundle", "--out"}
    };
    for (String[] c : commands) {
      for (String target : new String[] {folder.toString(), below}) {
        String[] args = Arrays.copyOf(c, c.length + 1);
        args[c.length] = target;
        fails(1, "cannot write " + (target.equals(below) ? in : is), args);
        assertEquals("", run(args).out);
      }
    }
    Outcome o = run("lecture", "--device", "cpu", "--out", file);
    assertEquals(1, o.code);
    assertTrue(o.err.contains(file + " is not a folder"), o.err);
    assertEquals("", o.out);
    fails(
        1,
        file + " is not a folder",
        "adbench",
        "--problem",
        "gmm",
        "--input",
        "src/test/resources/adbench/gmm/test.txt",
        "--device",
        "cpu",
        "--out",
        file);
    assertEquals("kept", Files.readString(Path.of(file)));
    try (var left = Files.list(folder)) {
      assertEquals(1, left.count());
    }
  }

  @Test
  void theStackTraceIsShownOnRequest() {
    Outcome o = run("train", "--device", "abacus:7");
    assertFalse(o.err.contains(".java:"), o.err);
    o = run("train", "--device", "abacus:7", "--stacktrace");
    assertEquals(1, o.code);
    assertTrue(o.err.contains("\tat tapedeck."), o.err);
  }

  @Test
  void aCorruptInstanceLeavesNoResults() throws IOException {
    Path input = Files.writeString(folder.resolve("bad.txt"), "2 3 1\n0.5 zero\n");
    Path out = folder.resolve("out");
    fails(
        1,
        "bad.txt: line",
        "adbench",
        "--problem",
        "gmm",
        "--input",
        input.toString(),
        "--out",
        out.toString(),
        "--device",
        "cpu");
    assertFalse(Files.exists(out));
  }

  @Test
  void parametersOfAnotherNetworkAreRejected() throws IOException {
    String file = folder.resolve("p.safetensors").toString();
    good(
        "train",
        "--data",
        "digits",
        "--hidden",
        "8",
        "--epochs",
        "0",
        "--device",
        "cpu",
        "--save",
        file);
    fails(
        1,
        "tensor 'layers.0.weight' is f32(64,8), this network has f32(64,9)",
        "train",
        "--data",
        "digits",
        "--hidden",
        "9",
        "--epochs",
        "0",
        "--device",
        "cpu",
        "--load",
        file);
    fails(
        1,
        "has no tensor 'layers.2.weight'",
        "train",
        "--data",
        "digits",
        "--hidden",
        "8,10",
        "--epochs",
        "0",
        "--device",
        "cpu",
        "--load",
        file);
    Files.write(Path.of(file), new byte[] {1, 2, 3});
    fails(
        1,
        "fewer than its header needs",
        "train",
        "--data",
        "digits",
        "--device",
        "cpu",
        "--load",
        file);
  }

  @Test
  void devicesAreListed() {
    Outcome o = good("devices");
    assertTrue(o.out.lines().anyMatch(l -> l.startsWith("cpu ")), o.out);
    assertTrue(o.out.contains("default: "), o.out);
  }

  @Test
  void settingsAreListed() {
    assertTrue(good("settings").out.contains("TAPEDECK_DEVICE"));
  }

  @Test
  void adbenchWritesAndChecks() throws IOException {
    Path out = folder.resolve("results");
    Outcome o =
        good(
            "adbench",
            "--problem",
            "gmm",
            "--input",
            "src/test/resources/adbench/gmm/test.txt",
            "--out",
            out.toString(),
            "--runs",
            "1",
            "--warm-up",
            "0",
            "--device",
            "cpu",
            "--check");
    assertEquals(2, o.out.lines().filter(l -> l.endsWith("agrees")).count(), o.out);
    assertEquals(1, Files.readAllLines(out.resolve("test_F_Tapedeck.txt")).size());
    assertEquals(18, Files.readAllLines(out.resolve("test_J_Tapedeck.txt")).size());
    assertEquals(2, Files.readAllLines(out.resolve("test_times_Tapedeck.txt")).size());
  }

  @Test
  void adbenchTellsADifference() throws IOException {
    for (String part : new String[] {"", "_F_Manual", "_J_Manual"}) {
      Files.copy(
          Path.of("src/test/resources/adbench/gmm/test" + part + ".txt"),
          folder.resolve("test" + part + ".txt"));
    }
    Files.writeString(folder.resolve("test_F_Manual.txt"), "8.0739\n");
    Outcome o =
        run(
            "adbench",
            "--problem",
            "gmm",
            "--input",
            folder.resolve("test.txt").toString(),
            "--out",
            folder.resolve("o").toString(),
            "--runs",
            "1",
            "--warm-up",
            "0",
            "--device",
            "cpu",
            "--check");
    assertEquals(1, o.code);
    assertTrue(o.out.contains("DIFFERS"), o.out);
  }

  @Test
  void benchMeasuresEveryDeviceAndWritesSamples() throws IOException {
    Path json = folder.resolve("deep/er/b.json");
    Outcome o =
        good(
            "bench",
            "--quick",
            "--data",
            "digits",
            "--hidden",
            "16,16",
            "--batch",
            "16,8",
            "--samples",
            "3",
            "--device",
            "cpu",
            "--json",
            json.toString());
    assertTrue(o.out.contains("MLP 64-16-16-10"), o.out);
    assertTrue(o.out.contains("UCI digits"), o.out);
    assertEquals(
        2,
        o.out.lines().filter(l -> l.matches(" *(8|16) +cpu .*1\\.00x +\\d\\.\\de-0[78]")).count(),
        o.out);
    String report = Files.readString(json);
    for (String field :
        new String[] {
          "\"commit\"", "\"cpu\"", "\"kernels\"", "\"seconds\"", "\"gradient_error\""
        }) {
      assertTrue(report.contains(field), field + "\n" + report);
    }
  }

  @Test
  void matmulChecksTimesAndWritesSamples() throws IOException {
    Path json = folder.resolve("m.json");
    Outcome o =
        good(
            "matmul",
            "--sizes",
            "70x33x20,16x16x16",
            "--dtype",
            "float32,float64",
            "--transpose",
            "nn,tt",
            "--samples",
            "3",
            "--warm-up",
            "0",
            "--peer",
            "none",
            "--json",
            json.toString());
    assertEquals(4, o.out.lines().filter(l -> l.startsWith("70x33x20 ")).count(), o.out);
    assertTrue(o.out.contains("peer: none"), o.out);
    String report = Files.readString(json);
    for (String field : new String[] {"\"commit\"", "\"seconds\"", "\"transpose\"", "\"error\""}) {
      assertTrue(report.contains(field), field + "\n" + report);
    }
    String none = folder.resolve("none.so").toString();
    fails(1, "cannot load " + none, "matmul", "--peer", none);
  }

  @Test
  void workloadsAreComparedAndAPeerThatIsNotThereIsNamed() throws IOException {
    Path json = folder.resolve("w.json");
    Outcome o =
        good(
            "bench",
            "--work",
            "black-scholes,gmm",
            "--peers",
            "libtorch",
            "--size",
            "small",
            "--quick",
            "--samples",
            "2",
            "--kernels",
            "--device",
            "cpu",
            "--json",
            json.toString());
    assertTrue(o.out.contains("note: libtorch: not built"), o.out);
    assertTrue(o.out.lines().anyMatch(l -> l.matches("gmm/gradient +cpu .* %  .*")), o.out);
    assertTrue(o.out.contains("timed by"), o.out);
    Outcome again = good("bench", "--with", json.toString());
    assertTrue(again.out.contains("black-scholes/greeks"), again.out);
    Outcome history = good("bench", "--history", folder.toString());
    assertTrue(history.out.contains("black-scholes/price"), history.out);
  }

  @Test
  void operandsAreExportedWithResults() {
    Path file = folder.resolve("d.safetensors");
    good("bench", "--export-data", file.toString(), "--work", "rows,gmm", "--size", "small");
    var tensors = tapedeck.bench.data.SafeTensors.read(file);
    assertEquals("f32(64,64)", tensors.get("rows/x").aval().toString());
    assertEquals(1, tensors.get("expected/gmm/objective").size());
    assertEquals(64 * 64, tensors.get("expected/rows/softmax").size());
  }

  @Test
  void lectureNumbersAndDrawings() throws IOException {
    Path out = folder.resolve("lecture");
    Outcome o = good("lecture", "--out", out.toString(), "--device", "cpu");
    for (String line :
        new String[] {
          "114 values",
          "226 values",
          "113 jvp passes",
          "1 vjp pass",
          "f = [12.0]",
          "df/dz = [3.0]",
          "dW = [0.088, 0.176, 0.104, 0.208]",
          "dx = [-0.112, 0.636]"
        }) {
      assertTrue(o.out.contains(line), line + "\n" + o.out);
    }
    for (String name : new String[] {"mlp", "sum-times-z", "squared-norm"}) {
      assertTrue(Files.readString(out.resolve(name + ".svg")).endsWith("</svg>\n"));
    }
  }

  @Test
  void trainingOnDigits() {
    String[] args = {
      "train",
      "--data",
      "digits",
      "--hidden",
      "128",
      "--epochs",
      "20",
      "--device",
      "cpu",
      "--seed",
      "3"
    };
    Outcome a = good(args);
    String last = a.out.lines().filter(l -> l.startsWith("accuracy")).findFirst().orElseThrow();
    double accuracy = Double.parseDouble(last.split(" ")[1]);
    assertTrue(accuracy >= 97, a.out);
  }

  @Test
  void trainingIsRepeatableAndItsResultCanBeLoaded() throws IOException {
    Path one = folder.resolve("1.safetensors");
    Path two = folder.resolve("2.safetensors");
    for (Path p : new Path[] {one, two}) {
      good(
          "train",
          "--data",
          "digits",
          "--hidden",
          "32",
          "--epochs",
          "2",
          "--optimizer",
          "sgd",
          "--momentum",
          "0.9",
          "--device",
          "cpu",
          "--seed",
          "5",
          "--save",
          p.toString());
    }
    assertEquals(-1, Files.mismatch(one, two));
    Outcome o =
        good(
            "train",
            "--data",
            "digits",
            "--hidden",
            "32",
            "--epochs",
            "0",
            "--device",
            "cpu",
            "--load",
            one.toString(),
            "--save",
            two.toString());
    assertTrue(o.out.contains("accuracy 9"), o.out);
    assertEquals(-1, Files.mismatch(one, two));
  }
}
