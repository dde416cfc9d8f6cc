package tapedeck.cpu.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.kir.ScalarOp;

class VectorMathTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private static final double[] SPECIALS = {
    0.0,
    -0.0,
    1,
    -1,
    INF,
    -INF,
    NAN,
    Double.MIN_VALUE,
    -Double.MIN_VALUE,
    Double.MIN_NORMAL,
    -Double.MIN_NORMAL,
    Double.MAX_VALUE,
    -Double.MAX_VALUE,
    Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    709.78,
    709.79,
    -708,
    -745.1,
    -745.2,
    88.72,
    88.73,
    -103.9,
    -104,
    26.5,
    27.2,
    27.3,
    9.1,
    10.05,
    10.1,
    0.5,
    2,
    1e-20,
    -1e-20,
    1e5,
    -1e5,
    1e6,
    1e22,
    0.9999999
  };

  @ParameterizedTest
  @EnumSource(
      names = {
        "EXP", "EXPM1", "LOG", "LOG1P", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "SINH", "COSH",
        "TANH", "SIGMOID", "ERF", "ERFC", "POW", "ATAN2"
      })
  void vectorsAndScalarsAgreeBitForBit(ScalarOp op) {
    Random random = new Random(7);
    for (int n : new int[] {0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 4001}) {
      double[] a = inputs(random, n);
      double[] b = inputs(random, n);
      try (Arena arena = Arena.ofConfined()) {
        long pa = arena.allocate(8L * n + 1).address();
        long pb = arena.allocate(8L * n + 1).address();
        for (int i = 0; i < n; i++) {
          Memory.putDouble(pa + 8L * i, a[i]);
          Memory.putDouble(pb + 8L * i, b[i]);
        }
        VectorMath.apply(op, true, pa, pb, pa, n);
        for (int i = 0; i < n; i++) {
          double want = ScalarMath.f64(op, a[i], b[i]);
          assertEquals(want, Memory.getDouble(pa + 8L * i), op + " " + a[i]);
        }
      }
      try (Arena arena = Arena.ofConfined()) {
        long pa = arena.allocate(4L * n + 1).address();
        long pb = arena.allocate(4L * n + 1).address();
        long to = arena.allocate(4L * n + 1).address();
        for (int i = 0; i < n; i++) {
          Memory.putFloat(pa + 4L * i, (float) a[i]);
          Memory.putFloat(pb + 4L * i, (float) b[i]);
        }
        VectorMath.apply(op, false, pa, pb, to, n);
        for (int i = 0; i < n; i++) {
          float want = ScalarMath.f32(op, (float) a[i], (float) b[i]);
          assertEquals(want, Memory.getFloat(to + 4L * i), op + " " + (float) a[i]);
        }
      }
    }
  }

  /** Special values, random bits, and values of every size that functions care about. */
  private static double[] inputs(Random random, int n) {
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] =
          switch (random.nextInt(6)) {
            case 0 -> SPECIALS[random.nextInt(SPECIALS.length)];
            case 1 -> Double.longBitsToDouble(random.nextLong());
            case 2 -> Float.intBitsToFloat(random.nextInt());
            case 3 -> random.nextGaussian() * 100;
            default -> random.nextGaussian() * 2;
          };
    }
    return v;
  }

  @Test
  void float64IsWithinItsBounds() {
    sweep(ScalarOp.EXP, -750, 715, 2);
    sweep(ScalarOp.EXPM1, -45, 20, 2);
    sweep(ScalarOp.LOG, 0, 4, 2);
    sweep(ScalarOp.LOG, 0, 1e300, 2);
    sweep(ScalarOp.LOG1P, -1, 4, 2);
    sweep(ScalarOp.LOG1P, 0, 1e18, 2);
    sweep(ScalarOp.SIN, -20, 20, 2);
    sweep(ScalarOp.SIN, -1e5, 1e5, 2);
    sweep(ScalarOp.COS, -20, 20, 2);
    sweep(ScalarOp.COS, -1e5, 1e5, 2);
    sweep(ScalarOp.TANH, -5, 5, 3);
    sweep(ScalarOp.SIGMOID, -50, 50, 2);
    sweep(ScalarOp.SIGMOID, -745, -700, 2);
    sweep(ScalarOp.ERF, -6, 6, 2);
  }

  @Test
  void erfcIsWithinItsBoundsIntoTheTail() {
    for (double x = -5.9; x < 27.3; x += 0.173) {
      check(ScalarOp.ERFC, x, 4);
    }
    for (double x = 26.3; x < 27.3; x += 0.1) {
      check(ScalarOp.ERFC, x, 4);
    }
  }

  @Test
  void sineAndCosineAreGoodNearMultiplesOfHalfPi() {
    for (int k = 1; k < 60_000; k += 149) {
      check(ScalarOp.SIN, k * (Math.PI / 2), 2);
      check(ScalarOp.COS, k * (Math.PI / 2), 2);
    }
  }

  /** The bounds that {@link VectorMath} states for float32. */
  private static double ulps32(ScalarOp op) {
    return switch (op) {
      case EXP, LOG, POW -> 1;
      case EXPM1, ERF, ACOS, COSH -> 1.5;
      case SIN, COS, ATAN -> 2;
      case LOG1P, SIGMOID, ASIN, ATAN2, SINH -> 2.5;
      case TANH -> 3;
      case ERFC, TAN -> 4;
      default -> throw new AssertionError(op);
    };
  }

  /** One in some thousand of all floats, subnormal ones and NaN included, against float64. */
  @ParameterizedTest
  @EnumSource(
      names = {
        "EXP", "EXPM1", "LOG", "LOG1P", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "SINH", "COSH",
        "TANH", "SIGMOID", "ERF", "ERFC"
      })
  void float32IsWithinItsBoundsOverAllFloats(ScalarOp op) {
    for (long bits = 0; bits < 1L << 32; bits += 2503) {
      assertNear64(op, Float.intBitsToFloat((int) bits), 0);
    }
  }

  /** Special values, and random floats of every size as well as those of usual size. */
  @ParameterizedTest
  @EnumSource(names = {"POW", "ATAN2"})
  void float32OfTwoIsWithinItsBounds(ScalarOp op) {
    for (double x : SPECIALS) {
      for (double y : SPECIALS) {
        assertNear64(op, (float) x, (float) y);
      }
    }
    Random random = new Random(17);
    for (int i = 0; i < 300_000; i++) {
      float any = Float.intBitsToFloat(random.nextInt());
      float usual = (float) random.nextGaussian();
      float x = i % 3 == 0 ? any : usual * usual * 3;
      float y = i % 5 == 0 ? any : i % 5 == 1 ? Math.round(9 * usual) : 30 * usual;
      assertNear64(op, i % 7 == 0 ? -x : x, y);
    }
  }

  private static void assertNear64(ScalarOp op, float x, float y) {
    double want = ScalarMath.f64(op, x, y);
    float got = ScalarMath.f32(op, x, y);
    float rounded = (float) want;
    if (Float.isFinite(rounded) && Float.isFinite(got)) {
      double error = Math.abs(got - want) / Math.ulp(rounded);
      assertTrue(
          error <= ulps32(op),
          () -> op + "(" + x + "f, " + y + "f) = " + got + ", off by " + error);
    } else {
      assertEquals(rounded, got, () -> op + "(" + x + "f, " + y + "f)");
    }
  }

  /** What StrictMath has too, which is less than a unit in the last place off itself. */
  @ParameterizedTest
  @CsvSource({
    "TAN, -20, 20, 4",
    "TAN, -1e5, 1e5, 4",
    "ASIN, -1, 1, 2",
    "ACOS, -1, 1, 1.5",
    "ATAN, -6, 6, 2",
    "ATAN, -1e7, 1e7, 2",
    "SINH, -4, 4, 3",
    "SINH, -711, 711, 3",
    "COSH, -4, 4, 2",
    "COSH, -711, 711, 2",
    "ATAN2, -3, 3, 3",
    "ATAN2, -1e300, 1e300, 3"
  })
  void float64IsNearStrictMath(ScalarOp op, double low, double high, double ulps) {
    Random random = new Random(19);
    for (int i = 0; i < 200_000; i++) {
      double x = low + (high - low) * random.nextDouble();
      double y = low + (high - low) * random.nextDouble();
      if (i % 4 == 0) {
        x *= Math.exp(-40 * random.nextDouble());
        y *= Math.exp(-4 * random.nextDouble());
      }
      assertNearStrict(op, x, y, ulps);
    }
    for (double x : SPECIALS) {
      for (double y : SPECIALS) {
        assertNearStrict(op, x, y, ulps);
      }
    }
  }

  private static void assertNearStrict(ScalarOp op, double x, double y, double ulps) {
    double want =
        switch (op) {
          case TAN -> StrictMath.tan(x);
          case ASIN -> StrictMath.asin(x);
          case ACOS -> StrictMath.acos(x);
          case ATAN -> StrictMath.atan(x);
          case SINH -> StrictMath.sinh(x);
          case COSH -> StrictMath.cosh(x);
          case ATAN2 -> StrictMath.atan2(x, y);
          default -> throw new AssertionError(op);
        };
    double got = ScalarMath.f64(op, x, y);
    if (Double.isFinite(want) && Double.isFinite(got) && want != 0) {
      double error = Math.abs(got - want) / Math.ulp(want);
      assertTrue(error <= ulps, () -> op + "(" + x + ", " + y + ") = " + got + ", off by " + error);
    } else {
      assertEquals(want, got, () -> op + "(" + x + ", " + y + ")");
    }
  }

  private static void sweep(ScalarOp op, double low, double high, double ulps) {
    Random random = new Random(11);
    for (int i = 0; i < 700; i++) {
      double x = low + (high - low) * random.nextDouble();
      if (i % 4 == 0) {
        // small ones of every size
        x *= Math.exp(-30 * random.nextDouble());
      }
      check(op, x, ulps);
    }
  }

  private static void check(ScalarOp op, double x, double ulps) {
    assertWithin(op, x, ScalarMath.f64(op, x, 0), exact(op, x), ulps);
    float f = (float) x;
    if (Float.isFinite(f) && (op != ScalarOp.LOG1P || f > -1) && (op != ScalarOp.LOG || f > 0)) {
      BigDecimal want = exact(op, f);
      float got = ScalarMath.f32(op, f, 0);
      float rounded = want.floatValue();
      if (Float.isInfinite(rounded) || Float.isInfinite(got)) {
        assertEquals(rounded, got, op + " " + f);
      } else {
        double error = new BigDecimal(got).subtract(want).abs().doubleValue() / Math.ulp(rounded);
        assertTrue(
            error <= ulps32(op), () -> op + "(" + f + "f) = " + got + ", off by " + error + " ulp");
      }
    }
  }

  private static void assertWithin(
      ScalarOp op, double x, double got, BigDecimal want, double ulps) {
    double rounded = want.doubleValue();
    if (Double.isInfinite(rounded) || Double.isInfinite(got)) {
      assertEquals(rounded, got, op + " " + x);
      return;
    }
    double error =
        new BigDecimal(got)
            .subtract(want)
            .abs()
            .divide(new BigDecimal(Math.ulp(rounded)), MathContext.DECIMAL64)
            .doubleValue();
    assertTrue(error <= ulps, () -> op + "(" + x + ") = " + got + ", off by " + error + " ulp");
  }

  private static BigDecimal exact(ScalarOp op, double x) {
    return switch (op) {
      case EXP -> Precise.exp(x);
      case EXPM1 -> Precise.expm1(x);
      case LOG -> Precise.log(x);
      case LOG1P -> Precise.log1p(x);
      case SIN -> Precise.sin(x, 0);
      case COS -> Precise.sin(x, 1);
      case TANH -> Precise.tanh(x);
      case SIGMOID -> Precise.sigmoid(x);
      case ERF -> Precise.erf(x);
      case ERFC -> Precise.erfc(x);
      default -> throw new AssertionError(op);
    };
  }

  @Test
  void specialValuesAreExact() {
    double[][] unary = {
      {INF, 0, NAN, 1, 1},
      {INF, -1, NAN, 0.0, -0.0},
      {INF, NAN, NAN, -INF, -INF},
      {INF, NAN, NAN, 0.0, -0.0},
      {NAN, NAN, NAN, 0.0, -0.0},
      {NAN, NAN, NAN, 1, 1},
      {1, -1, NAN, 0.0, -0.0},
      {1, 0, NAN, 0.5, 0.5},
      {1, -1, NAN, 0.0, -0.0},
      {0, 2, NAN, 1, 1},
    };
    ScalarOp[] ops = {
      ScalarOp.EXP,
      ScalarOp.EXPM1,
      ScalarOp.LOG,
      ScalarOp.LOG1P,
      ScalarOp.SIN,
      ScalarOp.COS,
      ScalarOp.TANH,
      ScalarOp.SIGMOID,
      ScalarOp.ERF,
      ScalarOp.ERFC
    };
    double[] at = {INF, -INF, NAN, 0.0, -0.0};
    for (int i = 0; i < ops.length; i++) {
      for (int j = 0; j < at.length; j++) {
        assertEquals(unary[i][j], ScalarMath.f64(ops[i], at[j], 0), ops[i] + " " + at[j]);
        float want = (float) unary[i][j];
        assertEquals(want, ScalarMath.f32(ops[i], (float) at[j], 0), ops[i] + " " + at[j]);
      }
    }
    assertEquals(-INF, ScalarMath.log1p(-1.0));
    assertEquals(NAN, ScalarMath.log(-1.0));
    assertEquals(Math.log(Double.MIN_VALUE), ScalarMath.log(Double.MIN_VALUE), 1e-12);
    assertEquals(Double.MIN_VALUE, ScalarMath.expm1(Double.MIN_VALUE));
    assertEquals(Double.MIN_VALUE, ScalarMath.tanh(Double.MIN_VALUE));
    assertEquals(Math.sin(1e300), ScalarMath.sin(1e300), 1e-15);
  }

  @Test
  void powIsThatOfIeee754() {
    assertEquals(1, ScalarMath.pow(1.0, NAN));
    assertEquals(1, ScalarMath.pow(NAN, 0.0));
    assertEquals(1, ScalarMath.pow(-1.0, INF));
    assertEquals(1, ScalarMath.pow(-1.0, -INF));
    assertEquals(1, ScalarMath.pow(1.0, INF));
    assertEquals(1f, ScalarMath.pow(1f, Float.NaN));
    assertEquals(NAN, ScalarMath.pow(-2.0, 0.5));
    assertEquals(-8, ScalarMath.pow(-2.0, 3.0));
    assertEquals(-INF, ScalarMath.pow(-0.0, -3.0));
    assertEquals(0, ScalarMath.pow(0.5, INF));
  }

  @Test
  void instructionsAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> VectorMath.apply(ScalarOp.ADD, true, 0, 0, 0, 0));
    try (Arena arena = Arena.ofConfined()) {
      long at = arena.allocate(4).address();
      assertThrows(
          IllegalArgumentException.class,
          () -> ScalarMath.apply(ScalarOp.SQRT, false, at, at, at, 1));
    }
  }
}
