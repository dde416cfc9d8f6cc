package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.schedule.Schedule;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.opencl.tuning.Parameter;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/**
 * Results do not depend on parameters: products, reductions and elementwise kernels with odd sizes
 * under many sets of them, in both profiles. Operands are small integers, so results are exact.
 */
class TuningTest {
  private static final int SETS = 8;

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  private static List<Runs.Case> cases() {
    Random random = new Random(7);
    List<Kernel> kernels =
        List.of(
            ProductTest.product(131, 67, 45, 0),
            ProductTest.product(64, 128, 96, 5),
            ProductTest.product(33, 260, 130, 7),
            RendererTest.rowSums(37, 1024),
            RendererTest.rowSums(5, 999),
            RendererTest.columnSums(700, 96),
            RendererTest.columnSums(129, 131),
            RendererTest.sumsOfSquares(70_000),
            RendererTest.sumsOfSquares(1 << 16));
    List<Runs.Case> cases = new ArrayList<>();
    for (Kernel k : kernels) {
      List<double[]> inputs = new ArrayList<>();
      for (Kernel.Param p : k.params()) {
        if (!p.written()) {
          inputs.add(random.ints(p.elements(), -3, 4).asDoubleStream().toArray());
        }
      }
      cases.add(new Runs.Case(k, Runs.distinct(k), inputs));
    }
    return cases;
  }

  /** Sets of possible parameters, drawn at random from the values that a search tries. */
  private static List<Tuning> tunings(Tunable device) {
    Random random = new Random(11);
    List<Tuning> out = new ArrayList<>();
    for (int i = 0; i < SETS; i++) {
      Tuning tuning = device.tuning();
      for (Template t : Template.values()) {
        if (t.profile() == device.hardware().profile()) {
          tuning = tuning.with(draw(t, device, random));
        }
      }
      out.add(tuning);
    }
    return out;
  }

  private static Parameters draw(Template t, Tunable device, Random random) {
    for (int attempt = 0; attempt < 10_000; attempt++) {
      List<Integer> values = new ArrayList<>();
      for (Parameter p : t.parameters()) {
        values.add(p.candidates().get(random.nextInt(p.candidates().size())));
      }
      Parameters drawn = new Parameters(t, values);
      if (drawn.problem(device.hardware()).isEmpty()) {
        return drawn;
      }
    }
    throw new AssertionError("no possible parameters for " + t);
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void resultsDoNotDependOnParameters(String profile) {
    List<Runs.Case> cases = cases();
    Schedule schedule = Runs.schedule(cases);
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      Tunable tunable = (Tunable) cl;
      assertEquals(
          Profile.valueOf(profile.toUpperCase(java.util.Locale.ROOT)),
          tunable.hardware().profile());
      List<double[]> expected = Runs.run(oracle, cases);
      Set<String> texts = new TreeSet<>();
      for (Tuning t : tunings(tunable)) {
        texts.addAll(tunable.kernels(schedule, t));
        List<double[]> actual = Runs.run(cl, cases, s -> tunable.compile(s, t));
        for (int i = 0; i < expected.size(); i++) {
          assertArrayEquals(expected.get(i), actual.get(i), profile + " case " + i + ": " + t);
        }
      }
      assertTrue(texts.size() > 3 * cases.size(), "parameters change kernels: " + texts.size());
      assertEquals(0, cl.memory().liveBuffers());
    }
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void equalTextsStandForEqualKernels(String profile) {
    Schedule schedule = Runs.schedule(cases());
    try (Device cl = TestDevices.open(profile)) {
      Tunable t = (Tunable) cl;
      List<String> now = t.kernels(schedule, t.tuning());
      assertEquals(now, t.kernels(schedule, t.tuning()));
      Template elementwise = profile.equals("gpu") ? Template.GRID : Template.LOOPS;
      Parameters p = t.tuning().get(elementwise);
      List<String> other = t.kernels(schedule, t.tuning().with(p.with("bytes", 16)));
      List<String> narrow =
          t.kernels(
              schedule,
              t.tuning().with(profile.equals("gpu") ? p.with("group", 64) : p.with("items", 1)));
      assertEquals(now.subList(0, 3), narrow.subList(0, 3), "products are another template's");
      assertNotEquals(now, narrow);
      assertEquals(profile.equals("gpu"), now.equals(other), "16 bytes are the default on GPUs");
    }
  }
}
