package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.run.Engine;
import tapedeck.ad.run.TensorScope;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Settings;

/**
 * Base of tests of the whole engine on one device. Every test runs in a tensor scope, and fails if
 * device buffers are left when the scope and the caches are closed.
 */
public abstract class DeviceTests {
  private String before;
  private TensorScope scope;
  private long buffers;

  /** Name of the device, such as {@code interp}; tests are skipped where it does not exist. */
  protected abstract String device();

  /** Float64 tests are skipped where the device does not have it. */
  protected final void needFloat64() {
    Assumptions.assumeTrue(open().supports(DType.FLOAT64), device() + " has no float64");
  }

  protected final Device open() {
    return Devices.open(device());
  }

  @BeforeEach
  void begin() {
    Assumptions.assumeTrue(
        Devices.list().devices().stream()
            .anyMatch(c -> c.name().equals(device()) || c.name().startsWith(device() + ":")),
        () -> "no device " + device() + ": " + Devices.list().rejections());
    before = System.getProperty(Settings.DEVICE.key());
    System.setProperty(Settings.DEVICE.key(), device());
    buffers = settled();
    scope = Ad.scope();
  }

  @AfterEach
  void end() {
    if (scope == null) {
      return;
    }
    scope.close();
    if (before == null) {
      System.clearProperty(Settings.DEVICE.key());
    } else {
      System.setProperty(Settings.DEVICE.key(), before);
    }
    long left = settled();
    if (left != buffers) {
      // Constants that were given memory belong to no scope: the collector finds them.
      Engine.collect(open());
      left = settled();
    }
    assertTrue(left <= buffers, buffers + " device buffers before the test, " + left + " after it");
  }

  /** Buffers in use when nothing is cached. */
  protected final long settled() {
    Engine.dropCaches(open());
    Engine.trimPools(open());
    return open().memory().liveBuffers();
  }

  /** Runs with another value of a setting. */
  protected static void with(Settings setting, String value, Runnable body) {
    String old = System.getProperty(setting.key());
    System.setProperty(setting.key(), value);
    try {
      body.run();
    } finally {
      if (old == null) {
        System.clearProperty(setting.key());
      } else {
        System.setProperty(setting.key(), old);
      }
    }
  }

  /** Deterministic values in [-1, 1]. */
  protected static double[] values(int n, int seed) {
    double[] x = new double[n];
    SplittableRandom r = new SplittableRandom(seed);
    for (int i = 0; i < n; i++) {
      x[i] = (float) r.nextDouble(-1, 1);
    }
    return x;
  }

  /** A float32 tensor of deterministic values. */
  protected static Tensor floats(int seed, int... dims) {
    int n = 1;
    for (int d : dims) {
      n *= d;
    }
    double[] x = values(n, seed);
    float[] f = new float[n];
    for (int i = 0; i < n; i++) {
      f[i] = (float) x[i];
    }
    return Tensor.of(f, dims);
  }

  /** A float64 tensor of deterministic values. */
  protected static Tensor doubles(int seed, int... dims) {
    int n = 1;
    for (int d : dims) {
      n *= d;
    }
    return Tensor.of(values(n, seed), dims);
  }

  protected static void assertClose(double[] expected, Tensor actual, double tolerance) {
    assertArrayEquals(expected, actual.toDoubleArray(), tolerance);
  }

  protected static void assertClose(Tensor expected, Tensor actual, double tolerance) {
    assertEquals(expected.aval(), actual.aval());
    assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray(), tolerance);
  }
}
