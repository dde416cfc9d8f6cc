package tapedeck.bench.work;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn1;
import tapedeck.ad.JitFn2;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.report.Stats;

/** Costs that can be counted by hand, and functions whose results are known another way. */
class WorkTest {
  private static List<KernelCost> costs(Schedule s) {
    return s.launches().stream().map(l -> KernelCost.of(l.kernel())).toList();
  }

  private static KernelCost cost(Fn1<Tensor, Tensor> f, Tensor x) {
    JitFn1<Tensor, Tensor> jit = Ad.jit(f);
    jit.apply(x).close();
    List<KernelCost> c = costs(jit.schedule());
    assertEquals(1, c.size(), jit.explain());
    return c.get(0);
  }

  @Test
  void bytesAndOperationsOfKernels() {
    Tensor x = Tensor.ones(DType.FLOAT32, 30, 50).add(1);
    KernelCost negated = cost(Tensor::neg, x);
    assertEquals(2 * 30 * 50 * 4, negated.bytes());
    assertEquals(30 * 50, negated.operations());
    assertEquals(12 * 30 * 50, cost(Tensor::exp, x).operations());
    KernelCost sum = cost(t -> t.sum(1), x);
    assertEquals((30 * 50 + 30) * 4, sum.bytes());
    assertEquals(30 * 50, sum.operations());
  }

  @Test
  void aProductHasTwoOperationsPerTerm() {
    JitFn2<Tensor, Tensor, Tensor> jit = Ad.jit((Fn2<Tensor, Tensor, Tensor>) Tensor::matmul);
    Tensor a = Tensor.ones(DType.FLOAT64, 20, 30).add(1);
    Tensor b = Tensor.ones(DType.FLOAT64, 30, 40).add(1);
    jit.apply(a, b).close();
    KernelCost c = costs(jit.schedule()).get(0);
    assertEquals(2 * 20 * 30 * 40, c.operations());
    assertEquals((20 * 30 + 30 * 40 + 20 * 40) * 8, c.bytes());
    assertTrue(c.product());
    assertTrue(c.float64());
  }

  @Test
  void theBoundIsTheSlowerOfMemoryAndArithmetic() {
    Limits l = new Limits(100, 10, 20, 5, 8);
    assertEquals(2, l.seconds(new KernelCost(200, 10, false, false)));
    assertEquals(3, l.seconds(new KernelCost(200, 30, false, false)));
    assertEquals(1.5, l.seconds(new KernelCost(0, 30, true, false)));
    assertEquals(6, l.seconds(new KernelCost(0, 30, false, true)));
    assertEquals(
        5,
        KernelCost.bound(
            List.of(new KernelCost(200, 0, false, false), new KernelCost(0, 30, false, false)), l));
  }

  @Test
  void limitsAreMeasured() {
    Limits l = Limits.measure(List.of("cpu"), 1).get("cpu");
    // No processor that runs this does less than a thousandth or more than a thousandfold.
    assertTrue(l.bytesPerSecond() > 1e8 && l.bytesPerSecond() < 1e13, l.toString());
    assertTrue(l.operations() > 1e8 && l.operations() < 1e13, l.toString());
    assertTrue(l.fused() >= l.operations() / 2 && l.fused() < 1e13, l.toString());
    assertTrue(l.fused64() > 1e8 && l.fused64() < 1e13, l.toString());
  }

  private static Map<String, double[]> values(Workload w) {
    Map<String, double[]> out = new HashMap<>();
    List<Tensor> operands = new ArrayList<>();
    Ad.onDevice(
        "cpu",
        () -> {
          var lines =
              w.lines(
                  n -> {
                    Tensor t = w.data().get(n).tensor();
                    operands.add(t);
                    return t;
                  });
          for (Line l : lines) {
            l.once();
            assertTrue(l.name().startsWith(w.name() + "/"), l.name());
            assertTrue(l.schedule().get().launches().size() > 0);
            out.put(l.name(), l.values().get());
          }
          return null;
        });
    operands.forEach(Tensor::close);
    return out;
  }

  @Test
  void blackScholesHasKnownValuesAndGreeks() {
    int n = 50;
    BlackScholes w = new BlackScholes(n);
    Map<String, double[]> v = values(w);
    double[] price = v.get("black-scholes/price");
    double[] gradient = v.get("black-scholes/gradient");
    double[] greeks = v.get("black-scholes/greeks");
    assertEquals(6 * n, greeks.length);
    float[][] in = new float[5][];
    String[] names = {"spot", "strike", "time", "rate", "volatility"};
    for (int i = 0; i < 5; i++) {
      in[i] = (float[]) w.data().get("black-scholes/" + names[i]).array();
    }
    for (int i = 0; i < n; i++) {
      double root = Math.sqrt(in[2][i]);
      double d1 =
          (Math.log((double) in[0][i] / in[1][i])
                  + (in[3][i] + 0.5 * in[4][i] * in[4][i]) * in[2][i])
              / (in[4][i] * root);
      double density = Math.exp(-0.5 * d1 * d1) / Math.sqrt(2 * Math.PI);
      // Vega and gamma have closed forms; delta is between 0 and 1.
      assertEquals(in[0][i] * density * root, greeks[2 * n + i], 1e-3);
      assertEquals(density / (in[0][i] * in[4][i] * root), greeks[5 * n + i], 1e-5);
      assertTrue(greeks[n + i] > 0 && greeks[n + i] < 1);
      assertEquals(price[i], greeks[i], 1e-4);
      assertEquals(gradient[n + i], greeks[n + i], 1e-6);
    }
  }

  @Test
  void perExampleGradientsAddUp() {
    Map<String, double[]> v = values(new PerExample(64));
    double error = Stats.normwiseError(v.get("per-example/gradients"), v.get("per-example/summed"));
    assertTrue(error < 1e-5, "error " + error);
    assertEquals(64 * 113, v.get("per-example/write").length);
  }

  @Test
  void elementwiseFunctionsHaveKnownValues() {
    Elementwise w = new Elementwise(100);
    Map<String, double[]> v = values(w);
    float[] x = (float[]) w.data().get("elementwise/x").array();
    for (int i = 0; i < x.length; i++) {
      assertEquals(2.0 * x[i] + 1, v.get("elementwise/scale-shift")[i], 1e-6);
      assertEquals(Math.log1p(Math.exp(x[i])), v.get("elementwise/softplus")[i], 1e-6);
      double t = Math.tanh(1.5 * x[i]);
      assertEquals(t + 1.5 * x[i] * (1 - t * t), v.get("elementwise/tanh-gradient")[i], 1e-5);
    }
    assertEquals(3 * x.length, v.get("elementwise/adam").length);
  }

  @Test
  void rowsHaveKnownSums() {
    Map<String, double[]> v = values(new Rows(64));
    double[] softmax = v.get("rows/softmax");
    double[] norm = v.get("rows/layer-norm");
    assertEquals(64 * 64, norm.length);
    double sum = 0;
    for (int i = 0; i < 64; i++) {
      sum += softmax[64 * 7 + i];
    }
    assertEquals(1, sum, 1e-5);
    double first = java.util.Arrays.stream(v.get("rows/sum-first")).sum();
    assertEquals(first, java.util.Arrays.stream(v.get("rows/sum-last")).sum(), 1e-2);
    assertEquals(first, java.util.Arrays.stream(v.get("rows/sum-middle")).sum(), 1e-2);
    assertArrayEquals(new int[] {256, 256, 256}, Rows.middle(4096L * 4096));
  }

  @Test
  void theWideNetworkLearnsAtEachPrecision() {
    Map<String, double[]> v = values(MlpWork.wide(16, 8));
    assertEquals(3, v.size());
    double[] exact = v.get("mlp-wide/step");
    assertTrue(exact[2] < exact[0], "losses " + java.util.Arrays.toString(exact));
    assertTrue(Stats.normwiseError(v.get("mlp-wide/step-default"), exact) < 1e-2);
    assertTrue(Stats.normwiseError(v.get("mlp-wide/step-high"), exact) < 1e-5);
  }

  @Test
  void productsOfStoredTransposesAgree() {
    Products p = Products.small();
    Map<String, double[]> v = values(p);
    assertEquals(6, v.size());
    for (String line : v.keySet()) {
      double[] c = v.get(line);
      String name = line.replaceFirst("-(high|default|bfloat16)$", "");
      HostTensor a = p.data().get(name + "/a");
      HostTensor b = p.data().get(name + "/b");
      boolean ta = name.endsWith("-tn");
      boolean tb = name.endsWith("-nt");
      int m = a.shape()[ta ? 1 : 0];
      int k = a.shape()[ta ? 0 : 1];
      int n = b.shape()[tb ? 0 : 1];
      assertEquals(m * n, c.length, name);
      double sum = 0;
      for (int i = 0; i < k; i++) {
        sum += at(a, ta ? i * m + 1 : k + i) * at(b, tb ? 2 * k + i : i * n + 2);
      }
      assertEquals(sum, c[n + 2], 1e-4, name);
    }
  }

  private static double at(HostTensor t, int i) {
    return t.array() instanceof float[] f ? f[i] : ((double[]) t.array())[i];
  }

  @Test
  void longResultsAreThinned() {
    double[] a = new double[1 << 20];
    assertEquals(1 << 20, Line.thin(List.of(a)).length);
    double[] b = new double[300];
    b[0] = 7;
    double[] both = Line.thin(List.of(b, a));
    assertEquals(7, both[0]);
    assertEquals(((1 << 20) + 300 + 256) / 257, both.length);
  }

  @Test
  void kernelsAreTimedOneByOne() {
    JitFn1<Tensor, Tensor> f = Ad.jit((Fn1<Tensor, Tensor>) t -> t.matmul(t).matmul(t).exp());
    Ad.onDevice(
        "cpu",
        () -> {
          f.apply(Tensor.eye(DType.FLOAT32, 8)).close();
          KernelTimes.Times t = KernelTimes.measure(Devices.open("cpu"), f.schedule());
          assertEquals("host", t.source());
          assertEquals(f.kernels(), t.seconds().length);
          for (double s : t.seconds()) {
            assertTrue(s > 0 && s < 1, "seconds " + s);
          }
          return null;
        });
  }
}
