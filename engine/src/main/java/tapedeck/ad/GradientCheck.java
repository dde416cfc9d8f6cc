package tapedeck.ad;

import java.util.List;
import java.util.SplittableRandom;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.ValidationException;

/**
 * Compares derivatives with central differences along a random direction: forward mode with the
 * quotient, reverse mode with forward mode through {@code <u, Jv> = <J'u, v>}; then the same for
 * the derivatives themselves, up to an order.
 */
final class GradientCheck {
  private final double tolerance;
  private final SplittableRandom random = new SplittableRandom(20_011);

  private GradientCheck(double tolerance) {
    this.tolerance = tolerance;
  }

  static void check(Call.Body body, Object x, int orders, double tolerance) {
    Call.of("checkGrads", body, x).requireFloats();
    boolean single = new HostTree(x).leaves.stream().anyMatch(t -> t.dtype() == DType.FLOAT32);
    double tol = tolerance > 0 ? tolerance : single ? 2e-2 : 1e-6;
    new GradientCheck(tol).check(body, x, 1, orders, single ? 1e-2 : 1e-5);
  }

  private void check(Call.Body f, Object x, int order, int orders, double h) {
    HostTree at = new HostTree(x);
    List<double[]> v = at.direction(random);
    Object dx = at.with(v);
    HostTree up = new HostTree(Call.of("checkGrads", f, at.moved(v, h)).run());
    HostTree down = new HostTree(Call.of("checkGrads", f, at.moved(v, -h)).run());
    HostTree tangent = new HostTree(Gradients.jvp("checkGrads", f, x, dx).tangent());
    double scale = 1;
    double inner = 0;
    List<double[]> u = up.direction(random);
    for (int i = 0; i < up.values.size(); i++) {
      if (!up.leaves.get(i).dtype().isFloat()) {
        continue;
      }
      for (int k = 0; k < up.values.get(i).length; k++) {
        double quotient = (up.values.get(i)[k] - down.values.get(i)[k]) / (2 * h);
        double dot = tangent.values.get(i)[k];
        double allowed = tolerance * Math.max(1, Math.abs(quotient));
        if (!(Math.abs(quotient - dot) <= allowed)) {
          throw failed(
              "forward mode, order " + order + ", result " + i + ", element " + k,
              dot,
              quotient,
              allowed);
        }
        inner += u.get(i)[k] * dot;
        scale += Math.abs(u.get(i)[k] * dot);
      }
    }
    Object ct = up.with(u);
    HostTree back = new HostTree(Gradients.vjp("checkGrads", f, x).pullback().apply(ct));
    double outer = 0;
    for (int i = 0; i < back.values.size(); i++) {
      for (int k = 0; k < back.values.get(i).length; k++) {
        outer += back.values.get(i)[k] * v.get(i)[k];
      }
    }
    if (!(Math.abs(outer - inner) <= tolerance * scale)) {
      throw failed("reverse mode, order " + order, outer, inner, tolerance * scale);
    }
    if (order < orders) {
      check(a -> Gradients.jvp("checkGrads", f, a[0], dx).tangent(), x, order + 1, orders, h);
      check(
          a -> Gradients.vjp("checkGrads", f, a[0]).pullback().apply(ct), x, order + 1, orders, h);
    }
  }

  private static ValidationException failed(
      String what, double got, double expected, double allowed) {
    return new ValidationException(
        "[checkGrads] "
            + what
            + ": derivative "
            + got
            + ", expected "
            + expected
            + ", difference "
            + Math.abs(got - expected)
            + " > "
            + allowed);
  }
}
