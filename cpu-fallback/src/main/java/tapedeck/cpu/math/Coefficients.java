package tapedeck.cpu.math;

/**
 * Constants of the approximations that {@link ScalarMath} and the vector loops share. Polynomials
 * interpolate at Chebyshev nodes (computed with 60 digits), coefficients by rising power.
 */
final class Coefficients {
  /** Adding it rounds to an integer and leaves that integer in the low bits of the sum. */
  static final double ROUND = 0x1.8p52;

  static final double LOG2_E = 0x1.71547652b82fep0;
  static final double TWO_OVER_PI = 0x1.45f306dc9c883p-1;

  /** ln 2 in two parts; the product of the first with any exponent is exact. */
  static final double LN2_HI = 0x1.62e42fee00000p-1;

  static final double LN2_LO = 0x1.a39ef35793c76p-33;
  static final double LN2 = 0x1.62e42fefa39efp-1;

  /** pi/2 in three parts (Cody and Waite). */
  static final double PIO2_1 = 0x1.921fb54442d18p+0;

  static final double PIO2_2 = 0x1.1a62633145c07p-54;
  static final double PIO2_3 = -0x1.f1976b7ed8fbcp-110;

  /** Largest argument of sine and cosine that three parts of pi/2 reduce well. */
  static final double TRIG_MAX = 1e5;

  /** Largest x with a finite exp(x). */
  static final double EXP_MAX = 0x1.62e42fefa39efp9;

  /** Below it exp(x) rounds to 0. */
  static final double EXP_MIN = -0x1.74910d52d3052p9;

  /** Below it expm1(x) rounds to -1. */
  static final double EXPM1_MIN = -40;

  /** Below it sin x, log(1 + x) and exp(x) - 1 round to x. */
  static final double TINY = 0x1p-54;

  /** Beyond it erfc(x) rounds to 0. */
  static final double ERFC_MAX = 28;

  /** Middle of the map t = (x - c)/(x + c) of Shepherd and Laframboise. */
  static final double ERFC_CENTRE = 3.75;

  /**
   * Added to the bits of a number, it carries into the exponent where the mantissa is over sqrt 2.
   */
  static final long SQRT_HALF = 0x3fe6a09e00000000L;

  static final long LOG_CARRY = 0x3ff0000000000000L - SQRT_HALF;
  static final long MANTISSA = 0x000fffffffffffffL;
  static final long SIGN = 0x8000000000000000L;

  /** 2^52 as bits: or-ed with a small integer it is that integer, as a double, plus 2^52. */
  static final long TWO52 = 0x4330000000000000L;

  /** 2^52 + 1023: takes away TWO52 and the bias of an exponent. */
  static final double TWO52_BIAS = 0x1.00000000003ffp52;

  static final double EXP0 = 0.5;
  static final double EXP1 = 0.1666666666666667;
  static final double EXP2 = 0.04166666666666667;
  static final double EXP3 = 0.008333333333326136;
  static final double EXP4 = 0.0013888888888883748;
  static final double EXP5 = 0.00019841269874820627;
  static final double EXP6 = 2.4801587325547743e-05;
  static final double EXP7 = 2.7557255400206422e-06;
  static final double EXP8 = 2.75572736431103e-07;
  static final double EXP9 = 2.5105217004720745e-08;
  static final double EXP10 = 2.0914686968086876e-09;
  static final double LG0 = 0.6666666666666666;
  static final double LG1 = 0.4000000000000088;
  static final double LG2 = 0.2857142857080323;
  static final double LG3 = 0.22222222391800484;
  static final double LG4 = 0.18181795630883255;
  static final double LG5 = 0.15386240205895024;
  static final double LG6 = 0.1326875966637694;
  static final double LG7 = 0.1308676703278257;
  static final double SIN0 = -0.16666666666666666;
  static final double SIN1 = 0.008333333333333331;
  static final double SIN2 = -0.00019841269841265063;
  static final double SIN3 = 2.7557319219337312e-06;
  static final double SIN4 = -2.5052106231802837e-08;
  static final double SIN5 = 1.6058531516797758e-10;
  static final double SIN6 = -7.586691094197958e-13;
  static final double COS0 = 0.041666666666666664;
  static final double COS1 = -0.0013888888888887398;
  static final double COS2 = 2.480158729876456e-05;
  static final double COS3 = -2.7557317271145144e-07;
  static final double COS4 = 2.087614614655861e-09;
  static final double COS5 = -1.1382623647474604e-11;
  static final double ERF0 = 1.1283791670955126;
  static final double ERF1 = -0.37612638903183543;
  static final double ERF2 = 0.11283791670945006;
  static final double ERF3 = -0.02686617064323777;
  static final double ERF4 = 0.0052239776071164225;
  static final double ERF5 = -0.0008548325975389692;
  static final double ERF6 = 0.00012055294904839707;
  static final double ERF7 = -1.492473690741966e-05;
  static final double ERF8 = 1.6447424703317362e-06;
  static final double ERF9 = -1.6208483801871705e-07;
  static final double ERF10 = 1.3720064546777686e-08;
  static final double ERF11 = -7.795898827002142e-10;
  static final double ERFC0 = 1.2375126308378275;
  static final double ERFC1 = -0.1402405985855467;
  static final double ERFC2 = 0.003585415485463779;
  static final double ERFC3 = 0.08227673849011204;
  static final double ERFC4 = -0.10880393014171236;
  static final double ERFC5 = 0.09230432116153116;
  static final double ERFC6 = -0.05869339859030941;
  static final double ERFC7 = 0.028362277400457724;
  static final double ERFC8 = -0.009746579553431873;
  static final double ERFC9 = 0.001755626017152004;
  static final double ERFC10 = 0.00029371366631088616;
  static final double ERFC11 = -0.00029015496529570924;
  static final double ERFC12 = 5.1648913469599865e-05;
  static final double ERFC13 = 2.2387259638230133e-05;
  static final double ERFC14 = -1.1442990926805438e-05;
  static final double ERFC15 = -9.801666755858578e-07;
  static final double ERFC16 = 1.7481190468391965e-06;
  static final double ERFC17 = -4.815839621672849e-08;
  static final double ERFC18 = -2.5261465267715506e-07;
  static final double ERFC19 = 1.5996335215573707e-08;
  static final double ERFC20 = 3.285083556233316e-08;
  static final double ERFC21 = -8.782125734803521e-10;
  static final double ERFC22 = -2.4108215365422332e-09;

  // asin x = x + x^3 p(x^2) for |x| < 1/2
  static final double ASIN0 = 0.16666666666666669;
  static final double ASIN1 = 0.07499999999998433;
  static final double ASIN2 = 0.04464285714635543;
  static final double ASIN3 = 0.030381944138531247;
  static final double ASIN4 = 0.02237217294214989;
  static final double ASIN5 = 0.017352392720869973;
  static final double ASIN6 = 0.013971212973552933;
  static final double ASIN7 = 0.011479177415184906;
  static final double ASIN8 = 0.01032281435018578;
  static final double ASIN9 = 0.005457506718640358;
  static final double ASIN10 = 0.01740087944269402;
  static final double ASIN11 = -0.014851887071247204;
  static final double ASIN12 = 0.028757851367421566;
  // atan x = x + x^3 p(x^2) for |x| < tan(pi/8)
  static final double ATAN0 = -0.3333333333333333;
  static final double ATAN1 = 0.19999999999995513;
  static final double ATAN2 = -0.1428571428466518;
  static final double ATAN3 = 0.11111111015146714;
  static final double ATAN4 = -0.0909090457366906;
  static final double ATAN5 = 0.07692183087342026;
  static final double ATAN6 = -0.06664509989818045;
  static final double ATAN7 = 0.058581362519061465;
  static final double ATAN8 = -0.05085383488842831;
  static final double ATAN9 = 0.03922974453661223;
  static final double ATAN10 = -0.019174543572021332;
  static final double TAN_PI_8 = 0x1.a827999fcef32p-2;

  /** Largest x with finite sinh(x) and cosh(x). */
  static final double SINH_MAX = 0x1.633ce8fb9f87dp9;

  /** Beyond it, and below its negative, 2^x is infinite or 0 in float32. */
  static final double POW_MAX = 160;

  /** From here on all float32 numbers are even integers. */
  static final double POW_EVEN = 0x1p24;

  /** 2 atanh(s) / (s ln 2) = p(s^2), to float32's accuracy: 2 / ln 2 / (2n + 1). */
  static final double LOG2_0 = 2.8853900817779268;

  static final double LOG2_1 = 0.9617966939259756;
  static final double LOG2_2 = 0.5770780163555854;
  static final double LOG2_3 = 0.4121985831111324;
  static final double LOG2_4 = 0.3205988979753252;
  static final double LOG2_5 = 0.2623081892525388;

  // float32: coefficients have the least maximum of relative error in the function's result
  // (Lawson's
  // iteratively weighted least squares on 400 Chebyshev points, in 40 digits), each rounded to
  // float in turn from the lowest power, after which the ones above it are fitted again.

  /** As {@link #ROUND}; less ROUND_BITS the bits of a sum are the integer itself. */
  static final float ROUND_F = 0x1.8p23f;

  static final int ROUND_BITS = 0x4b400000;
  static final int BIAS = 127;
  static final int SIGN_F = 0x80000000;
  static final float LOG2_E_F = 0x1.715476p0f;
  static final float LN2_HI_F = 0x1.62e430p-1f;
  static final float LN2_LO_F = -0x1.05c610p-29f;
  static final float TWO_OVER_PI_F = 0x1.45f306p-1f;
  static final float PIO2_F1 = 0x1.921fb6p0f;
  static final float PIO2_F2 = -0x1.777a5cp-25f;
  static final float PIO2_F3 = -0x1.ee59dap-50f;

  /** As {@link #TRIG_MAX}; the product of its quadrant and PIO2_F1 is subtracted exactly. */
  static final float TRIG_MAX_F = 1e5f;

  /** Largest x with a finite exp(x). */
  static final float EXP_F_MAX = 88.72284f;

  /** For smaller |x| exp(x) is neither infinite nor denormal. */
  static final float EXP_F_NORMAL = 87;

  /** Below it exp(x) rounds to 0. */
  static final float EXP_F_MIN = -103.97209f;

  /** Below it expm1(x) rounds to -1. */
  static final float EXPM1_F_MIN = -17.4f;

  /** Below it log(1 + x) and exp(x) - 1 round to x. */
  static final float TINY_F = 0x1p-25f;

  /** Beyond it erf(x) rounds to 1. */
  static final float ERF_F_MAX = 4;

  /** Beyond it erfc(x) rounds to 0. */
  static final float ERFC_F_MAX = 10.2f;

  /** erfc(x) is exp(-x^2)/(x + c) times a polynomial in (x - c)/(x + c), with this c. */
  static final float ERFC_F_CENTRE = 3;

  /** As {@link #SQRT_HALF}. */
  static final int SQRT_HALF_F = 0x3f3504f3;

  static final int LOG_CARRY_F = 0x3f800000 - SQRT_HALF_F;
  static final int MANTISSA_F = 0x007fffff;
  static final int TWO23 = 0x4b000000;
  static final float TWO23_BIAS = 0x1p23f + 127;

  // exp(x) = 1 + x + x^2 p(x)
  static final float EXP_F0 = 0x1.fffffcp-2f;
  static final float EXP_F1 = 0x1.555492p-3f;
  static final float EXP_F2 = 0x1.5558aep-5f;
  static final float EXP_F3 = 0x1.123988p-7f;
  static final float EXP_F4 = 0x1.6a4f8cp-10f;
  // 2 atanh(s) = s (2 + s^2 p(s^2))
  static final float LG_F0 = 0x1.55557ap-1f;
  static final float LG_F1 = 0x1.995ed2p-2f;
  static final float LG_F2 = 0x1.31e134p-2f;
  // sin x = x + x^3 p(x^2)
  static final float SIN_F0 = -0x1.555546p-3f;
  static final float SIN_F1 = 0x1.11077cp-7f;
  static final float SIN_F2 = -0x1.9955cap-13f;
  // cos x = 1 - x^2/2 + x^4 p(x^2)
  static final float COS_F0 = 0x1.55554ap-5f;
  static final float COS_F1 = -0x1.6c0c1ap-10f;
  static final float COS_F2 = 0x1.99e0ecp-16f;
  // erf x = x + x p(x^2) for |x| < 1
  static final float ERF_F0 = 0x1.06eba8p-3f;
  static final float ERF_F1 = -0x1.81273ep-2f;
  static final float ERF_F2 = 0x1.ce2ce6p-4f;
  static final float ERF_F3 = -0x1.b7f71ap-6f;
  static final float ERF_F4 = 0x1.53f224p-8f;
  static final float ERF_F5 = -0x1.a3515ep-11f;
  static final float ERF_F6 = 0x1.4771fep-14f;
  static final float ERFC_F0 = 0x1.12f21ep+0f;
  static final float ERFC_F1 = -0x1.c44c48p-1f;
  static final float ERFC_F2 = 0x1.2e3258p-1f;
  static final float ERFC_F3 = -0x1.3deadep-2f;
  static final float ERFC_F4 = 0x1.e99bdcp-4f;
  static final float ERFC_F5 = -0x1.b7b30ap-6f;
  static final float ERFC_F6 = -0x1.44ea52p-10f;
  static final float ERFC_F7 = 0x1.92763cp-9f;
  static final float ERFC_F8 = -0x1.eecb94p-12f;
  static final float ERFC_F9 = -0x1.4b2be6p-12f;
  // asin x = x + x^3 p(x^2) for |x| < 1/2
  static final float ASIN_F0 = 0x1.5555c8p-3f;
  static final float ASIN_F1 = 0x1.330204p-4f;
  static final float ASIN_F2 = 0x1.747bb8p-5f;
  static final float ASIN_F3 = 0x1.8c3e5p-6f;
  static final float ASIN_F4 = 0x1.595c6p-5f;
  // atan x = x + x^3 p(x^2) for |x| < tan(pi/8)
  static final float ATAN_F0 = -0x1.55554ap-2f;
  static final float ATAN_F1 = 0x1.9991e2p-3f;
  static final float ATAN_F2 = -0x1.23b9a2p-3f;
  static final float ATAN_F3 = 0x1.b22454p-4f;
  static final float ATAN_F4 = -0x1.f2e58ap-5f;
  static final float TAN_PI_8_F = 0x1.a8279ap-2f;

  /** Largest x with finite sinh(x) and cosh(x). */
  static final float SINH_F_MAX = 89.415985f;

  private Coefficients() {}
}
