package tapedeck.cpu.fast;

/**
 * Functions that generated code calls for one element at a time. float32 ones round the float64
 * result once.
 */
// Published coefficients, as printed.
@SuppressWarnings("FloatingPointLiteralPrecision")
final class ScalarMath {
  private ScalarMath() {}

  static int div(int a, int b) {
    return b == 0 ? 0 : a / b;
  }

  static int rem(int a, int b) {
    return b == 0 ? 0 : a % b;
  }

  static double rem(double a, double b) {
    return a % b;
  }

  static float rem(float a, float b) {
    return a % b;
  }

  /** IEEE 754 pow: unlike {@link Math#pow} it is 1 for 1^NaN and (+-1)^(+-inf). */
  static double pow(double x, double y) {
    return x == 1 || (x == -1 && Double.isInfinite(y)) ? 1 : Math.pow(x, y);
  }

  static float pow(float x, float y) {
    return (float) pow((double) x, (double) y);
  }

  static double atan2(double y, double x) {
    return Math.atan2(y, x);
  }

  static float atan2(float y, float x) {
    return (float) Math.atan2(y, x);
  }

  static double expm1(double x) {
    return Math.expm1(x);
  }

  static float expm1(float x) {
    return (float) Math.expm1(x);
  }

  static double log1p(double x) {
    return Math.log1p(x);
  }

  static float log1p(float x) {
    return (float) Math.log1p(x);
  }

  static double sin(double x) {
    return Math.sin(x);
  }

  static float sin(float x) {
    return (float) Math.sin(x);
  }

  static double cos(double x) {
    return Math.cos(x);
  }

  static float cos(float x) {
    return (float) Math.cos(x);
  }

  static double tan(double x) {
    return Math.tan(x);
  }

  static float tan(float x) {
    return (float) Math.tan(x);
  }

  static double asin(double x) {
    return Math.asin(x);
  }

  static float asin(float x) {
    return (float) Math.asin(x);
  }

  static double acos(double x) {
    return Math.acos(x);
  }

  static float acos(float x) {
    return (float) Math.acos(x);
  }

  static double atan(double x) {
    return Math.atan(x);
  }

  static float atan(float x) {
    return (float) Math.atan(x);
  }

  static double sinh(double x) {
    return Math.sinh(x);
  }

  static float sinh(float x) {
    return (float) Math.sinh(x);
  }

  static double cosh(double x) {
    return Math.cosh(x);
  }

  static float cosh(float x) {
    return (float) Math.cosh(x);
  }

  static float erf(float x) {
    return (float) erf((double) x);
  }

  static float erfc(float x) {
    return (float) erfc((double) x);
  }

  // Rational approximations of erf and erfc on five intervals: FDLIBM s_erf.c (Sun, 1993); error
  // below 1 ulp before the roundings of exp.
  private static final double ERX = 8.45062911510467529297e-01;
  private static final double[] PP = {
    -2.37630166566501626084e-05,
    -5.77027029648944159157e-03,
    -2.84817495755985104766e-02,
    -3.25042107247001499370e-01,
    1.28379167095512558561e-01
  };
  private static final double[] QQ = {
    -3.96022827877536812320e-06,
    1.32494738004321644526e-04,
    5.08130628187576562776e-03,
    6.50222499887672944485e-02,
    3.97917223959155352819e-01,
    1
  };
  private static final double[] PA = {
    -2.16637559486879084300e-03, 3.54783043256182359371e-02, -1.10894694282396677476e-01,
    3.18346619901161753674e-01, -3.72207876035701323847e-01, 4.14856118683748331666e-01,
    -2.36211856075265944077e-03
  };
  private static final double[] QA = {
    1.19844998467991074170e-02,
    1.36370839120290507362e-02,
    1.26171219808761642112e-01,
    7.18286544141962662868e-02,
    5.40397917702171048937e-01,
    1.06420880400844228286e-01,
    1
  };
  private static final double[] RA = {
    -9.81432934416914548592e+00, -8.12874355063065934246e+01, -1.84605092906711035994e+02,
    -1.62396669462573470355e+02, -6.23753324503260060396e+01, -1.05586262253232909814e+01,
    -6.93858572707181764372e-01, -9.86494403484714822705e-03
  };
  private static final double[] SA = {
    -6.04244152148580987438e-02, 6.57024977031928170135e+00, 1.08635005541779435134e+02,
    4.29008140027567833386e+02, 6.45387271733267880336e+02, 4.34565877475229228821e+02,
    1.37657754143519042600e+02, 1.96512716674392571292e+01, 1
  };
  private static final double[] RB = {
    -4.83519191608651397019e+02, -1.02509513161107724954e+03, -6.37566443368389627722e+02,
    -1.60636384855821916062e+02, -1.77579549177547519889e+01, -7.99283237680523006574e-01,
    -9.86494292470009928597e-03
  };
  private static final double[] SB = {
    -2.24409524465858183362e+01, 4.74528541206955367215e+02, 2.55305040643316442583e+03,
    3.19985821950859553908e+03, 1.53672958608443695994e+03, 3.25792512996573918826e+02,
    3.03380607434824582924e+01, 1
  };

  static double erf(double x) {
    double a = Math.abs(x);
    if (a < 0.84375) {
      return x + x * middle(x * x);
    }
    if (a < 1.25) {
      return Math.copySign(ERX + near1(a - 1), x);
    }
    // From 6 on the result is 1 in float64; NaN falls through to the tail.
    return Math.copySign(a >= 6 ? 1 : 1 - tail(a), x);
  }

  static double erfc(double x) {
    double a = Math.abs(x);
    if (a < 0.84375) {
      double y = middle(x * x);
      return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x - 0.5 + x * y);
    }
    if (a < 1.25) {
      return x > 0 ? 1 - ERX - near1(a - 1) : 1 + (ERX + near1(a - 1));
    }
    if (a >= 28) {
      return x > 0 ? 0 : 2;
    }
    return x > 0 ? tail(a) : 2 - tail(a);
  }

  private static double middle(double z) {
    return horner(PP, z) / horner(QQ, z);
  }

  private static double near1(double s) {
    return horner(PA, s) / horner(QA, s);
  }

  /** erfc(a) for a of at least 1.25, NaN for NaN. */
  private static double tail(double a) {
    double s = 1 / (a * a);
    double ratio = a < 1 / 0.35 ? horner(RA, s) / horner(SA, s) : horner(RB, s) / horner(SB, s);
    // a is split so that the square of its upper part is exact.
    double z = Double.longBitsToDouble(Double.doubleToRawLongBits(a) & 0xffffffff00000000L);
    return Math.exp(-z * z - 0.5625) * Math.exp((z - a) * (z + a) + ratio) / a;
  }

  private static double horner(double[] c, double x) {
    double p = c[0];
    for (int i = 1; i < c.length; i++) {
      p = p * x + c[i];
    }
    return p;
  }
}
