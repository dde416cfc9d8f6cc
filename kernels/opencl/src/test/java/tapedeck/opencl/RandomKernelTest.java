package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Device;
import tapedeck.cpu.interp.InterpProvider;

/** Random kernels give the same bits as the interpreter, in the forms for CPU devices and for GPUs. */
class RandomKernelTest {
  private static final int CASES = Integer.getInteger("tapedeck.test.cases", 60);
  private static final long SEED = Long.getLong("tapedeck.test.seed", 1);

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void agreesWithInterpreter(String profile) {
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      for (long seed = SEED; seed < SEED + CASES; seed++) {
        RandomKernels.Case c = RandomKernels.make(seed);
        List<double[]> expected = Runs.run(oracle, c.kernel(), c.slots(), c.inputs());
        List<double[]> actual = Runs.run(cl, c.kernel(), c.slots(), c.inputs());
        for (int o = 0; o < expected.size(); o++) {
          for (int i = 0; i < expected.get(o).length; i++) {
            // Adding 0 makes the zeros equal: the sign of a zero from MIN and MAX is not specified.
            assertEquals(
                expected.get(o)[i] + 0.0,
                actual.get(o)[i] + 0.0,
                profile + ", seed " + seed + ", output " + o + ", element " + i);
          }
        }
      }
      assertEquals(0, cl.memory().liveBytes());
      assertEquals(0, cl.memory().liveBuffers());
    }
  }
}
