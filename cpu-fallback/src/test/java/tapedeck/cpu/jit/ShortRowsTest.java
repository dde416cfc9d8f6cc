package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/** Short rows, of which a vector loop walks many. */
class ShortRowsTest extends KernelForms {
  private static final long[] LENGTHS = {2, 3, 5, 8, 10, 16, 17, 20, 31, 33, 50, 63};
  private static final long[][] GRIDS = {{1, 16}, {7, 25}, {3, 700}, {2, 2500}};

  @AfterEach
  void usual() {
    System.clearProperty(Settings.WITHOUT.key());
  }

  private static Expr apply(ScalarOp op, DType t, Expr... args) {
    return Expr.apply(op, t, args);
  }

  /**
   * Of x (n, k, d), centres (k, d) and weights (n, k): the weighted sum of squares of x - centre
   * along d, the largest x, and a sum and a bias of both.
   */
  static Kernel distances(DType t, long n, long k, long d) {
    Loop i = new Loop(0, n);
    Loop j = new Loop(1, k);
    Loop r = new Loop(2, d);
    Index point = Index.of(i).times(k).plus(Index.of(j));
    Expr x = new Expr.Load(0, t, point.times(d).plus(Index.of(r)));
    Expr centre = new Expr.Load(1, t, Index.of(j).times(d).plus(Index.of(r)));
    Expr weight = new Expr.Load(2, t, point);
    Expr off = apply(ScalarOp.SUB, t, x, centre);
    Expr square = apply(ScalarOp.MUL, t, apply(ScalarOp.MUL, t, off, off), weight);
    return new Kernel(
        List.of(
            new Kernel.Param(t, n * k * d, true, false),
            new Kernel.Param(t, k * d, true, false),
            new Kernel.Param(t, n * k, true, false),
            new Kernel.Param(t, n * k, false, true),
            new Kernel.Param(t, n * k, false, true)),
        List.of(i, j),
        List.of(
            new Phase.Reduce(
                List.of(r),
                List.of(
                    new Phase.Accumulator(0, Reducer.SUM, t, square),
                    new Phase.Accumulator(1, Reducer.MAX, t, x))),
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(3, point, new Expr.Acc(0, t)),
                    new Phase.Store(
                        4,
                        point,
                        apply(
                            ScalarOp.ADD,
                            t,
                            new Expr.Acc(1, t),
                            apply(ScalarOp.MUL, t, new Expr.Acc(0, t), weight)))))),
        Optional.empty());
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64", "INT32"})
  void totalsAreThoseOfTheInterpreter(DType t) {
    for (long d : LENGTHS) {
      for (long[] g : GRIDS) {
        Kernel k = distances(t, g[0], g[1], d);
        assertTrue(ShortRows.haveTotals(k), "rows of " + d);
        List<byte[]> data = Runs.data(k, 5);
        Runs.compare(
            "rows of " + d + " " + t, k, Runs.run(interp, k, data), Runs.run(vectors, k, data));
      }
    }
  }

  /** Sums have the same order in both ways, where both have vectors along rows. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64", "INT32"})
  void theSwitchChangesNoBit(DType t) {
    for (long d : LENGTHS) {
      Kernel k = distances(t, 7, 25, d);
      if (t != DType.INT32 && d < Vec.LANES) {
        continue; // apart, such rows are summed across
      }
      List<byte[]> data = Runs.data(k, 9);
      List<byte[]> together = Runs.run(CpuKernel.compile(k, "together", true), k, data);
      System.setProperty(Settings.WITHOUT.key(), Optimisation.SHORT_ROWS.label());
      assertFalse(ShortRows.haveTotals(k));
      List<byte[]> apart = Runs.run(CpuKernel.compile(k, "apart", true), k, data);
      System.clearProperty(Settings.WITHOUT.key());
      for (int i = 3; i < 5; i++) {
        assertArrayEquals(apart.get(i), together.get(i), "rows of " + d + " " + t);
      }
    }
  }

  /** x (n, d) less one centre (d), times a weight (n). */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64", "INT32"})
  void elementsOfNarrowRowsGoTogetherToo(DType t) {
    for (long d : new long[] {2, 3, 5}) {
      long n = 20_011;
      Loop i = new Loop(0, n);
      Loop j = new Loop(1, d);
      Index at = Index.of(i).times(d).plus(Index.of(j));
      Expr off = apply(ScalarOp.SUB, t, new Expr.Load(0, t, at), new Expr.Load(1, t, Index.of(j)));
      Expr value = apply(ScalarOp.MUL, t, off, new Expr.Load(2, t, Index.of(i)));
      Kernel k =
          new Kernel(
              List.of(
                  new Kernel.Param(t, n * d, true, false),
                  new Kernel.Param(t, d, true, false),
                  new Kernel.Param(t, n, true, false),
                  new Kernel.Param(t, n * d, false, true)),
              List.of(i, j),
              List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(3, at, value)))),
              Optional.empty());
      List<byte[]> data = Runs.data(k, 4);
      Runs.compare(
          "rows of " + d + " " + t, k, Runs.run(interp, k, data), Runs.run(vectors, k, data));
      long units = KernelGen.generate(k, KernelGen.Code.VECTORS).units();
      assertTrue(units < n / 100, "a unit has many rows: " + units);
    }
  }

  @Test
  void specialValuesStayInTheirRows() {
    Kernel k = distances(DType.FLOAT32, 3, 20, 10);
    List<byte[]> data = Runs.data(k, 3);
    float[] special = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f};
    MemorySegment x = MemorySegment.ofArray(data.get(0));
    for (int i = 0; i < special.length; i++) {
      x.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (10 * (9 * i + 2) + 9), special[i]);
    }
    List<byte[]> got = Runs.run(vectors, k, data);
    Runs.compare("special values", k, Runs.run(interp, k, data), got);
    MemorySegment sums = MemorySegment.ofArray(got.get(3));
    for (int row = 0; row < 60; row++) {
      float sum = sums.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * row);
      assertEquals(row == 2 || row == 11 || row == 20, !Float.isFinite(sum), "row " + row);
    }
  }

  @Test
  void longRowsAndFewOfThemAreLeftAlone() {
    assertFalse(ShortRows.haveTotals(distances(DType.FLOAT32, 3, 40, 8L * Vec.LANES)));
    assertFalse(ShortRows.haveTotals(distances(DType.FLOAT32, 3, 2, 20)));
  }
}
