package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.TapedeckException;

/** Results do not depend on whether an optimisation is on. */
class OptimisationTest {
  private static final Set<Optimisation> SAME_BITS =
      EnumSet.of(
          Optimisation.OWN_LOOPS,
          Optimisation.KEPT_RESULTS,
          Optimisation.OWN_PANELS,
          Optimisation.WHOLE_ENDS,
          Optimisation.OWN_SHARES,
          Optimisation.STREAMED_WRITES,
          Optimisation.WOVEN_ROWS);

  @AfterEach
  void usual() {
    System.clearProperty(Settings.WITHOUT.key());
  }

  /** Rows of several lengths: maxima, exponentials, sums, a long chain with several results. */
  private static double[][] results() {
    // opened anew: its threads are settled then
    Devices.close("cpu");
    Random random = new Random(23);
    double[][] out = new double[12][];
    int n = 0;
    for (int columns : new int[] {20, 700}) {
      double[] values = new double[30 * columns];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextGaussian();
      }
      Tensor x = Tensor.of(values, 30, columns);
      out[n++] = apply(x, t -> t.softmax(1));
      out[n++] = apply(x, t -> t.logSumExp(1));
      out[n++] = apply(x, t -> t.square().sum(1).add(t.max(1)));
      out[n++] = apply(x, t -> t.mul(t.sum(true, 1)).min(1));
      out[n++] = apply(x, Ad.grad((Fn1<Tensor, Tensor>) OptimisationTest::chain));
      out[n++] = apply(x, t -> t.matmul(t.t().matmul(t)));
    }
    return out;
  }

  private static Tensor chain(Tensor x) {
    Tensor sum = x;
    for (int i = 1; i <= 24; i++) {
      sum = sum.mul(0.5).add(x.mul(i).sin()).add(sum.square().neg().exp());
    }
    return sum.sum();
  }

  private static double[] apply(Tensor x, Fn1<Tensor, Tensor> f) {
    return Ad.onDevice(
        "cpu",
        () -> {
          try (Tensor r = Ad.jit(f).apply(x)) {
            return r.toDoubleArray();
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void leavingOneOutChangesNoResult(Optimisation o) {
    double[][] with = results();
    System.setProperty(Settings.WITHOUT.key(), o.label());
    double[][] without = results();
    for (int i = 0; i < with.length; i++) {
      if (SAME_BITS.contains(o)) {
        assertArrayEquals(with[i], without[i], o + ", result " + i);
      } else {
        assertEquals(with[i].length, without[i].length);
        for (int j = 0; j < with[i].length; j++) {
          double size = Math.max(1, Math.abs(with[i][j]));
          int at = j;
          int of = i;
          assertTrue(
              Math.abs(with[i][j] - without[i][j]) <= 1e-12 * size,
              () -> o + ", result " + of + " at " + at);
        }
      }
    }
  }

  @Test
  void anUnknownNameIsTold() {
    System.setProperty(Settings.WITHOUT.key(), "own-loops,speed");
    TapedeckException e = assertThrows(TapedeckException.class, OptimisationTest::results);
    assertTrue(e.getMessage().contains("'speed'"), e.getMessage());
    assertTrue(e.getMessage().contains("short-rows"), e.getMessage());
  }
}
