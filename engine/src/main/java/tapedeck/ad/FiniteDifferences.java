package tapedeck.ad;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;
import tapedeck.ad.type.TapedeckException;

/**
 * Gradients by difference quotients, element by element: the plain way against which others are
 * measured. It needs no tape, only values of the function.
 */
public final class FiniteDifferences {
  /** Which quotient is taken. */
  public enum Scheme {
    /** {@code (f(x+h) - f(x)) / h}: error O(h), n+1 evaluations. */
    FORWARD,

    /** {@code (f(x+h) - f(x-h)) / 2h}: error O(h^2), 2n evaluations. */
    CENTRAL
  }

  /**
   * A gradient and its price.
   *
   * @param <A> a tensor or a pytree of tensors
   * @param gradient in the structure of the argument
   * @param evaluations how often the function was called
   */
  public record Result<A>(A gradient, long evaluations) {}

  private FiniteDifferences() {}

  /**
   * Gradient of a scalar function.
   *
   * @param <A> a float tensor or a pytree of them
   * @param f from a pytree of float tensors to a scalar tensor; {@code Ad.jit} makes it faster
   * @param x where the gradient is taken
   * @param scheme which quotient is taken
   * @param h step; it is rounded to what the element's type can represent, and one that vanishes so
   *     gives NaN or infinity
   * @return the gradient and the number of evaluations
   * @throws TapedeckException if the step is not positive
   * @throws ShapeException if the result is not a scalar
   * @throws tapedeck.ad.type.DTypeException if a tensor of the argument is not of a float type
   */
  @SuppressWarnings("unchecked")
  public static <A> Result<A> gradient(Fn1<A, Tensor> f, A x, Scheme scheme, double h) {
    if (!(h > 0)) {
      throw SourceLine.at(
          new TapedeckException("[finite differences] the step must be positive, not " + h));
    }
    Call.of("finite differences", Call.body(f), x).requireFloats();
    HostTree at = new HostTree(x);
    long evaluations = 0;
    double centre = 0;
    if (scheme == Scheme.FORWARD) {
      centre = value(f.apply(x));
      evaluations++;
    }
    List<double[]> gradient = new ArrayList<>();
    for (int leaf = 0; leaf < at.values.size(); leaf++) {
      double[] v = at.values.get(leaf);
      double[] g = new double[v.length];
      for (int k = 0; k < v.length; k++) {
        double x0 = v[k];
        // What is divided by is the step that was made, not the one that was meant.
        double hi = at.leaves.get(leaf).dtype().round(x0 + h);
        double lo = at.leaves.get(leaf).dtype().round(x0 - h);
        v[k] = hi;
        double above = value(f.apply((A) at.with(at.values)));
        evaluations++;
        switch (scheme) {
          case FORWARD -> g[k] = (above - centre) / (hi - x0);
          case CENTRAL -> {
            v[k] = lo;
            g[k] = (above - value(f.apply((A) at.with(at.values)))) / (hi - lo);
            evaluations++;
          }
        }
        v[k] = x0;
      }
      gradient.add(g);
    }
    return new Result<>((A) at.with(gradient), evaluations);
  }

  private static double value(Tensor y) {
    if (y.rank() != 0) {
      throw SourceLine.at(
          new ShapeException(
              "[finite differences] the function must return a scalar, not " + y.aval()));
    }
    return y.item();
  }
}
