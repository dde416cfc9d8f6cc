package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/** Rows that are shorter than a vector and become longer ones. */
class WovenTest extends KernelForms {
  @AfterEach
  void usual() {
    System.clearProperty(Settings.WITHOUT.key());
  }

  /**
   * The outer products of a (n, r) and b (n, c), plus d (n, r, c), which lies in steps, times e
   * (n), and the difference of a and f (c).
   */
  private static Kernel outer(DType t, long n, long r, long c) {
    Loop i = new Loop(0, n);
    Loop j = new Loop(1, r);
    Loop k = new Loop(2, c);
    Index row = Index.of(i).times(r).plus(Index.of(j));
    Index at = row.times(c).plus(Index.of(k));
    Expr a = new Expr.Load(0, t, row);
    Expr b = new Expr.Load(1, t, Index.of(i).times(c).plus(Index.of(k)));
    Expr d = new Expr.Load(2, t, at);
    Expr e = new Expr.Load(3, t, Index.of(i));
    Expr f = new Expr.Load(4, t, Index.of(k));
    Expr sum =
        Expr.apply(
            ScalarOp.ADD, t, Expr.apply(ScalarOp.MUL, t, a, b), Expr.apply(ScalarOp.MUL, t, d, e));
    return new Kernel(
        List.of(
            new Kernel.Param(t, n * r, true, false),
            new Kernel.Param(t, n * c, true, false),
            new Kernel.Param(t, n * r * c, true, false),
            new Kernel.Param(t, n, true, false),
            new Kernel.Param(t, c, true, false),
            new Kernel.Param(t, n * r * c, false, true),
            new Kernel.Param(t, n * r * c, false, true)),
        List.of(i, j, k),
        List.of(
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(5, at, sum),
                    new Phase.Store(6, at, Expr.apply(ScalarOp.SUB, t, a, f))))),
        Optional.empty());
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64", "INT32"})
  void resultsAreTheInterpretersAndTheSameBitsAsOfShortRows(DType t) {
    int joined = 0;
    for (long c = 2; c < Vec.LANES; c++) {
      for (long[] size : new long[][] {{700, 16}, {1, 4096}, {333, 32}}) {
        Kernel k = outer(t, size[0], size[1], c);
        if (Woven.of(k) == k) {
          continue;
        }
        joined++;
        String what = t + " " + size[0] + " " + size[1] + " " + c;
        List<byte[]> data = Runs.data(k, c);
        List<byte[]> woven = Runs.run(code(k), k, data);
        Runs.compare(what, k, Runs.run(interp, k, data), woven);
        System.setProperty(Settings.WITHOUT.key(), Optimisation.WOVEN_ROWS.label());
        assertSame(k, Woven.of(k));
        List<byte[]> apart = Runs.run(code(k), k, data);
        System.clearProperty(Settings.WITHOUT.key());
        for (int p = 5; p < 7; p++) {
          assertArrayEquals(apart.get(p), woven.get(p), what + " parameter " + p);
        }
      }
    }
    assertTrue(Vec.LANES < 8 || joined >= 6, joined + " kernels were woven");
  }

  private static CpuKernel code(Kernel k) {
    return new CpuKernel.Loops(k, KernelGen.generate(k, KernelGen.Code.VECTORS), 1);
  }

  @Test
  void rowsThatFillNoWholeVectorsOrLieApartAreLeftAlone() {
    long lanes = Vec.LANES;
    Kernel joined = outer(DType.FLOAT32, 10, 2 * lanes, 3);
    assertFalse(joined == Woven.of(joined));
    assertEquals(3 * lanes, Woven.of(joined).grid().getLast().extent());
    for (Kernel k :
        List.of(
            outer(DType.FLOAT32, 10, 2 * lanes + 1, 3),
            outer(DType.FLOAT32, 10, 2 * lanes, lanes),
            outer(DType.FLOAT32, 10, 2 * lanes, lanes + 3),
            outer(DType.FLOAT32, 10, 2 * lanes, 1))) {
      assertSame(k, Woven.of(k));
    }
  }

  @Test
  void patternsAreThoseOfOneDivisor() {
    Loop k = new Loop(7, 48);
    Index at = Index.of(k);
    Index other = Index.of(new Loop(8, 5)).times(100);
    assertEquals(new Woven.Pattern(3, 1, 0), Woven.Pattern.of(at.div(3).plus(other).plus(4), k));
    assertEquals(new Woven.Pattern(3, 0, 2), Woven.Pattern.of(at.mod(3).times(2), k));
    assertEquals(
        new Woven.Pattern(3, 4, 1), Woven.Pattern.of(at.div(3).times(4).plus(at.mod(3)), k));
    assertNull(Woven.Pattern.of(other, k));
    assertNull(Woven.Pattern.of(at.times(2), k));
    assertNull(Woven.Pattern.of(at.div(3).plus(at.mod(4)), k));
    Woven.Pattern turned = new Woven.Pattern(3, 1, 5);
    assertEquals(11, turned.element(5));
    assertEquals(1, turned.first(3, 8));
    assertTrue(new Woven.Pattern(3, 1, 0).suits(48, 16));
    assertFalse(new Woven.Pattern(3, 7, 0).suits(48, 16));
  }
}
