package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/** The derivatives that are chosen where there is none, and what infinities and NaN do. */
public abstract class KinkTests extends DeviceTests {
  private static final float INF = Float.POSITIVE_INFINITY;

  /** Reverse-mode derivatives of an elementwise function, which forward mode must give too. */
  private static double[] slope(Fn1<Tensor, Tensor> f, float... x) {
    Tensor at = Tensor.of(x);
    Tensor reverse = Ad.grad((Tensor a) -> f.apply(a).sum()).apply(at);
    Tensor forward = Ad.jvp(f, at, at.onesLike()).tangent();
    assertClose(reverse, forward, 0);
    return reverse.toDoubleArray();
  }

  private static void slopes(double[] expected, Fn1<Tensor, Tensor> f, float... x) {
    double[] actual = slope(f, x);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], 1e-6, "at " + x[i]);
    }
  }

  @Test
  void reluAndAbsHaveDerivativeZeroAtZero() {
    slopes(new double[] {0, 0, 0, 1}, Tensor::relu, -1, 0, -0f, 1);
    slopes(new double[] {-1, 0, 0, 1}, Tensor::abs, -1, 0, -0f, 1);
    slopes(new double[] {0, 0, 0}, Tensor::sign, -1, 0, 1);
    slopes(new double[] {0, 0, 0}, Tensor::floor, -1, 0.5f, 1);
    slopes(new double[] {0, 0, 0}, Tensor::round, -1, 0.5f, 1);
  }

  @Test
  void softplusIsSmoothAtZero() {
    slopes(new double[] {0.5, 0.5}, Tensor::softplus, 0, -0f);
    Fn1<Tensor, Tensor> sum = a -> a.softplus().sum();
    assertClose(new double[] {0.25}, Ad.hessian(sum).apply(Tensor.of(0f)), 1e-6);
    assertTrue(Double.isNaN(Tensor.of(Float.NaN).softplus().item()));
    slopes(new double[] {0, 1}, Tensor::softplus, -INF, INF);
  }

  @Test
  void tiesShareTheDerivative() {
    slopes(new double[] {0, .5, 1}, a -> a.maximum(1), 0, 1, 2);
    slopes(new double[] {1, .5, 0}, a -> a.minimum(1), 0, 1, 2);
    slopes(new double[] {0, .5, 1, .5, 0}, a -> a.clamp(-1, 1), -2, -1, 0, 1, 2);
    slopes(new double[] {1}, a -> a.maximum(a), 3);
    Tensor x = Tensor.of(3f, 1f, 3f, 3f);
    assertClose(
        new double[] {1 / 3., 0, 1 / 3., 1 / 3.}, Ad.grad((Tensor a) -> a.max()).apply(x), 1e-6);
    assertClose(new double[] {0, 1, 0, 0}, Ad.grad((Tensor a) -> a.min()).apply(x), 1e-6);
  }

  @Test
  void rootsAtZero() {
    slopes(new double[] {INF, 0.5}, Tensor::sqrt, 0, 1);
    assertTrue(Double.isNaN(slope(a -> a.square().sqrt(), 0)[0]));
    slopes(new double[] {1, -1}, a -> a.asin().mul(0).add(a.abs()), 0.5f, -0.5f);
    assertEquals(INF, slope(Tensor::asin, 1)[0]);
    assertEquals(-INF, slope(Tensor::acos, 1)[0]);
    assertEquals(INF, slope(Tensor::log, 0)[0]);
  }

  @Test
  void powersAtZero() {
    slopes(new double[] {0, 0, 12}, a -> a.pow(Tensor.of(2f, 2f, 3f)), 0, -0f, 2);
    slopes(new double[] {1}, a -> a.pow(Tensor.of(1f)), 0);
    slopes(new double[] {0}, a -> a.pow(Tensor.of(0f)), 0);
    assertEquals(INF, slope(a -> a.pow(Tensor.of(0.5f)), 0)[0]);
    slopes(new double[] {-6, 12}, a -> a.pow(Tensor.of(2f, 3f)), -3, -2);
    // With respect to the exponent, at base 0.
    slopes(new double[] {0, 0}, e -> Tensor.of(0f, 0f).pow(e), 2, 0);
    slopes(new double[] {4 * Math.log(2)}, e -> Tensor.of(2f).pow(e), 2);
    Fn1<Tensor, Tensor> square = a -> a.pow(Tensor.of(2f)).sum();
    assertClose(new double[] {2}, Ad.hessian(square).apply(Tensor.of(0f)), 1e-6);
  }

  @Test
  void aBranchThatIsNotChosenGivesZeroTimesItsDerivative() {
    // 0 / 0 in reverse mode is the documented trap; forward mode never multiplies the other branch.
    Fn1<Tensor, Tensor> trap = a -> a.gt(0).where(a.log(), a.zerosLike());
    Tensor zero = Tensor.of(0f);
    assertEquals(0, trap.apply(zero).item(), 0);
    assertTrue(Double.isNaN(Ad.grad((Tensor a) -> trap.apply(a).sum()).apply(zero).item()));
    assertEquals(0, Ad.jvp(trap, zero, zero.onesLike()).tangent().item(), 0);
    Fn1<Tensor, Tensor> safe =
        a -> a.gt(0).where(a.gt(0).where(a, a.onesLike()).log(), a.zerosLike());
    slopes(new double[] {0, 0, 0.5}, safe, -1, 0, 2);
  }

  @Test
  void notANumberPropagates() {
    Tensor x = Tensor.of(1f, Float.NaN, 3f);
    assertTrue(Double.isNaN(x.sum().item()));
    assertTrue(Double.isNaN(x.max().item()));
    assertTrue(Double.isNaN(x.min().item()));
    assertEquals(1, x.argmax(0).item());
    assertEquals(1, x.argmin(0).item());
    assertTrue(Double.isNaN(x.softmax(0).toDoubleArray()[0]));
    assertTrue(Double.isNaN(x.maximum(5).toDoubleArray()[1]));
    assertTrue(Double.isNaN(x.relu().toDoubleArray()[1]));
  }

  @Test
  void infinitiesStayStable() {
    Tensor x = Tensor.of(-INF, 0f, 1000f);
    assertClose(new double[] {0, 0, 1}, x.softmax(0), 0);
    assertEquals(1000, x.logSumExp().item(), 0);
    assertEquals(Double.NEGATIVE_INFINITY, Tensor.of(-INF, -INF).logSumExp().item());
    assertEquals(Double.POSITIVE_INFINITY, Tensor.of(INF, 0f).logSumExp().item());
    assertClose(new double[] {0, 0, 1}, Ad.grad((Tensor a) -> a.logSumExp()).apply(x), 0);
    slopes(new double[] {0, 1}, Tensor::softplus, -1000, 1000);
    slopes(new double[] {0, 0}, Tensor::sigmoid, -1000, 1000);
    slopes(new double[] {0, 0}, Tensor::tanh, -1000, 1000);
  }

  @Test
  void productsWithZerosAreDifferentiatedExactly() {
    Fn1<Tensor, Tensor> prod = a -> a.prod();
    assertClose(new double[] {0, 6, 0}, Ad.grad(prod).apply(Tensor.of(2f, 0f, 3f)), 1e-6);
    assertClose(new double[] {0, 0, 0}, Ad.grad(prod).apply(Tensor.of(0f, 0f, 3f)), 0);
    assertClose(
        new double[] {0, 3, 0, 3, 0, 0, 0, 0, 0},
        Ad.hessian(prod).apply(Tensor.of(0f, 0f, 3f)),
        1e-6);
  }

  @Test
  void emptyReductions() {
    Tensor e = Tensor.zeros(DType.FLOAT32, 0, 3);
    assertClose(new double[] {0, 0, 0}, e.sum(0), 0);
    assertClose(new double[] {1, 1, 1}, e.prod(0), 0);
    assertEquals(Double.NEGATIVE_INFINITY, e.max(0).toDoubleArray()[0]);
    assertEquals(Double.POSITIVE_INFINITY, e.min(0).toDoubleArray()[0]);
    assertTrue(Double.isNaN(e.mean().item()));
    assertEquals(0, Ad.grad((Tensor a) -> a.sum()).apply(e).size());
  }
}
