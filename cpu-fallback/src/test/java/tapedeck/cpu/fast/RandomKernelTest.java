package tapedeck.cpu.fast;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.Settings;
import tapedeck.cpu.interp.InterpProvider;

/** Random kernels against the interpreter, and against themselves on another number of threads. */
class RandomKernelTest {
  private static final int KERNELS = 300;

  @Test
  void agreesWithTheInterpreter() {
    Set<Plan.Strategy> seen = EnumSet.noneOf(Plan.Strategy.class);
    try (Device fast = new FastDevice();
        Device interp = new InterpProvider().discover().devices().get(0).open()) {
      for (long seed = 0; seed < KERNELS; seed++) {
        Kernel k = RandomKernels.make(seed);
        seen.add(Plan.of(k, Vectors.ofMachine(), false).strategy);
        List<byte[]> data = Runs.data(k, seed);
        List<byte[]> expected = Runs.run(interp, k, data);
        List<byte[]> actual = Runs.run(fast, k, data);
        for (int p = 0; p < data.size(); p++) {
          compare(seed, p, k.params().get(p), expected.get(p), actual.get(p));
        }
      }
    }
    assertTrue(
        Vectors.ofMachine().bits() == 0 || seen.size() == Plan.Strategy.values().length,
        () -> "only these strategies were tested: " + seen);
  }

  private static void compare(long seed, int p, Kernel.Param param, byte[] e, byte[] a) {
    for (long i = 0; i < param.elements(); i++) {
      double x = Runs.at(param, e, i);
      double y = Runs.at(param, a, i);
      // float64 values may come from float32 ones, so they are held to the same tolerance.
      double tolerance = param.dtype().isFloat() ? 2e-4 * (1 + Math.abs(x)) : 0;
      long at = i;
      assertTrue(
          x == y || (Double.isNaN(x) && Double.isNaN(y)) || Math.abs(x - y) <= tolerance,
          () -> "seed " + seed + " parameter " + p + " [" + at + "]: " + y + " not " + x);
    }
  }

  @Test
  void threadsDoNotChangeBits() {
    String before = System.getProperty(Settings.THREADS.key());
    try (Device fast = new FastDevice()) {
      for (long seed = 0; seed < KERNELS; seed += 3) {
        Kernel k = RandomKernels.make(seed);
        List<byte[]> data = Runs.data(k, seed);
        System.setProperty(Settings.THREADS.key(), "1");
        List<byte[]> one = Runs.run(fast, k, data);
        System.setProperty(Settings.THREADS.key(), "3");
        List<byte[]> three = Runs.run(fast, k, data);
        for (int p = 0; p < data.size(); p++) {
          assertArrayEquals(one.get(p), three.get(p), "seed " + seed + " parameter " + p);
        }
      }
    } finally {
      if (before == null) {
        System.clearProperty(Settings.THREADS.key());
      } else {
        System.setProperty(Settings.THREADS.key(), before);
      }
    }
  }
}
