package tapedeck.cpu.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.hipparchus.analysis.differentiation.DSFactory;
import org.hipparchus.analysis.differentiation.DerivativeStructure;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.tensor.Tensor;

/** Derivatives of orders 1 to 4 against Hipparchus' {@link DerivativeStructure}. */
class HigherDerivativesTest {
  private static final int ORDER = 4;

  private record Function(
      String name,
      Fn1<Tensor, Tensor> ours,
      UnaryOperator<DerivativeStructure> theirs,
      double... points) {}

  private static Stream<Function> functions() {
    return Stream.of(
        new Function("exp", Tensor::exp, DerivativeStructure::exp, -1, 0, 2),
        new Function("expm1", Tensor::expm1, DerivativeStructure::expm1, -1, 0.1),
        new Function("log", Tensor::log, DerivativeStructure::log, 0.5, 3),
        new Function("log1p", Tensor::log1p, DerivativeStructure::log1p, -0.5, 2),
        new Function("sqrt", Tensor::sqrt, DerivativeStructure::sqrt, 0.5, 3),
        new Function("rsqrt", Tensor::rsqrt, x -> x.sqrt().reciprocal(), 0.5, 3),
        new Function("reciprocal", Tensor::reciprocal, DerivativeStructure::reciprocal, -0.7, 2),
        new Function("sin", Tensor::sin, DerivativeStructure::sin, 0, 1, 3),
        new Function("cos", Tensor::cos, DerivativeStructure::cos, 0, 1, 3),
        new Function("tan", Tensor::tan, DerivativeStructure::tan, 0, 1),
        new Function("asin", Tensor::asin, DerivativeStructure::asin, 0, 0.6),
        new Function("acos", Tensor::acos, DerivativeStructure::acos, 0, -0.6),
        new Function("atan", Tensor::atan, DerivativeStructure::atan, 0, -2),
        new Function("sinh", Tensor::sinh, DerivativeStructure::sinh, 0, 1.5),
        new Function("cosh", Tensor::cosh, DerivativeStructure::cosh, 0, 1.5),
        new Function("tanh", Tensor::tanh, DerivativeStructure::tanh, 0, -1.5),
        new Function("sigmoid", Tensor::sigmoid, x -> x.negate().exp().add(1).reciprocal(), 0, 2),
        new Function("square", Tensor::square, x -> x.multiply(x), 0, 3),
        new Function("pow 3.5", x -> x.pow(3.5), x -> x.pow(3.5), 0.7, 2),
        new Function("pow 3", x -> x.pow(3), x -> x.pow(3), 0, -2),
        new Function(
            "2^x", x -> Tensor.scalar(2.0).pow(x), x -> x.multiply(Math.log(2)).exp(), 0, 3),
        new Function("softplus", Tensor::softplus, x -> x.exp().add(1).log(), 0.5, -2),
        new Function(
            "normal density",
            Tensor::normalPdf,
            x -> x.multiply(x).multiply(-0.5).exp().divide(Math.sqrt(2 * Math.PI)),
            0,
            1.5),
        new Function(
            "atan2",
            x -> x.atan2(x.square().add(1)),
            x -> DerivativeStructure.atan2(x, x.multiply(x).add(1)),
            0.3,
            -1),
        new Function(
            "a composition",
            x -> x.sin().mul(x.exp()).div(x.square().add(1)).tanh(),
            x -> x.sin().multiply(x.exp()).divide(x.multiply(x).add(1)).tanh(),
            0.3,
            -1));
  }

  @TestFactory
  Stream<DynamicTest> agreeWithTaylorArithmetic() {
    return functions().map(f -> DynamicTest.dynamicTest(f.name(), () -> check(f)));
  }

  private static void check(Function f) {
    DSFactory factory = new DSFactory(1, ORDER);
    for (double at : f.points()) {
      DerivativeStructure expected = f.theirs().apply(factory.variable(0, at));
      Tensor x = Tensor.scalar(at);
      Fn1<Tensor, Tensor> derivative = f.ours();
      for (int order = 1; order <= ORDER; order++) {
        Fn1<Tensor, Tensor> g = derivative;
        // Modes alternate, so every nesting of the two occurs.
        derivative = order % 2 == 1 ? Ad.grad(g) : a -> Ad.jvp(g, a, a.onesLike()).tangent();
        double e = expected.getPartialDerivative(order);
        double actual = derivative.apply(x).item();
        assertEquals(e, actual, 1e-10 * (1 + Math.abs(e)), "order " + order + " at " + at);
      }
    }
  }
}
