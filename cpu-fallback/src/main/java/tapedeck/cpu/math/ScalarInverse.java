package tapedeck.cpu.math;

import static tapedeck.cpu.math.Coefficients.ASIN0;
import static tapedeck.cpu.math.Coefficients.ASIN1;
import static tapedeck.cpu.math.Coefficients.ASIN10;
import static tapedeck.cpu.math.Coefficients.ASIN11;
import static tapedeck.cpu.math.Coefficients.ASIN12;
import static tapedeck.cpu.math.Coefficients.ASIN2;
import static tapedeck.cpu.math.Coefficients.ASIN3;
import static tapedeck.cpu.math.Coefficients.ASIN4;
import static tapedeck.cpu.math.Coefficients.ASIN5;
import static tapedeck.cpu.math.Coefficients.ASIN6;
import static tapedeck.cpu.math.Coefficients.ASIN7;
import static tapedeck.cpu.math.Coefficients.ASIN8;
import static tapedeck.cpu.math.Coefficients.ASIN9;
import static tapedeck.cpu.math.Coefficients.ASIN_F0;
import static tapedeck.cpu.math.Coefficients.ASIN_F1;
import static tapedeck.cpu.math.Coefficients.ASIN_F2;
import static tapedeck.cpu.math.Coefficients.ASIN_F3;
import static tapedeck.cpu.math.Coefficients.ASIN_F4;
import static tapedeck.cpu.math.Coefficients.ATAN0;
import static tapedeck.cpu.math.Coefficients.ATAN1;
import static tapedeck.cpu.math.Coefficients.ATAN10;
import static tapedeck.cpu.math.Coefficients.ATAN2;
import static tapedeck.cpu.math.Coefficients.ATAN3;
import static tapedeck.cpu.math.Coefficients.ATAN4;
import static tapedeck.cpu.math.Coefficients.ATAN5;
import static tapedeck.cpu.math.Coefficients.ATAN6;
import static tapedeck.cpu.math.Coefficients.ATAN7;
import static tapedeck.cpu.math.Coefficients.ATAN8;
import static tapedeck.cpu.math.Coefficients.ATAN9;
import static tapedeck.cpu.math.Coefficients.ATAN_F0;
import static tapedeck.cpu.math.Coefficients.ATAN_F1;
import static tapedeck.cpu.math.Coefficients.ATAN_F2;
import static tapedeck.cpu.math.Coefficients.ATAN_F3;
import static tapedeck.cpu.math.Coefficients.ATAN_F4;
import static tapedeck.cpu.math.Coefficients.PIO2_1;
import static tapedeck.cpu.math.Coefficients.PIO2_2;
import static tapedeck.cpu.math.Coefficients.PIO2_F1;
import static tapedeck.cpu.math.Coefficients.PIO2_F2;
import static tapedeck.cpu.math.Coefficients.TAN_PI_8;
import static tapedeck.cpu.math.Coefficients.TAN_PI_8_F;

/**
 * Inverse trigonometric functions of single values in both types. asin beyond 1/2 is pi/2 - 2
 * asin(sqrt((1 - x)/2)); atan is that of -1/x or of (x - 1)/(x + 1) beyond tan(3 pi/8) or
 * tan(pi/8), as in Cody and Waite. What is large, a multiple of pi/4, has two parts and is added
 * last.
 */
final class ScalarInverse {
  private ScalarInverse() {}

  /** asin(x) for |x| of 1/2 at most, otherwise asin(sqrt((1 - |x|)/2)). */
  private static double nearAsin(double a) {
    boolean far = a > 0.5;
    double z = far ? (1 - a) * 0.5 : a * a;
    double s = far ? Math.sqrt(z) : a;
    double p = ASIN12;
    p = Math.fma(p, z, ASIN11);
    p = Math.fma(p, z, ASIN10);
    p = Math.fma(p, z, ASIN9);
    p = Math.fma(p, z, ASIN8);
    p = Math.fma(p, z, ASIN7);
    p = Math.fma(p, z, ASIN6);
    p = Math.fma(p, z, ASIN5);
    p = Math.fma(p, z, ASIN4);
    p = Math.fma(p, z, ASIN3);
    p = Math.fma(p, z, ASIN2);
    p = Math.fma(p, z, ASIN1);
    p = Math.fma(p, z, ASIN0);
    return Math.fma(s * z, p, s);
  }

  static double asin(double x) {
    double a = Math.abs(x);
    double v = nearAsin(a);
    return Math.copySign(a > 0.5 ? PIO2_1 - Math.fma(2, v, -PIO2_2) : v, x);
  }

  static double acos(double x) {
    double a = Math.abs(x);
    boolean far = a > 0.5;
    double v = nearAsin(a);
    double signed = (x < 0) == far ? v : -v;
    boolean turn = !far || x < 0;
    double r = (turn ? PIO2_1 : 0) - (signed - (turn ? PIO2_2 : 0));
    return far ? r + r : r;
  }

  /** atan(y) - y for |y| of tan(pi/8) at most. */
  private static double atanTail(double y) {
    double z = y * y;
    double p = ATAN10;
    p = Math.fma(p, z, ATAN9);
    p = Math.fma(p, z, ATAN8);
    p = Math.fma(p, z, ATAN7);
    p = Math.fma(p, z, ATAN6);
    p = Math.fma(p, z, ATAN5);
    p = Math.fma(p, z, ATAN4);
    p = Math.fma(p, z, ATAN3);
    p = Math.fma(p, z, ATAN2);
    p = Math.fma(p, z, ATAN1);
    p = Math.fma(p, z, ATAN0);
    return y * z * p;
  }

  static double atan(double x) {
    double a = Math.abs(x);
    boolean mid = a > TAN_PI_8;
    boolean far = a > 1 / TAN_PI_8;
    double y = (far ? -1 : mid ? a - 1 : a) / (far ? a : mid ? a + 1 : 1);
    double high = far ? PIO2_1 : mid ? PIO2_1 * 0.5 : 0;
    double low = far ? PIO2_2 : mid ? PIO2_2 * 0.5 : 0;
    return Math.copySign(high + (y + (atanTail(y) + low)), x);
  }

  static double atan2(double y, double x) {
    double ay = Math.abs(y);
    double ax = Math.abs(x);
    boolean steep = ay > ax;
    double most = steep ? ay : ax;
    double least = steep ? ax : ay;
    // neither the sum below overflows nor is a quotient of infinities or of zeros taken
    double scale = most > 0x1p1000 ? 0.25 : 1;
    most *= scale;
    least *= scale;
    boolean mid = least > TAN_PI_8 * most || least == Double.POSITIVE_INFINITY;
    double over = mid ? least - most : least;
    over = least == most ? 0 : over;
    double under = mid ? least + most : most;
    under = most == 0 ? 1 : under;
    double q = over / under;
    double v = q + atanTail(q);
    double k = mid ? 1 : 0;
    k = steep ? 2 - k : k;
    v = steep ? -v : v;
    boolean back = Double.doubleToRawLongBits(x) < 0;
    k = back ? 4 - k : k;
    v = back ? -v : v;
    // k quarters of pi, in two parts
    double high = k * (PIO2_1 * 0.5);
    double low = Math.fma(k, PIO2_2 * 0.5, Math.fma(k, PIO2_1 * 0.5, -high));
    double r = high + (v + low);
    r = Math.copySign(r, y);
    return Double.isNaN(x) || Double.isNaN(y) ? Double.NaN : r;
  }

  /** asin(x) for |x| of 1/2 at most, otherwise asin(sqrt((1 - |x|)/2)). */
  private static float nearAsin(float a) {
    boolean far = a > 0.5f;
    float z = far ? (1 - a) * 0.5f : a * a;
    float s = far ? (float) Math.sqrt(z) : a;
    float p = ASIN_F4;
    p = Math.fma(p, z, ASIN_F3);
    p = Math.fma(p, z, ASIN_F2);
    p = Math.fma(p, z, ASIN_F1);
    p = Math.fma(p, z, ASIN_F0);
    return Math.fma(s * z, p, s);
  }

  static float asin(float x) {
    float a = Math.abs(x);
    float v = nearAsin(a);
    return Math.copySign(a > 0.5f ? PIO2_F1 - Math.fma(2, v, -PIO2_F2) : v, x);
  }

  static float acos(float x) {
    float a = Math.abs(x);
    boolean far = a > 0.5f;
    float v = nearAsin(a);
    float signed = (x < 0) == far ? v : -v;
    boolean turn = !far || x < 0;
    float r = (turn ? PIO2_F1 : 0) - (signed - (turn ? PIO2_F2 : 0));
    return far ? r + r : r;
  }

  /** atan(y) - y for |y| of tan(pi/8) at most. */
  private static float atanTail(float y) {
    float z = y * y;
    float p = ATAN_F4;
    p = Math.fma(p, z, ATAN_F3);
    p = Math.fma(p, z, ATAN_F2);
    p = Math.fma(p, z, ATAN_F1);
    p = Math.fma(p, z, ATAN_F0);
    return y * z * p;
  }

  static float atan(float x) {
    float a = Math.abs(x);
    boolean mid = a > TAN_PI_8_F;
    boolean far = a > 1 / TAN_PI_8_F;
    float y = (far ? -1 : mid ? a - 1 : a) / (far ? a : mid ? a + 1 : 1);
    float high = far ? PIO2_F1 : mid ? PIO2_F1 * 0.5f : 0;
    float low = far ? PIO2_F2 : mid ? PIO2_F2 * 0.5f : 0;
    return Math.copySign(high + (y + (atanTail(y) + low)), x);
  }

  static float atan2(float y, float x) {
    float ay = Math.abs(y);
    float ax = Math.abs(x);
    boolean steep = ay > ax;
    float most = steep ? ay : ax;
    float least = steep ? ax : ay;
    // neither the sum below overflows nor is a quotient of infinities or of zeros taken
    float scale = most > 0x1p125f ? 0.25f : 1;
    most *= scale;
    least *= scale;
    boolean mid = least > TAN_PI_8_F * most || least == Float.POSITIVE_INFINITY;
    float over = mid ? least - most : least;
    over = least == most ? 0 : over;
    float under = mid ? least + most : most;
    under = most == 0 ? 1 : under;
    float q = over / under;
    float v = q + atanTail(q);
    float k = mid ? 1 : 0;
    k = steep ? 2 - k : k;
    v = steep ? -v : v;
    boolean back = Float.floatToRawIntBits(x) < 0;
    k = back ? 4 - k : k;
    v = back ? -v : v;
    // k quarters of pi, in two parts
    float high = k * (PIO2_F1 * 0.5f);
    float low = Math.fma(k, PIO2_F2 * 0.5f, Math.fma(k, PIO2_F1 * 0.5f, -high));
    float r = high + (v + low);
    r = Math.copySign(r, y);
    return Float.isNaN(x) || Float.isNaN(y) ? Float.NaN : r;
  }
}
