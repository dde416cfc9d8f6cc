package tapedeck.bench.adbench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.Stats;

/** The four problems against results of ADBench's hand-derived derivatives. */
class AdbenchTest {
  private static final Path SMALL = AdbenchFilesTest.RESOURCES;
  private static final Path SHARED =
      Path.of(System.getProperty("tapedeck.adbench", "../../shared/adbench"));
  private static final String CPU = "cpu";

  @TempDir Path folder;

  private static AdbenchProblem open(Path input, DType dtype) {
    String kind = input.getParent().getFileName().toString();
    return switch (kind) {
      case "gmm" -> new Gmm(GmmInstance.read(input), dtype);
      case "ba" -> new Ba(BaInstance.read(input), dtype);
      case "lstm" -> new Lstm(LstmInstance.read(input), dtype);
      case "hand" ->
          new Hand(HandInstance.read(input, HandModel.read(input.resolveSibling("model"))), dtype);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private static void check(Path input, DType dtype, String device) {
    Ad.onDevice(
        device,
        () -> {
          AdbenchProblem p = open(input, dtype);
          String name = input.getFileName().toString().replace(".txt", "");
          compare(
              "objective",
              p.objective(),
              AdbenchFormat.readNumbers(input.resolveSibling(name + "_F_Manual.txt")),
              dtype == DType.FLOAT64 ? 1e-9 : 1e-3);
          compare(
              "derivative",
              p.derivative(),
              p.readDerivative(input.resolveSibling(name + "_J_Manual.txt")),
              dtype == DType.FLOAT64 ? 1e-9 : 1e-4);
          return null;
        });
  }

  private static void compare(String what, double[] found, double[] golden, double tolerance) {
    assertEquals(golden.length, found.length, what);
    double norm = Stats.normwiseError(found, golden);
    assertTrue(norm <= tolerance, what + ": normwise error " + norm);
    if (tolerance < 1e-8) {
      double rho = Stats.rho(found, golden);
      assertTrue(rho <= 1e-8, what + ": rho " + rho);
    }
  }

  @TestFactory
  Stream<DynamicTest> goldens() throws IOException {
    List<Path> inputs = new ArrayList<>();
    for (Path root : Files.isDirectory(SHARED) ? List.of(SMALL, SHARED) : List.of(SMALL)) {
      try (Stream<Path> files = Files.walk(root)) {
        files
            .filter(f -> f.toString().endsWith("_J_Manual.txt"))
            .map(f -> f.resolveSibling(f.getFileName().toString().replace("_J_Manual", "")))
            .forEach(inputs::add);
      }
    }
    assertTrue(inputs.size() >= 4, inputs.toString());
    return inputs.stream()
        .sorted()
        .flatMap(
            f ->
                Arrays.stream(new DType[] {DType.FLOAT64, DType.FLOAT32})
                    // The unrolled loop compiles for long: once is enough.
                    .filter(t -> t == DType.FLOAT64 || !f.toString().contains("lstm"))
                    .map(t -> DynamicTest.dynamicTest(f + " " + t, () -> check(f, t, CPU))));
  }

  /** The small instances on the first OpenCL device, where there is one with float64. */
  @TestFactory
  Stream<DynamicTest> goldensOnOpenCl() {
    Optional<String> device =
        Devices.list().devices().stream()
            .map(BackendProvider.Candidate::name)
            .filter(n -> n.startsWith("opencl"))
            .filter(n -> Devices.open(n).supports(DType.FLOAT64))
            .findFirst();
    return Stream.of("gmm/test.txt", "ba/test.txt", "hand/hand5_t26_c30.txt")
        .map(
            f ->
                DynamicTest.dynamicTest(
                    f,
                    () -> {
                      assumeTrue(device.isPresent(), "no OpenCL device with float64");
                      check(SMALL.resolve(f), DType.FLOAT64, device.orElseThrow());
                    }));
  }

  /** A plain-Java LSTM, step by step. */
  private static double lstm(LstmInstance in, double[] main, double[] extra) {
    int b = in.b();
    double[] state = in.state().clone();
    double total = 0;
    for (int t = 0; t + 1 < in.c(); t++) {
      double[] y = new double[b];
      double sum = 2;
      for (int j = 0; j < b; j++) {
        double x = in.sequence()[t * b + j] * extra[j];
        for (int l = 0; l < in.l(); l++) {
          int w = 8 * l * b + j;
          int h = 2 * l * b + j;
          double forget = sigmoid(x * main[w] + main[w + 4 * b]);
          double ingate = sigmoid(state[h] * main[w + b] + main[w + 5 * b]);
          double outgate = sigmoid(x * main[w + 2 * b] + main[w + 6 * b]);
          double change = Math.tanh(state[h] * main[w + 3 * b] + main[w + 7 * b]);
          state[h + b] = state[h + b] * forget + ingate * change;
          state[h] = outgate * Math.tanh(state[h + b]);
          x = state[h];
        }
        y[j] = x * extra[b + j] + extra[2 * b + j];
        sum += Math.exp(y[j]);
      }
      for (int j = 0; j < b; j++) {
        total += in.sequence()[(t + 1) * b + j] * (y[j] - Math.log(sum));
      }
    }
    return -total / ((in.c() - 1) * b);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double[] random(Random r, int n) {
    return r.doubles(n, -1, 1).toArray();
  }

  private static double[] differences(double[] at, Function<double[], double[]> f) {
    double h = 1e-6;
    List<double[]> columns = new ArrayList<>();
    for (int i = 0; i < at.length; i++) {
      double[] lo = at.clone();
      double[] hi = at.clone();
      lo[i] -= h;
      hi[i] += h;
      double[] a = f.apply(lo);
      double[] b = f.apply(hi);
      double[] d = new double[a.length];
      for (int k = 0; k < d.length; k++) {
        d[k] = (b[k] - a[k]) / (2 * h);
      }
      columns.add(d);
    }
    double[] j = new double[columns.get(0).length * at.length];
    for (int i = 0; i < at.length; i++) {
      for (int k = 0; k < columns.get(i).length; k++) {
        j[k * at.length + i] = columns.get(i)[k];
      }
    }
    return j;
  }

  @Test
  void lstmAgreesWithAPlainLoop() {
    Random r = new Random(5);
    int l = 2;
    int b = 3;
    int c = 5;
    LstmInstance in =
        new LstmInstance(
            l,
            c,
            b,
            random(r, 8 * l * b),
            random(r, 3 * b),
            random(r, 2 * l * b),
            random(r, c * b));
    double[] all = Tensors.join(in.main(), in.extra());
    double[] slope =
        differences(
            all,
            v ->
                new double[] {
                  lstm(in, Arrays.copyOf(v, 8 * l * b), Arrays.copyOfRange(v, 8 * l * b, v.length))
                });
    Ad.onDevice(
        CPU,
        () -> {
          Lstm p = new Lstm(in, DType.FLOAT64);
          assertEquals(lstm(in, in.main(), in.extra()), p.objective()[0], 1e-14);
          double error = Stats.normwiseError(p.derivative(), slope);
          assertTrue(error < 1e-8, "normwise error " + error);
          return null;
        });
  }

  /**
   * The complicated form has no golden result: its Jacobian is compared with differences of its
   * objective.
   */
  @Test
  void complicatedHandAgreesWithDifferences() {
    HandModel model = HandModel.read(SMALL.resolve("hand/model"));
    HandInstance in = HandInstance.read(SMALL.resolve("hand/hand_complicated.txt"), model);
    int n = in.correspondences().length;
    double[] at = Tensors.join(in.us(), in.theta());
    Ad.onDevice(
        CPU,
        () -> {
          double[] full =
              differences(
                  at,
                  v ->
                      new Hand(
                              new HandInstance(
                                  model,
                                  in.correspondences(),
                                  in.points(),
                                  Arrays.copyOf(v, 2 * n),
                                  Arrays.copyOfRange(v, 2 * n, v.length)),
                              DType.FLOAT64)
                          .objective());
          int wide = at.length;
          double[] expected = new double[3 * n * (2 + HandInstance.THETA)];
          for (int row = 0; row < 3 * n; row++) {
            for (int c = 0; c < 2 + HandInstance.THETA; c++) {
              int from = c < 2 ? 2 * (row / 3) + c : 2 * n + c - 2;
              expected[row * (2 + HandInstance.THETA) + c] = full[row * wide + from];
            }
          }
          double error = Stats.normwiseError(new Hand(in, DType.FLOAT64).derivative(), expected);
          assertTrue(error < 1e-8, "normwise error " + error);
          return null;
        });
  }

  /** Where the rotation is 0, the first order of Rodrigues' formula counts, and nothing is NaN. */
  @Test
  void baWithoutRotation() {
    BaInstance in = BaInstance.read(SMALL.resolve("ba/test.txt"));
    double[] camera = in.camera().clone();
    Arrays.fill(camera, 0, 3, 0);
    BaInstance still = new BaInstance(1, 1, 1, camera, in.point(), in.weight(), in.feature());
    double[] at = Tensors.join(camera, in.point(), new double[] {in.weight()});
    Ad.onDevice(
        CPU,
        () -> {
          double[] slope =
              differences(
                  at,
                  v ->
                      Arrays.copyOf(
                          new Ba(
                                  new BaInstance(
                                      1,
                                      1,
                                      1,
                                      Arrays.copyOf(v, 11),
                                      Arrays.copyOfRange(v, 11, 14),
                                      v[14],
                                      in.feature()),
                                  DType.FLOAT64)
                              .objective(),
                          2));
          double[] found = Arrays.copyOf(new Ba(still, DType.FLOAT64).derivative(), 30);
          double error = Stats.normwiseError(found, slope);
          assertTrue(error < 1e-7, "normwise error " + error);
          return null;
        });
  }

  @Test
  void baWritesItsSparseForm() throws IOException {
    Path input = SMALL.resolve("ba/test.txt");
    Ad.onDevice(
        CPU,
        () -> {
          AdbenchProblem p = open(input, DType.FLOAT64);
          p.writeDerivative(folder.resolve("j.txt"), p.derivative());
          p.writeObjective(folder.resolve("f.txt"), p.objective());
          return null;
        });
    List<String> golden = Files.readAllLines(input.resolveSibling("test_J_Manual.txt"));
    List<String> found = Files.readAllLines(folder.resolve("j.txt"));
    assertEquals(golden.subList(0, 5), found.subList(0, 5));
    assertEquals("Reprojection error:", Files.readAllLines(folder.resolve("f.txt")).get(0));
    Path wrong = Files.writeString(folder.resolve("w.txt"), "30 62\n");
    AdbenchProblem p = Ad.onDevice(CPU, () -> open(input, DType.FLOAT64));
    DataException e = assertThrows(DataException.class, () -> p.readDerivative(wrong));
    assertTrue(
        e.getMessage().toLowerCase(Locale.ROOT).contains("numbers, not 655"), e.getMessage());
  }
}
