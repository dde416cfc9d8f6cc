package tapedeck.cpu.selfcheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tapedeck.ad.Ad;
import tapedeck.ad.JitFn1;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/** Every row applied outside of transforms, at once, and compiled by {@code jit}. */
class EagerRowsTest {

  @TestFactory
  Stream<DynamicTest> interpreter() {
    return on("interp");
  }

  @TestFactory
  Stream<DynamicTest> cpu() {
    return on("cpu");
  }

  private static Stream<DynamicTest> on(String device) {
    return OpSamples.all().stream()
        .map(
            s ->
                DynamicTest.dynamicTest(
                    s.name(),
                    () ->
                        Ad.onDevice(
                            device,
                            () -> {
                              check(s);
                              return null;
                            })));
  }

  private static void check(OpSample s) {
    for (DType dtype : s.dtypes()) {
      for (Variant v : s.variants().subList(0, Math.min(3, s.variants().size()))) {
        try (var scope = Ad.scope()) {
          check(s, v, dtype);
        }
      }
    }
  }

  private static void check(OpSample s, Variant v, DType dtype) {
    List<double[]> in = Inputs.draw(v, dtype, new SplittableRandom(s.name().hashCode()));
    List<Tensor> args = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      args.add(
          Tensor.fromSegment(
              v.avals(dtype).get(i).dtype(),
              v.avals(dtype).get(i).shape(),
              DeviceRunner.encode(v.avals(dtype).get(i), in.get(i))));
    }
    Tapes.Traced traced = Tapes.of(v, dtype);
    double tolerance = 4 * s.slack() * (dtype == DType.FLOAT64 ? 1e-14 : 1e-6);
    Case expected =
        Case.of(
            "eager",
            v.label(),
            traced.tape(),
            traced.inputs(in),
            tolerance,
            dtype.isFloat() ? 1e-2 : 1);
    Tensor eager = v.fn().apply(args.toArray(Tensor[]::new));
    same(expected, s, dtype, eager);
    JitFn1<List<Tensor>, Tensor> jitted =
        Ad.jit((List<Tensor> a) -> v.fn().apply(a.toArray(Tensor[]::new)));
    same(expected, s, dtype, jitted.apply(args));
    assertEquals(1, jitted.compilations());
  }

  private static void same(Case expected, OpSample s, DType dtype, Tensor actual) {
    assertEquals(expected.tape().outputAvals().get(0), actual.aval());
    CheckResult r = expected.compare(s.name(), dtype, List.of(actual.toDoubleArray()));
    assertTrue(r.passed(), r::toString);
  }
}
