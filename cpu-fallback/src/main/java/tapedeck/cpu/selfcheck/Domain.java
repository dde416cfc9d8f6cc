package tapedeck.cpu.selfcheck;

import java.util.SplittableRandom;
import tapedeck.ad.type.DType;

/**
 * Where an operand's random values lie: floats in [lo, hi] but at least {@code gap} away from 0,
 * integers in [intLo, intHi]; bools are either.
 *
 * @param lo smallest float
 * @param hi largest float
 * @param gap smallest magnitude of a float
 * @param intLo smallest integer
 * @param intHi largest integer
 */
public record Domain(double lo, double hi, double gap, int intLo, int intHi) {

  /** Both signs, zero included for integers. */
  public static final Domain ANY = of(-2, 2);

  /** Floats from 0.2 to 3; integers as in {@link #ANY}. */
  public static final Domain POSITIVE = of(0.2, 3);

  /** Both signs, away from 0. */
  public static final Domain NON_ZERO = new Domain(-2, 2, 0.3, -9, 9);

  /**
   * {@return floats of a range, and integers from -9 to 9}
   *
   * @param lo smallest float
   * @param hi largest float
   */
  public static Domain of(double lo, double hi) {
    return new Domain(lo, hi, 0, -9, 9);
  }

  /**
   * {@return integers of a range, and floats as in {@link #ANY}}
   *
   * @param lo smallest integer
   * @param hi largest integer
   */
  public static Domain ints(int lo, int hi) {
    return new Domain(-2, 2, 0, lo, hi);
  }

  /** Values that every float type represents. */
  double[] draw(SplittableRandom random, DType dtype, int n) {
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] =
          switch (dtype) {
            case FLOAT32, FLOAT64 -> real(random);
            case INT32 -> random.nextLong(intLo, intHi + 1L);
            case BOOL -> random.nextInt(2);
          };
    }
    return out;
  }

  private double real(SplittableRandom random) {
    double v;
    do {
      v = (float) random.nextDouble(lo, hi);
    } while (Math.abs(v) < gap);
    return v;
  }
}
