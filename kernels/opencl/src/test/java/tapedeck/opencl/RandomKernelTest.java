package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Kernel;
import tapedeck.cpu.interp.InterpProvider;

/**
 * Random kernels give the same bits as the interpreter, in the forms for CPU devices and for GPUs.
 */
class RandomKernelTest {
  private static final int CASES = Integer.getInteger("tapedeck.test.cases", 40);
  private static final long SEED = Long.getLong("tapedeck.test.seed", 1);

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void agreesWithInterpreter(String profile) {
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      // Many kernels to a schedule: they are built as one program.
      for (long first = SEED; first < SEED + CASES; first += 20) {
        List<Runs.Case> cases = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (long seed = first; seed < Math.min(first + 20, SEED + CASES); seed++) {
          Runs.Case c = RandomKernels.make(seed);
          cases.add(c);
          for (Kernel.Param p : c.kernel().params()) {
            if (p.written()) {
              names.add(profile + ", seed " + seed + ", output " + p);
            }
          }
        }
        List<double[]> expected = Runs.run(oracle, cases);
        // Every third kernel with 64-bit indices.
        List<Runs.Case> mixed = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
          mixed.add(i % 3 == 2 ? cases.get(i).wide() : cases.get(i));
        }
        List<double[]> actual = Runs.run(cl, mixed);
        for (int o = 0; o < expected.size(); o++) {
          for (int i = 0; i < expected.get(o).length; i++) {
            // Adding 0 makes the zeros equal: the sign of a zero from MIN and MAX is not specified.
            assertEquals(
                expected.get(o)[i] + 0.0, actual.get(o)[i] + 0.0, names.get(o) + ", element " + i);
          }
        }
      }
      assertEquals(0, cl.memory().liveBytes());
      assertEquals(0, cl.memory().liveBuffers());
    }
  }
}
