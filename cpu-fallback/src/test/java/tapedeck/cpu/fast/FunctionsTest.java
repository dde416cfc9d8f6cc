package tapedeck.cpu.fast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.reference.ErrorFunction;

/** Largest errors of the polynomials, special values, and equal bits in vectors and scalars. */
class FunctionsTest {
  private static final double[] SPECIAL = {
    0.0,
    -0.0,
    1,
    -1,
    0.5,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    1e-40,
    88.8,
    -88,
    -103,
    -104.5,
    710,
    -745,
    -746,
    1e5,
    1e7,
    -3e15,
    1e300,
    5e-324
  };

  private static final Map<ScalarOp, DoubleUnaryOperator> EXACT =
      Map.of(
          ScalarOp.EXP, Math::exp,
          ScalarOp.LOG, Math::log,
          ScalarOp.SIN, Math::sin,
          ScalarOp.COS, Math::cos,
          ScalarOp.TANH, Math::tanh,
          ScalarOp.SIGMOID, FunctionsTest::sigmoid,
          ScalarOp.ERF, ErrorFunction::erf,
          ScalarOp.FLOOR, Math::floor,
          ScalarOp.CEIL, Math::ceil,
          ScalarOp.ROUND, Math::rint);

  private static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (1 + e);
  }

  /** Largest error allowed, in units of the last place; float64 references have errors of 1. */
  private static double allowed(ScalarOp op, DType t) {
    return switch (op) {
      case FLOOR, CEIL, ROUND -> 0;
      case EXP, LOG, SIN, COS -> t == DType.FLOAT32 ? 2 : 3;
      default -> t == DType.FLOAT32 ? 3 : 5;
    };
  }

  private static Kernel kernel(ScalarOp op, DType t, long size) {
    Loop i = new Loop(0, size);
    Index at = Index.of(i);
    return new Kernel(
        List.of(new Kernel.Param(t, size, true, false), new Kernel.Param(t, size, false, true)),
        List.of(i),
        List.of(
            new Phase.Emit(
                List.of(),
                List.of(new Phase.Store(1, at, Expr.apply(op, t, new Expr.Load(0, t, at)))))),
        Optional.empty());
  }

  private static byte[] inputs(DType t, int size) {
    byte[] bytes = new byte[size * t.bytes()];
    MemorySegment m = MemorySegment.ofArray(bytes);
    Random random = new Random(5);
    for (int i = 0; i < size; i++) {
      double x =
          i < SPECIAL.length
              ? SPECIAL[i]
              : switch (i % 3) {
                case 0 -> random.nextGaussian();
                case 1 -> random.nextDouble() * 180 - 90;
                default -> Math.exp(random.nextDouble() * 160 - 80) * (i % 2 * 2 - 1);
              };
      if (t == DType.FLOAT32) {
        m.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, (float) x);
      } else {
        m.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i, x);
      }
    }
    return bytes;
  }

  @Test
  void errorsStayBelowTheStatedBounds() {
    int size = 40_003;
    try (Device device = new FastDevice()) {
      for (DType t : List.of(DType.FLOAT32, DType.FLOAT64)) {
        byte[] in = inputs(t, size);
        for (var e : EXACT.entrySet()) {
          Kernel k = kernel(e.getKey(), t, size);
          byte[] out = Runs.run(device, k, List.of(in, new byte[in.length])).get(1);
          for (int i = 0; i < size; i++) {
            double x = Runs.at(k.params().get(0), in, i);
            double exact = e.getValue().applyAsDouble(x);
            check(e.getKey(), t, x, exact, Runs.at(k.params().get(1), out, i));
          }
        }
      }
    }
  }

  private static void check(ScalarOp op, DType t, double x, double exact, double actual) {
    String what = op + " " + t + " of " + x + ": " + actual + ", exactly " + exact;
    if (t == DType.FLOAT32 && !Double.isNaN(exact) && Float.isInfinite((float) exact)) {
      assertEquals((float) exact, (float) actual, what);
      return;
    }
    if (Double.isNaN(exact) || Double.isInfinite(exact) || exact == 0) {
      assertEquals(exact, actual, what);
      return;
    }
    double ulp = t == DType.FLOAT32 ? Math.ulp((float) exact) : Math.ulp(exact);
    assertTrue(Math.abs(actual - exact) <= (allowed(op, t) + 0.51) * ulp, what);
  }

  @Test
  void scalarCodeGivesTheSameBits() {
    int size = 4_003;
    try (Device device = new FastDevice()) {
      for (DType t : List.of(DType.FLOAT32, DType.FLOAT64)) {
        byte[] in = inputs(t, size);
        for (ScalarOp op : EXACT.keySet()) {
          Kernel k = kernel(op, t, size);
          byte[] vector = Runs.run(device, k, List.of(in, new byte[in.length])).get(1);
          // Small kernels are compiled to scalar code.
          Kernel one = kernel(op, t, 1);
          assertEquals(Plan.Strategy.SCALAR, Plan.of(one, Vectors.ofMachine(), false).strategy);
          for (int i = 0; i < size; i += 7) {
            byte[] x = java.util.Arrays.copyOfRange(in, i * t.bytes(), (i + 1) * t.bytes());
            byte[] y = Runs.run(device, one, List.of(x, new byte[x.length])).get(1);
            double expected = Runs.at(k.params().get(1), vector, i);
            double actual = Runs.at(one.params().get(1), y, 0);
            assertEquals(expected, actual, op + " " + t + " at " + i);
          }
        }
      }
    }
  }

  @Test
  void errorFunctions() {
    // Values from Abramowitz and Stegun, table 7.1, and the DLMF, section 7.
    assertEquals(0.8427007929497149, ScalarMath.erf(1.0), 2e-16);
    assertEquals(0.9953222650189527, ScalarMath.erf(2.0), 2e-16);
    assertEquals(0.5204998778130465, ScalarMath.erf(0.5), 2e-16);
    assertEquals(0.004677734981047266, ScalarMath.erfc(2.0), 2e-18);
    assertEquals(1.5374597944280349e-12, ScalarMath.erfc(5.0), 1e-27);
    assertEquals(2.0884875837625447e-45, ScalarMath.erfc(10.0), 2e-60);
    for (double x = -6; x <= 6; x += 0.01) {
      assertEquals(1, ScalarMath.erf(x) + ScalarMath.erfc(x), 5e-16);
      assertEquals(-ScalarMath.erf(x), ScalarMath.erf(-x));
    }
    assertTrue(Double.isNaN(ScalarMath.erf(Double.NaN)));
    assertTrue(Double.isNaN(ScalarMath.erfc(Double.NaN)));
    assertEquals(1, ScalarMath.erf(Double.POSITIVE_INFINITY));
    assertEquals(2, ScalarMath.erfc(Double.NEGATIVE_INFINITY));
  }
}
