package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.JitFn3;
import tapedeck.ad.RandomKey;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.run.ScheduleText;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.testkit.TransformTests.Mlp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.Shape;

/** Fusion, the memory plan, donation, and replaying of compiled steps, on one device. */
public abstract class ReplayTests extends DeviceTests {

  private static int kernels(Fn1<Tensor, Tensor> f, Tensor x) {
    JitFn1<Tensor, Tensor> j = Ad.jit(f);
    j.apply(x).close();
    return j.kernels();
  }

  /** Scalar instructions of this kind in all kernels of a compiled function. */
  private static long count(ScalarOp op, Schedule schedule) {
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Schedule.Launch l : schedule.launches()) {
      for (Phase p : l.kernel().phases()) {
        if (p instanceof Phase.Emit e) {
          e.stores().forEach(s -> collect(s.value(), seen));
        }
      }
    }
    return seen.stream().filter(e -> e instanceof Expr.Apply a && a.op() == op).count();
  }

  private static void collect(Expr e, Set<Expr> seen) {
    if (seen.add(e)) {
      e.children().forEach(c -> collect(c, seen));
    }
  }

  @Test
  void derivativesShareReciprocalsAndSignsLeaveProducts() {
    record Both(Tensor p, Tensor q) {}
    Tensor q = floats(2, 40).square().add(0.5);
    JitFn1<Both, Both> g =
        Ad.jit(Ad.<Both>grad(b -> b.p().div(b.q()).add(b.q().log()).square().sum()));
    Both r = g.apply(new Both(floats(1, 40), q));
    assertEquals(2, count(ScalarOp.DIV, g.schedule()), "p/q and 1/q");
    assertEquals(0, count(ScalarOp.NEG, g.schedule()), "what is negated is added");
    double[] p = floats(1, 40).toDoubleArray();
    double[] d = q.toDoubleArray();
    double[] dp = new double[40];
    double[] dq = new double[40];
    for (int i = 0; i < 40; i++) {
      double twice = 2 * (p[i] / d[i] + Math.log(d[i]));
      dp[i] = twice / d[i];
      dq[i] = twice * (1 - p[i] / d[i]) / d[i];
    }
    assertClose(dp, r.p(), 1e-4);
    assertClose(dq, r.q(), 1e-4);
  }

  @Test
  void longSumsWithAVectorAreSplit() {
    int deep = 40_000;
    Tensor v = floats(1, deep);
    Tensor tall = floats(2, deep, 3);
    Tensor wide = floats(3, 3, deep);
    List<Fn1<Tensor, Tensor>> products =
        List.of(
            x -> x.matmul(tall),
            x -> wide.matmul(x),
            x -> tall.t().matmul(x),
            x -> x.matmul(wide.t()),
            x -> x.matmul(x));
    double[] a = v.toDoubleArray();
    double[] down = new double[3];
    double[] along = new double[3];
    double square = 0;
    double[] t = tall.toDoubleArray();
    double[] w = wide.toDoubleArray();
    for (int i = 0; i < deep; i++) {
      for (int j = 0; j < 3; j++) {
        down[j] += a[i] * t[3 * i + j];
        along[j] += w[j * deep + i] * a[i];
      }
      square += a[i] * a[i];
    }
    double[][] expected = {down, along, down, along, {square}};
    for (int i = 0; i < expected.length; i++) {
      JitFn1<Tensor, Tensor> f = Ad.jit(products.get(i));
      assertClose(expected[i], f.apply(v).reshape(expected[i].length), 2e-2);
      assertEquals(2, f.kernels(), "product " + i);
    }
    Tensor both = Tensor.stack(0, v.expandDims(0), v.expandDims(0).mul(2));
    double[] twice = {down[0], down[1], down[2], 2 * down[0], 2 * down[1], 2 * down[2]};
    Tensor batched = both.matmul(Tensor.stack(0, tall, tall));
    assertEquals(Shape.of(2, 1, 3), batched.shape());
    assertClose(twice, batched.reshape(6), 4e-2);
  }

  @Test
  void whatFusesIntoOneKernel() {
    Tensor x = floats(1, 6, 8);
    assertEquals(1, kernels(a -> a.sin().mul(2).add(a).exp().tanh(), x), "elementwise chain");
    assertEquals(
        1, kernels(a -> a.t().reshape(2, 24).flip(0).slice(1, 0, 24, 3).neg(), x), "views");
    assertEquals(1, kernels(a -> a.square().sum(1).sqrt(), x), "producer, reduction, epilogue");
    assertEquals(1, kernels(a -> a.softmax(1), x), "softmax");
    assertEquals(1, kernels(a -> a.logSoftmax(1), x), "log-softmax");
    assertEquals(1, kernels(a -> a.logSumExp(1), x), "log-sum-exp");
    assertEquals(1, kernels(a -> a.variance(1), x), "variance");
    assertEquals(
        1,
        kernels(a -> a.sub(a.mean(true, 1)).div(a.variance(1).expandDims(1).add(1e-5).sqrt()), x),
        "layer norm");
    Tensor w = floats(2, 8, 5);
    Tensor b = floats(3, 5);
    assertEquals(1, kernels(a -> a.matmul(w).add(b).relu(), x), "matmul with epilogue");
    assertEquals(1, kernels(a -> a.t().matmul(a), x), "transposed operand");
    assertEquals(1, kernels(a -> Tensor.concat(0, a, a.sin()).mul(2), x), "concat");
    assertEquals(1, kernels(a -> a.pad(new int[] {1, 0}, new int[] {0, 2}, 0).add(1), x), "pad");
  }

  @Test
  void valuesThatOnlyOneKernelUsesAreNotBuffers() {
    Tensor x = floats(1, 6, 8);
    // Each value has several uses, all of them in the next.
    Fn1<Tensor, Tensor> chain =
        a -> {
          Tensor v = a;
          for (int i = 0; i < 45; i++) {
            v = v.mul(v).mul(0.5).add(v.mul(a)).sub(v.abs());
          }
          return v;
        };
    assertEquals(1, kernels(chain, x));
    // The same with products that read every value: more buffers than a kernel may have.
    Fn1<Tensor, Tensor> wide =
        a -> {
          Tensor v = a;
          Tensor sum = null;
          for (int i = 0; i < 45; i++) {
            v = v.mul(v).mul(0.5).add(v.mul(a)).sub(v.abs());
            Tensor product = v.matmul(v.t());
            sum = sum == null ? product : product.matmul(sum);
          }
          return sum;
        };
    JitFn1<Tensor, Tensor> j = Ad.jit(wide);
    j.apply(x).close();
    j.schedule()
        .launches()
        .forEach(l -> assertTrue(l.kernel().params().size() <= 40, () -> l.label()));
  }

  @Test
  void withoutFusionEveryOperationIsAKernel() {
    Tensor x = floats(1, 6, 8);
    with(Settings.FUSE, "off", () -> assertEquals(4, kernels(a -> a.sin().exp().tanh().cos(), x)));
  }

  @Test
  void theGradientStepOfANetworkIsAFewKernels() {
    JitFn3<Mlp, Tensor, Tensor, ValueAndGrad<Mlp>> step =
        Ad.jit(Ad.valueAndGrad((Mlp m, Tensor x, Tensor y) -> m.apply(x).sub(y).square().mean()));
    step.apply(network(), floats(5, 6, 5), floats(6, 6, 1));
    // Forward: two products and the loss; backward: two products per layer but the first, two
    // biases.
    assertTrue(step.kernels() <= 10, step::explain);
    assertTrue(step.arenaBytes() >= step.liveBytes(), step::explain);
    assertTrue(step.arenaBytes() <= 1.25 * step.liveBytes() + 1024, step::explain);
  }

  private static Mlp network() {
    return new Mlp(floats(1, 5, 4), floats(2, 4), floats(3, 4, 1), floats(4, 1));
  }

  /** Parameters, running means of their gradients, and the number of steps taken. */
  public record State(Mlp params, Mlp means, Tensor step) {}

  private static State momentum(State s, Tensor x, Tensor y) {
    Mlp g =
        Ad.grad((Mlp m, Tensor a, Tensor b) -> m.apply(a).sub(b).square().mean())
            .apply(s.params(), x, y);
    Tensor rate = s.step().mul(-0.1).exp().mul(0.05);
    Mlp means = zip(s.means(), g, (v, d) -> v.mul(0.9).add(d));
    return new State(zip(s.params(), means, (p, v) -> p.sub(v.mul(rate))), means, s.step().add(1));
  }

  private static Mlp zip(Mlp a, Mlp b, BinaryOperator<Tensor> f) {
    return new Mlp(
        f.apply(a.w1(), b.w1()),
        f.apply(a.b1(), b.b1()),
        f.apply(a.w2(), b.w2()),
        f.apply(a.b2(), b.b2()));
  }

  /** Parameters after three steps, and the schedule of a step. */
  private static Schedule train(List<float[]> out) {
    JitFn3<State, Tensor, Tensor, State> step = Ad.jit(ReplayTests::momentum, Donate.FIRST);
    Mlp p = network();
    Mlp zeros = zip(p, p, (a, b) -> a.zerosLike());
    State s = new State(p, zeros, Tensor.scalar(DType.FLOAT32, 0).add(0));
    for (int i = 0; i < 3; i++) {
      s = step.apply(s, floats(5, 6, 5), floats(6, 6, 1));
    }
    Stream.of(s.params(), s.means())
        .flatMap(m -> Stream.of(m.w1(), m.b1(), m.w2(), m.b2()))
        .forEach(t -> out.add(t.toFloatArray()));
    return step.schedule();
  }

  private static long results(Schedule s) {
    return s.outputs().stream()
        .filter(o -> s.slots().get(o).place() instanceof Schedule.Place.Output)
        .count();
  }

  @Test
  void anOptimisersUpdateBelongsToTheGradientsKernels() {
    List<float[]> expected = new ArrayList<>();
    Schedule[] plain = new Schedule[1];
    with(Settings.JOIN, "off", () -> with(Settings.ORDER, "off", () -> plain[0] = train(expected)));
    List<float[]> actual = new ArrayList<>();
    Schedule s = train(actual);
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i));
    }
    assertEquals(0, results(s), "results beside donated inputs");
    // The rate, two products forward; backward a gradient with update for each parameter and the
    // product between the layers.
    assertTrue(s.launches().size() <= 9, () -> ScheduleText.of(s));
    assertTrue(plain[0].launches().size() > s.launches().size(), () -> ScheduleText.of(s));
  }

  @Test
  void smallIndependentKernelsJoin() {
    Fn1<Tensor, Tensor> f =
        a -> {
          Tensor rows = a.square().sum(1);
          Tensor columns = a.sin().mean(0);
          Tensor all = a.max();
          Tensor row = a.softmax(1);
          // Each of these reads one of those before.
          return rows.sum().add(columns.max()).add(all).add(row.matmul(a.t()).sum());
        };
    Tensor x = floats(1, 33, 45);
    float[] expected = new float[1];
    with(Settings.JOIN, "off", () -> expected[0] = Ad.jit(f).apply(x).toFloatArray()[0]);
    JitFn1<Tensor, Tensor> j = Ad.jit(f);
    assertEquals(expected[0], j.apply(x).toFloatArray()[0]);
    assertTrue(j.schedule().launches().stream().anyMatch(Schedule.Launch::joins), j::explain);
  }

  @Test
  void thePlanReusesMemory() {
    // A chain of products: only neighbours live at the same time.
    Fn1<Tensor, Tensor> chain =
        a -> {
          Tensor r = a;
          for (int i = 0; i < 10; i++) {
            r = r.matmul(a).tanh();
          }
          return r;
        };
    JitFn1<Tensor, Tensor> j = Ad.jit(chain);
    Tensor planned = j.apply(floats(1, 32, 32));
    assertEquals(10, j.kernels());
    assertTrue(j.arenaBytes() <= 3 * 32 * 32 * 4, j::explain);
    with(
        Settings.PLAN,
        "off",
        () -> {
          JitFn1<Tensor, Tensor> k = Ad.jit(chain);
          assertArrayEquals(planned.toFloatArray(), k.apply(floats(1, 32, 32)).toFloatArray());
          assertTrue(k.arenaBytes() >= 9 * 32 * 32 * 4, k::explain);
        });
  }

  @Test
  void aDonatedStepUpdatesInPlace() {
    JitFn1<Tensor, Tensor> step = Ad.jit((Tensor p) -> p.sub(p.mul(0.5)), Donate.FIRST);
    Tensor p = floats(1, 64, 64);
    double[] start = p.toDoubleArray();
    p = step.apply(p);
    MemoryStats warm = open().memory();
    for (int i = 0; i < 5; i++) {
      Tensor next = step.apply(p);
      assertTrue(p.isClosed());
      p = next;
    }
    assertEquals(warm.liveBytes(), open().memory().liveBytes());
    assertEquals(warm.allocations(), open().memory().allocations());
    double[] end = p.toDoubleArray();
    for (int i = 0; i < end.length; i++) {
      assertEquals(start[i] / 64, end[i], 1e-7);
    }
  }

  @Test
  void aThousandStepsKeepMemoryFlat() {
    JitFn3<Mlp, Tensor, Tensor, Mlp> step =
        Ad.jit(
            (Mlp m, Tensor x, Tensor y) -> {
              Mlp g =
                  Ad.grad((Mlp q, Tensor a, Tensor b) -> q.apply(a).sub(b).square().mean())
                      .apply(m, x, y);
              return new Mlp(
                  m.w1().sub(g.w1().mul(0.01)),
                  m.b1().sub(g.b1().mul(0.01)),
                  m.w2().sub(g.w2().mul(0.01)),
                  m.b2().sub(g.b2().mul(0.01)));
            },
            Donate.FIRST);
    Tensor x = floats(5, 6, 5);
    Tensor y = floats(6, 6, 1);
    Mlp m = network();
    for (int i = 0; i < 20; i++) {
      m = step.apply(m, x, y);
    }
    MemoryStats warm = open().memory();
    for (int i = 0; i < 1000; i++) {
      m = step.apply(m, x, y);
    }
    open().synchronize();
    assertEquals(warm, open().memory());
    assertTrue(Double.isFinite(m.w1().sum().item()));
  }

  @Test
  void resultsAreTheSameBitsEveryTime() {
    JitFn1<Tensor, Tensor> f =
        Ad.jit(Ad.grad((Tensor a) -> a.matmul(a.t()).softmax(1).square().sum().add(a.sum())));
    Tensor x = floats(7, 33, 17);
    float[] first = f.apply(x).toFloatArray();
    for (int i = 0; i < 5; i++) {
      assertArrayEquals(first, f.apply(x).toFloatArray());
    }
    Fn1<Tensor, Tensor> scatter = a -> a.scatterAdd(Tensor.of(0, 1, 0, 1, 0, 1, 0), 0, 2);
    float[] sums = Ad.jit(scatter).apply(floats(3, 7, 5)).toFloatArray();
    assertArrayEquals(sums, Ad.jit(scatter).apply(floats(3, 7, 5)).toFloatArray());
  }

  @Test
  void severalThreadsMayCallOneFunction() throws InterruptedException {
    JitFn1<Tensor, Tensor> f =
        Ad.jit(Ad.grad((Tensor a) -> a.matmul(a.t()).softmax(1).square().sum()));
    Tensor x = floats(7, 9, 5);
    float[] expected = f.apply(x).toFloatArray();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int k = 0; k < 4; k++) {
      // Half of the threads compile a shape of their own meanwhile.
      int rows = k < 2 ? 9 : 9 + k;
      Thread t =
          new Thread(
              () -> {
                for (int i = 0; i < 25; i++) {
                  try (var scope = Ad.scope()) {
                    Tensor a = rows == 9 ? x : floats(rows, rows, 5);
                    float[] r = f.apply(a).toFloatArray();
                    if (rows == 9) {
                      assertArrayEquals(expected, r);
                    }
                  }
                }
              });
      t.setUncaughtExceptionHandler((thread, error) -> failures.add(error));
      threads.add(t);
      t.start();
    }
    for (Thread t : threads) {
      t.join();
    }
    assertTrue(failures.isEmpty(), failures::toString);
    assertEquals(3, f.compilations());
  }

  @Test
  void validationAgainstTheInterpreterPasses() {
    Tensor x = floats(1, 6, 8);
    with(
        Settings.VALIDATE,
        "cpu",
        () ->
            assertEquals(
                Shape.of(6, 8),
                Ad.jit(Ad.grad((Tensor a) -> a.softmax(1).matmul(a.t()).tanh().sum()))
                    .apply(x)
                    .shape()));
  }

  @Test
  void randomNumbersAreTheSameBitsOnEveryDevice() {
    RandomKey key = RandomKey.of(42);
    float[] here = key.uniform(DType.FLOAT32, 3, 100).toFloatArray();
    float[] there =
        Ad.onDevice(
            "interp",
            () -> {
              try (var scope = Ad.scope()) {
                return RandomKey.of(42).uniform(DType.FLOAT32, 3, 100).toFloatArray();
              }
            });
    assertArrayEquals(there, here);
    assertArrayEquals(
        here,
        Ad.jit((Tensor k) -> new RandomKey(k).uniform(DType.FLOAT32, 3, 100))
            .apply(key.data())
            .toFloatArray());
    double mean = 0;
    for (float v : here) {
      assertTrue(v >= 0 && v < 1);
      mean += v / 300;
    }
    assertEquals(0.5, mean, 0.05);
  }

  @Test
  void randomNumbersHaveTheirDistribution() {
    RandomKey key = RandomKey.of(7);
    Supplier<Tensor> normal = () -> key.normal(DType.FLOAT32, 20_000);
    double[] x = normal.get().toDoubleArray();
    double mean = 0;
    double square = 0;
    double fourth = 0;
    for (double v : x) {
      mean += v / x.length;
      square += v * v / x.length;
      fourth += v * v * v * v / x.length;
    }
    assertEquals(0, mean, 0.03);
    assertEquals(1, square, 0.05);
    assertEquals(3, fourth, 0.3);
    assertArrayEquals(x, normal.get().toDoubleArray());
    double p = key.bernoulli(0.3, 20_000).cast(DType.FLOAT32).mean().item();
    assertEquals(0.3, p, 0.02);
    float[] a = key.split(2).get(0).uniform(DType.FLOAT32, 2000).toFloatArray();
    float[] b = key.split(2).get(1).uniform(DType.FLOAT32, 2000).toFloatArray();
    float[] c = key.fold(1).uniform(DType.FLOAT32, 2000).toFloatArray();
    assertTrue(Math.abs(correlation(a, b)) < 0.1);
    assertTrue(Math.abs(correlation(a, c)) < 0.1);
  }

  private static double correlation(float[] a, float[] b) {
    double s = 0;
    for (int i = 0; i < a.length; i++) {
      s += (a[i] - 0.5) * (b[i] - 0.5) * 12 / a.length;
    }
    return s;
  }
}
