package tapedeck.cpu.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.TapedeckException;

/** The precision of a product reaches every product that its derivatives and batches consist of. */
class PrecisionTest {
  private static final Tensor X = Tensor.full(DType.FLOAT32, 0.5, 6, 6);

  private static List<Precision> of(Fn1<Tensor, Tensor> f, Tensor x) {
    JitFn1<Tensor, Tensor> jit = Ad.jit(f);
    jit.apply(x).close();
    return of(jit);
  }

  private static List<Precision> of(JitFn1<Tensor, Tensor> jit) {
    return jit.schedule().launches().stream()
        .flatMap(l -> l.kernel().contraction().stream())
        .map(c -> c.precision())
        .toList();
  }

  @Test
  void derivativesAndBatchesHaveIt() {
    for (Precision p : Precision.values()) {
      Fn1<Tensor, Tensor> square = a -> a.tanh().matmul(a.exp(), p);
      Fn1<Tensor, Tensor> gradient =
          a -> Ad.<Tensor>grad(b -> square.apply(b).sin().sum()).apply(a);
      assertEquals(List.of(p), of(square, X));
      assertEquals(List.of(p, p, p), of(gradient, X));
      Fn1<Tensor, Tensor> tangent = a -> Ad.<Tensor, Tensor>jvp(square, a, a.cos()).tangent();
      assertEquals(List.of(p, p), of(tangent, X));
      Tensor batch = Tensor.full(DType.FLOAT32, 0.5, 3, 6, 6);
      List<Precision> mapped = of(b -> Ad.<Tensor, Tensor>vmap(gradient).apply(b), batch);
      assertEquals(List.of(p, p, p), mapped);
      Tensor wide = Tensor.full(DType.FLOAT64, 0.5, 6, 6);
      assertEquals(List.of(Precision.HIGHEST), of(square, wide), "only float32 has a choice");
    }
  }

  @Test
  void differentPrecisionsAreDifferentValues() {
    Fn1<Tensor, Tensor> same =
        a -> a.matmul(a, Precision.HIGH).sin().add(a.matmul(a, Precision.HIGH));
    assertEquals(1, of(same, X).size());
    Fn1<Tensor, Tensor> two = a -> a.matmul(a, Precision.HIGH).sin().add(a.matmul(a));
    assertEquals(2, of(two, X).size());
  }

  @Test
  void scopeAndSettingCompileAnew() {
    JitFn1<Tensor, Tensor> f = Ad.jit((Tensor a) -> a.matmul(a));
    f.apply(X).close();
    assertEquals(List.of(Precision.HIGHEST), of(f));
    Precision.with(
        Precision.DEFAULT,
        () -> {
          f.apply(X).close();
          return null;
        });
    assertEquals(2, f.compilations());
    assertTrue(f.explain().contains("settings changed"), f.explain());
    assertTrue(f.explain().contains("(6,6)(6,6) default"), f.explain());
    System.setProperty(Settings.PRECISION.key(), "High");
    try {
      f.apply(X).close();
      assertEquals(List.of(Precision.HIGH), of(f));
      System.setProperty(Settings.PRECISION.key(), "low");
      String message = assertThrows(TapedeckException.class, () -> X.matmul(X)).getMessage();
      assertTrue(
          message.contains("must be bfloat16, default, high or highest, not 'low'"), message);
    } finally {
      System.clearProperty(Settings.PRECISION.key());
    }
    f.apply(X).close();
    assertEquals(3, f.compilations(), "the first one is still known");
  }
}
