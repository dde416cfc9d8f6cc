package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.FiniteDifferences;
import tapedeck.ad.FiniteDifferences.Scheme;
import tapedeck.ad.Fn1;
import tapedeck.ad.Forward;
import tapedeck.ad.In;
import tapedeck.ad.JitFn1;
import tapedeck.ad.Jvp;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.Vjp;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ValidationException;

/** Transforms, alone and in each other, on one device. */
public abstract class TransformTests extends DeviceTests {
  /** Parameters of a small network. */
  public record Mlp(Tensor w1, Tensor b1, Tensor w2, Tensor b2) {
    Tensor apply(Tensor x) {
      return x.matmul(w1).add(b1).tanh().matmul(w2).add(b2);
    }
  }

  /** A record with parts of every kind. */
  public record Parts(
      Tensor a,
      List<Tensor> list,
      Map<String, Tensor> map,
      Tensor[] array,
      int power,
      String note) {}

  private static Mlp mlp() {
    return new Mlp(floats(1, 5, 4), floats(2, 4), floats(3, 4, 1), floats(4, 1));
  }

  private static Tensor loss(Mlp m, Tensor x, Tensor y) {
    return m.apply(x).sub(y).square().mean();
  }

  @Test
  void theGradientOfALecture() {
    Tensor w = Tensor.of(new double[] {0.1, 0.5, -0.3, 0.8}, 2, 2);
    needFloat64();
    Tensor x = Tensor.of(0.2, 0.4);
    record Both(Tensor w, Tensor x) {}
    Both g = Ad.<Both>grad(b -> b.w().matmul(b.x()).square().sum()).apply(new Both(w, x));
    assertClose(new double[] {0.088, 0.176, 0.104, 0.208}, g.w(), 1e-15);
    assertClose(new double[] {-0.112, 0.636}, g.x(), 1e-15);
  }

  @Test
  void gradientOfARecordHasItsStructure() {
    Mlp m = mlp();
    Tensor x = floats(5, 6, 5);
    Tensor y = floats(6, 6, 1);
    ValueAndGrad<Mlp> r = Ad.valueAndGrad(TransformTests::loss).apply(m, x, y);
    assertEquals(loss(m, x, y).item(), r.value().item(), 1e-6);
    FiniteDifferences.Result<Mlp> fd =
        FiniteDifferences.gradient(p -> loss(p, x, y), m, Scheme.CENTRAL, 1e-2);
    assertClose(fd.gradient().w1(), r.grad().w1(), 2e-3);
    assertClose(fd.gradient().b1(), r.grad().b1(), 2e-3);
    assertClose(fd.gradient().w2(), r.grad().w2(), 2e-3);
    assertClose(fd.gradient().b2(), r.grad().b2(), 2e-3);
    assertEquals(2 * 29, fd.evaluations());
    FiniteDifferences.Result<Mlp> forward =
        FiniteDifferences.gradient(p -> loss(p, x, y), m, Scheme.FORWARD, 1e-3);
    assertEquals(1 + 29, forward.evaluations());
    assertClose(r.grad().w1(), forward.gradient().w1(), 5e-3);
  }

  @Test
  void argumentsMayBeAnyTree() {
    Fn1<Parts, Tensor> f =
        p ->
            p.a()
                .pow(p.power())
                .sum()
                .add(p.list().get(1).mul(p.map().get("k")).sum())
                .add(p.array()[0].mul(3).sum());
    Parts x =
        new Parts(
            Tensor.of(2f),
            List.of(Tensor.of(1f), Tensor.of(5f)),
            Map.of("k", Tensor.of(7f)),
            new Tensor[] {Tensor.of(1f)},
            3,
            "static");
    Parts g = Ad.grad(f).apply(x);
    assertClose(new double[] {12}, g.a(), 1e-5);
    assertClose(new double[] {0}, g.list().get(0), 0);
    assertClose(new double[] {7}, g.list().get(1), 0);
    assertClose(new double[] {5}, g.map().get("k"), 0);
    assertClose(new double[] {3}, g.array()[0], 0);
    assertEquals("static", g.note());
    JitFn1<Parts, Parts> jitted = Ad.jit(Ad.grad(f));
    assertClose(new double[] {12}, jitted.apply(x).a(), 1e-5);
    Parts squared = new Parts(x.a(), x.list(), x.map(), x.array(), 2, "static");
    assertClose(new double[] {4}, jitted.apply(squared).a(), 1e-5);
    assertEquals(2, jitted.compilations(), "a static value is part of the key");
    assertTrue(jitted.explain().contains("static values of argument 1"), jitted.explain());
  }

  @Test
  void jvpAndVjpAgree() {
    Tensor x = floats(1, 7);
    Tensor dx = floats(2, 7);
    Fn1<Tensor, Tensor> f = a -> a.sin().mul(a.flip(0)).slice(0, 1, 6);
    Jvp<Tensor> j = Ad.jvp(f, x, dx);
    Vjp<Tensor, Tensor> v = Ad.vjp(f, x);
    assertClose(f.apply(x), j.value(), 1e-6);
    assertClose(f.apply(x), v.value(), 1e-6);
    for (int seed = 3; seed < 6; seed++) {
      Tensor u = floats(seed, 5);
      assertEquals(u.dot(j.tangent()).item(), v.pullback().apply(u).dot(dx).item(), 1e-5);
    }
  }

  @Test
  void constantZerosAreNotMultipliedWith() {
    record Both(Tensor a, Tensor b) {}
    Fn1<Both, Tensor> f = x -> x.a().mul(x.b().sqrt().add(2)).sum();
    Both at = new Both(Tensor.of(3f, 5f), Tensor.of(0f, 4f));
    Both along = new Both(at.a().onesLike(), at.b().zerosLike());
    // the derivative for b is infinite at 0
    assertEquals(2 + 4, Ad.jvp(f, at, along).tangent().item(), 0);
    JitFn1<Both, Tensor> jitted =
        Ad.jit(x -> Ad.jvp(f, x, new Both(x.a().onesLike(), x.b().zerosLike())).tangent());
    assertEquals(2 + 4, jitted.apply(at).item(), 0);
    Both given = new Both(at.a().onesLike(), Tensor.of(0f, 0f));
    assertTrue(Double.isNaN(Ad.jvp(f, at, given).tangent().item()), "0 times infinity");
    Both none = new Both(at.a().zerosLike(), at.b().zerosLike());
    assertEquals(0, Ad.jvp(f, at, none).tangent().item(), 0);

    JitFn1<Tensor, Tensor> pulled =
        Ad.jit(
            x -> {
              var v = Ad.vjp((Tensor y) -> List.of(y.square(), y.sqrt()), x);
              return v.pullback().apply(List.of(x.onesLike(), x.zerosLike()));
            });
    assertClose(new double[] {0, 8}, pulled.apply(at.b()), 0);
  }

  @Test
  void jacobiansAgreeWithEachOtherAndHaveTheRightShape() {
    Fn1<Tensor, Tensor> f = a -> a.matmul(a.t()).sin();
    Tensor x = floats(1, 2, 3);
    Tensor fwd = Ad.jacfwd(f).apply(x);
    Tensor rev = Ad.jacrev(f).apply(x);
    assertEquals(Shape.of(2, 2, 2, 3), fwd.shape());
    assertClose(fwd, rev, 1e-5);
    Tensor dx = floats(2, 2, 3);
    Tensor tangent = Ad.jvp(f, x, dx).tangent();
    assertClose(tangent, fwd.mul(dx).sum(2, 3), 1e-5);
    assertEquals(Shape.of(3), Ad.jacfwd((Tensor a) -> a.sum()).apply(floats(1, 3)).shape());
    assertEquals(
        Shape.of(3), Ad.jacrev((Tensor a) -> a.broadcastTo(3)).apply(Tensor.scalar(2f)).shape());
  }

  @Test
  void hessians() {
    Fn1<Tensor, Tensor> f = a -> a.pow(3).sum().add(a.get(0).mul(a.get(1)));
    Tensor x = Tensor.of(1f, 2f, 3f);
    double[] expected = {6, 1, 0, 1, 12, 0, 0, 0, 18};
    assertClose(expected, Ad.hessian(f).apply(x), 1e-4);
    assertClose(expected, Ad.jacrev(Ad.grad(f)).apply(x), 1e-4);
    assertClose(expected, Ad.jacfwd(Ad.jacfwd(f)).apply(x), 1e-4);
    Tensor v = Tensor.of(1f, -1f, 2f);
    assertClose(new double[] {5, -11, 36}, Ad.hvp(f, x, v), 1e-4);
    assertClose(
        new double[] {5, -11, 36}, Ad.grad((Tensor a) -> Ad.jvp(f, a, v).tangent()).apply(x), 1e-4);
  }

  @Test
  void thirdDerivatives() {
    Fn1<Tensor, Tensor> sin = Tensor::sin;
    Tensor x = Tensor.scalar(0.7f);
    assertEquals(-Math.cos(0.7), Ad.grad(Ad.grad(Ad.grad(sin))).apply(x).item(), 1e-6);
    assertEquals(-Math.cos(0.7), Ad.jacfwd(Ad.jacrev(Ad.grad(sin))).apply(x).item(), 1e-6);
    assertEquals(
        -Math.cos(0.7), Ad.jit(Ad.grad(Ad.jit(Ad.grad(Ad.jacfwd(sin))))).apply(x).item(), 1e-6);
    Fn1<Tensor, Tensor> tangent = a -> Ad.jvp(Ad.grad(sin), a, a.onesLike()).tangent();
    assertEquals(-Math.cos(0.7), Ad.grad(tangent).apply(x).item(), 1e-6);
  }

  @Test
  void perExampleGradients() {
    Mlp m = mlp();
    Tensor x = floats(5, 6, 5);
    Tensor y = floats(6, 6, 1);
    Mlp each = Ad.vmap(Ad.grad(TransformTests::loss), In.none().in(0).in(0)).apply(m, x, y);
    assertEquals(Shape.of(6, 5, 4), each.w1().shape());
    for (int i = 0; i < 6; i++) {
      Mlp one = Ad.grad(TransformTests::loss).apply(m, x.get(i), y.get(i));
      assertClose(one.w1(), each.w1().get(i), 1e-5);
      assertClose(one.b2(), each.b2().get(i), 1e-5);
    }
    Mlp mean = Ad.grad(TransformTests::loss).apply(m, x, y);
    assertClose(mean.w1(), each.w1().mean(0), 1e-5);
  }

  @Test
  void batchedHessians() {
    Fn1<Tensor, Tensor> f = a -> a.square().sum().exp();
    Tensor x = floats(1, 4, 3);
    Tensor h = Ad.vmap(Ad.hessian(f)).apply(x);
    assertEquals(Shape.of(4, 3, 3), h.shape());
    for (int i = 0; i < 4; i++) {
      assertClose(Ad.hessian(f).apply(x.get(i)), h.get(i), 1e-3);
    }
    assertClose(h, Ad.jit(Ad.vmap(Ad.hessian(f))).apply(x), 1e-3);
  }

  @Test
  void vmapOverEveryAxis() {
    Tensor a = floats(1, 2, 3, 4);
    Tensor b = floats(2, 4, 3);
    for (int axis = -3; axis < 3; axis++) {
      int n = a.dim(axis);
      for (int out = -2; out < 2; out++) {
        Tensor r = Ad.vmap((Tensor v) -> v.sum(0).sin(), In.in(axis), out).apply(a);
        for (int i = 0; i < n; i++) {
          Tensor one = a.moveAxis(axis, 0).get(i).sum(0).sin();
          assertClose(one, r.moveAxis(out, 0).get(i), 1e-6);
        }
      }
    }
    Tensor both = Ad.vmap((Tensor p, Tensor q) -> p.matmul(q), In.in(-1).in(0), 1).apply(a, b);
    for (int i = 0; i < 4; i++) {
      Tensor one = a.slice(2, i, i + 1).squeeze(2).matmul(b.get(i));
      assertClose(one, both.slice(1, i, i + 1).squeeze(1), 1e-5);
    }
    Tensor nested =
        Ad.vmap((Tensor p) -> Ad.vmap((Tensor q) -> q.mul(p.sum()), In.in(1)).apply(p)).apply(a);
    assertEquals(Shape.of(2, 4, 3), nested.shape());
    for (int i = 0; i < 2; i++) {
      assertClose(a.get(i).t().mul(a.get(i).sum()), nested.get(i), 1e-5);
    }
  }

  @Test
  void resultsThatAreNotMappedAreRepeated() {
    Tensor r = Ad.vmap((Tensor v) -> Tensor.full(DType.FLOAT32, 3.0, 2)).apply(floats(1, 4, 3));
    assertEquals(Shape.of(4, 2), r.shape());
    assertClose(new double[] {3, 3, 3, 3, 3, 3, 3, 3}, r, 0);
  }

  @Test
  void aCustomRuleIsUsedInReverseModeOnly() {
    Fn1<Tensor, Tensor> f =
        Ad.customVjp(
            x -> x.square().sum(),
            x -> new Forward<>(x.square().sum(), x),
            (Tensor x, Tensor ct) -> x.mul(ct).mul(100));
    Tensor x = Tensor.of(1f, 2f);
    assertEquals(5, f.apply(x).item(), 1e-6);
    assertClose(new double[] {100, 200}, Ad.grad(f).apply(x), 1e-4);
    assertClose(new double[] {100, 200}, Ad.jit(Ad.grad(f)).apply(x), 1e-4);
    assertEquals(6, Ad.jvp(f, x, Tensor.of(1f, 1f)).tangent().item(), 1e-6);
    assertClose(
        new double[] {100, 200, 300, 400},
        Ad.vmap(Ad.grad(f)).apply(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2)),
        1e-4);
    assertClose(
        new double[] {100, 100}, Ad.grad((Tensor a) -> Ad.grad(f).apply(a).sum()).apply(x), 1e-4);
  }

  @Test
  void stopGradientIsTheIdentityWithDerivativeZero() {
    Tensor x = Tensor.of(2f, 3f);
    Fn1<Tensor, Tensor> f = a -> a.mul(Ad.stopGradient(a)).sum();
    assertEquals(13, f.apply(x).item(), 1e-6);
    assertClose(new double[] {2, 3}, Ad.grad(f).apply(x), 0);
    assertClose(
        new double[] {2, 3},
        Ad.jvp((Tensor a) -> a.mul(a.stopGradient()), x, Tensor.of(1f, 1f)).tangent(),
        0);
    assertClose(new double[] {0, 0, 0, 0}, Ad.hessian(f).apply(x), 0);
  }

  @Test
  void closuresAreConstants() {
    Tensor c = Tensor.of(3f);
    assertClose(new double[] {3}, Ad.grad((Tensor a) -> a.mul(c).sum()).apply(Tensor.of(5f)), 0);
    Fn1<Tensor, Tensor> inner = a -> Ad.grad((Tensor b) -> b.square().mul(a).sum()).apply(a).sum();
    // d/da of 2a*a = 4a: the inner gradient sees a as a constant, the outer one does not.
    assertClose(new double[] {12}, Ad.grad(inner).apply(c), 1e-5);
  }

  @Test
  void perturbationsAreNotConfused() {
    // d/dx [x * d/dy (x + y)] = 1 (Siskind and Pearlmutter's example).
    Fn1<Tensor, Tensor> f =
        x -> x.mul(Ad.jvp((Tensor y) -> x.add(y), Tensor.scalar(1f), Tensor.scalar(1f)).tangent());
    assertEquals(1, Ad.jvp(f, Tensor.scalar(1f), Tensor.scalar(1f)).tangent().item(), 0);
    assertEquals(1, Ad.grad(f).apply(Tensor.scalar(1f)).item(), 0);
  }

  @Test
  void compiledFunctionsCompileOncePerKey() {
    JitFn1<Tensor, Tensor> f = Ad.jit((Tensor a) -> a.sin().sum());
    double expected = f.apply(floats(1, 5)).item();
    assertEquals(expected, f.apply(floats(1, 5)).item());
    assertEquals(1, f.compilations());
    f.apply(floats(1, 6));
    assertEquals(2, f.compilations());
    assertTrue(f.explain().contains("changed from f32(5) to f32(6)"), f.explain());
    f.apply(floats(2, 5));
    assertEquals(2, f.compilations());
  }

  @Test
  void integersAndBooleansPassThrough() {
    record Batch(Tensor x, Tensor labels, Tensor mask) {}
    Tensor w = floats(1, 3, 2);
    Batch b = new Batch(floats(2, 4, 3), Tensor.of(0, 1, 1, 0), Tensor.of(true, false, true, true));
    Tensor g =
        Ad.grad(
                (Tensor p, Batch q) ->
                    q.mask()
                        .expandDims(1)
                        .where(q.x().matmul(p).logSoftmax(1), Tensor.zeros(DType.FLOAT32, 4, 2))
                        .mul(q.labels().oneHot(2, DType.FLOAT32))
                        .sum())
            .apply(w, b);
    assertEquals(Shape.of(3, 2), g.shape());
    Jvp<Tensor> j = Ad.jvp((Tensor a) -> a.argmax(0), floats(1, 3), floats(2, 3));
    assertArrayEquals(new double[] {0}, j.tangent().toDoubleArray());
  }

  @Test
  void checkGradsFindsAWrongRule() {
    Ad.checkGrads((Tensor a) -> a.sin().mul(a), floats(1, 4), 2);
    Fn1<Tensor, Tensor> wrong =
        Ad.customVjp(
            x -> x.sin().sum(),
            x -> new Forward<>(x.sin().sum(), x),
            (Tensor x, Tensor ct) -> x.sin().mul(ct));
    ValidationException e =
        assertThrows(ValidationException.class, () -> Ad.checkGrads(wrong, floats(1, 4)));
    assertTrue(e.getMessage().startsWith("[checkGrads] reverse mode, order 1"), e.getMessage());
  }

  @Test
  void eagerAndCompiledAndUnfusedAgree() {
    Fn1<Tensor, Tensor> f =
        a -> a.softmax(1).matmul(a.t()).logSumExp(0).add(a.variance(1)).tanh().sum();
    Tensor x = floats(3, 4, 6);
    double eager = f.apply(x).item();
    assertEquals(eager, Ad.jit(f).apply(x).item(), 1e-5);
    Tensor g = Ad.grad(f).apply(x);
    assertClose(g, Ad.jit(Ad.grad(f)).apply(x), 1e-5);
    with(Settings.FUSE, "off", () -> assertClose(g, Ad.jit(Ad.grad(f)).apply(x), 1e-5));
    with(Settings.PLAN, "off", () -> assertClose(g, Ad.jit(Ad.grad(f)).apply(x), 1e-5));
    assertFalse(x.isClosed());
  }
}
