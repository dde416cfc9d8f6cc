package tapedeck.cpu.jit;

/**
 * Scalar instructions that the JVM has no bytecode or library method for; generated code calls
 * them.
 */
public final class Scalars {
  private Scalars() {}

  public static float sign(float x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
  }

  public static double sign(double x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
  }

  public static int sign(int x) {
    return Integer.signum(x);
  }

  public static int div(int a, int b) {
    return b == 0 ? 0 : a / b;
  }

  public static int rem(int a, int b) {
    return b == 0 ? 0 : a % b;
  }

  public static float floor(float x) {
    return (float) Math.floor(x);
  }

  public static double floor(double x) {
    return Math.floor(x);
  }

  public static float ceil(float x) {
    return (float) Math.ceil(x);
  }

  public static double ceil(double x) {
    return Math.ceil(x);
  }

  public static float round(float x) {
    return (float) Math.rint(x);
  }

  public static double round(double x) {
    return Math.rint(x);
  }

  public static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }

  public static double sqrt(double x) {
    return Math.sqrt(x);
  }

  public static float rsqrt(float x) {
    return 1f / (float) Math.sqrt(x);
  }

  public static double rsqrt(double x) {
    return 1 / Math.sqrt(x);
  }

  public static int umulhi(int a, int b) {
    return (int) (((a & 0xffffffffL) * (b & 0xffffffffL)) >>> 32);
  }

  public static int lt(float a, float b) {
    return a < b ? 1 : 0;
  }

  public static int lt(double a, double b) {
    return a < b ? 1 : 0;
  }

  public static int lt(int a, int b) {
    return a < b ? 1 : 0;
  }

  public static int le(float a, float b) {
    return a <= b ? 1 : 0;
  }

  public static int le(double a, double b) {
    return a <= b ? 1 : 0;
  }

  public static int le(int a, int b) {
    return a <= b ? 1 : 0;
  }

  public static int eq(float a, float b) {
    return a == b ? 1 : 0;
  }

  public static int eq(double a, double b) {
    return a == b ? 1 : 0;
  }

  public static int eq(int a, int b) {
    return a == b ? 1 : 0;
  }

  public static int ne(float a, float b) {
    return a != b ? 1 : 0;
  }

  public static int ne(double a, double b) {
    return a != b ? 1 : 0;
  }

  public static int ne(int a, int b) {
    return a != b ? 1 : 0;
  }

  public static float select(int c, float a, float b) {
    return c != 0 ? a : b;
  }

  public static double select(int c, double a, double b) {
    return c != 0 ? a : b;
  }

  public static int select(int c, int a, int b) {
    return c != 0 ? a : b;
  }

  public static int truth(float x) {
    return x != 0 ? 1 : 0;
  }

  public static int truth(double x) {
    return x != 0 ? 1 : 0;
  }

  public static int truth(int x) {
    return x != 0 ? 1 : 0;
  }
}
