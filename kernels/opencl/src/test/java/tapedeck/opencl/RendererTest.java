package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.opencl.render.Rendered;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.render.TensorCores;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Tuning;
import tapedeck.opencl.tuning.TuningDatabase;

/** Which form each kind of kernel gets, and what its text holds; no device is needed. */
class RendererTest {
  private static final DType F = DType.FLOAT32;
  private static final Target GPU =
      new Target(Profile.GPU, 132, 1024, 48 << 10, 16, true, TensorCores.NONE);
  private static final Target CPU =
      new Target(Profile.CPU, 8, 4096, 1 << 20, 64, true, TensorCores.NONE);

  private static Tuning shipped(Target t) {
    Hardware h = new Hardware(t.profile(), "?", "?", "", "?", t.maxGroup(), t.localBytes());
    return TuningDatabase.lookup(List.of(TuningDatabase.shipped()), h).tuning();
  }

  private static Rendered render(Target t, Kernel k) {
    return new Renderer(t, shipped(t)).render(k, Runs.distinct(k));
  }

  private static Kernel.Param in(long n) {
    return new Kernel.Param(F, n, true, false);
  }

  private static Kernel.Param out(long n) {
    return new Kernel.Param(F, n, false, true);
  }

  private static Kernel elementwise(long n) {
    Loop i = new Loop(0, n);
    Expr x = new Expr.Load(0, F, Index.of(i));
    Expr y = Expr.apply(ScalarOp.EXP, F, x);
    Expr z = Expr.apply(ScalarOp.MUL, F, y, Expr.apply(ScalarOp.ADD, F, y, x));
    return new Kernel(
        List.of(in(n), out(n)),
        List.of(i),
        List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i), z)))),
        Optional.empty());
  }

  static Kernel rowSums(long rows, long columns) {
    Loop i = new Loop(0, rows);
    Loop j = new Loop(1, columns);
    Index at = Index.of(i).times(columns).plus(Index.of(j));
    return sums(i, j, at, rows, columns);
  }

  static Kernel columnSums(long rows, long columns) {
    Loop i = new Loop(0, columns);
    Loop j = new Loop(1, rows);
    Index at = Index.of(j).times(columns).plus(Index.of(i));
    return sums(i, j, at, rows, columns);
  }

  private static Kernel sums(Loop grid, Loop reduced, Index at, long rows, long columns) {
    return new Kernel(
        List.of(in(rows * columns), out(grid.extent())),
        List.of(grid),
        List.of(
            new Phase.Reduce(
                List.of(reduced),
                List.of(new Phase.Accumulator(0, Reducer.SUM, F, new Expr.Load(0, F, at)))),
            new Phase.Emit(
                List.of(), List.of(new Phase.Store(1, Index.of(grid), new Expr.Acc(0, F))))),
        Optional.empty());
  }

  /** {@code x * x + x}, which is exact for small integers. */
  static Kernel sumsOfSquares(long n) {
    Loop i = new Loop(0, n);
    Expr x = new Expr.Load(0, F, Index.of(i));
    Expr z = Expr.apply(ScalarOp.ADD, F, Expr.apply(ScalarOp.MUL, F, x, x), x);
    return new Kernel(
        List.of(in(n), out(n)),
        List.of(i),
        List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i), z)))),
        Optional.empty());
  }

  private static Kernel product(long m, long n, long k) {
    Loop lm = new Loop(0, m);
    Loop ln = new Loop(1, n);
    Loop lk = new Loop(2, k);
    Expr a = new Expr.Load(0, F, Index.of(lm).times(k).plus(Index.of(lk)));
    Expr b = new Expr.Load(1, F, Index.of(lk).times(n).plus(Index.of(ln)));
    return new Kernel(
        List.of(in(m * k), in(k * n), out(m * n)),
        List.of(lm, ln),
        List.of(
            new Phase.Reduce(
                List.of(lk),
                List.of(
                    new Phase.Accumulator(0, Reducer.SUM, F, Expr.apply(ScalarOp.MUL, F, a, b)))),
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        2, Index.of(lm).times(n).plus(Index.of(ln)), new Expr.Acc(0, F))))),
        Optional.of(
            new Contraction(
                List.of(), List.of(lm), List.of(ln), List.of(lk), a, b, Precision.HIGHEST)));
  }

  @Test
  void contiguousElementwiseKernelsUseVectorsOfSixteenBytesOnGpus() {
    Rendered r = render(GPU, elementwise(1 << 22));
    assertEquals("grid x4", r.strategy());
    assertTrue(r.source().contains("*(const __global float4*)"), r.source());
    assertEquals("grid", render(GPU, elementwise((1 << 22) + 1)).strategy());
    assertEquals("grid", render(GPU, elementwise(4096)).strategy(), "too few points for vectors");
  }

  @Test
  void longRowsGetAWorkGroup() {
    assertEquals("rows 1 x 256 lanes x4", render(GPU, rowSums(4096, 4096)).strategy());
    assertEquals("rows 16 x 16 lanes x4", render(GPU, rowSums(4096, 64)).strategy());
    assertEquals("grid", render(GPU, rowSums(4096, 10)).strategy());
  }

  @Test
  void columnsAreReadSideBySide() {
    Rendered few = render(GPU, columnSums(4096, 512));
    assertEquals("columns 32 x 8 lanes", few.strategy());
    assertEquals(16 * 256, few.global()[0]);
    assertTrue(render(GPU, columnSums(4096, 1 << 20)).strategy().startsWith("grid"));
    assertEquals("vectors x16", render(CPU, columnSums(4096, 512)).strategy());
    assertEquals("rows x16", render(CPU, rowSums(4096, 512)).strategy());
  }

  @Test
  void productsGetTilesThatFillTheDevice() {
    assertEquals("product tile 128x128x8", render(GPU, product(4096, 4096, 512)).strategy());
    assertEquals("product tile 64x64x16", render(GPU, product(1024, 1024, 512)).strategy());
    assertEquals("product tile 32x32x32 sliced", render(GPU, product(128, 512, 784)).strategy());
    assertFalse(render(GPU, product(4096, 4, 512)).strategy().startsWith("product"));
    assertTrue(render(CPU, product(128, 512, 784)).strategy().startsWith("product"));
  }

  @Test
  void sharedValuesAreComputedOnce() {
    String s = render(GPU, elementwise(4095)).source();
    assertEquals(s.indexOf("exp("), s.lastIndexOf("exp("), s);
    assertEquals(s.indexOf("p0["), s.lastIndexOf("p0["), s);
  }

  @Test
  void valuesMoveOutOfLoopsButNotOutOfConditions() {
    Loop i = new Loop(0, 100);
    Loop j = new Loop(1, 10);
    Expr invariant = Expr.apply(ScalarOp.LOG, F, new Expr.Load(0, F, Index.of(i)));
    Expr guarded =
        new Expr.Guarded(
            List.of(new Expr.Bound(Index.of(i), 0, 50)),
            new Expr.Load(1, F, Index.of(i)),
            Expr.constant(F, 0));
    Expr value =
        Expr.apply(
            ScalarOp.ADD,
            F,
            Expr.apply(ScalarOp.MUL, F, invariant, new Expr.Load(2, F, Index.of(j))),
            guarded);
    Kernel k =
        new Kernel(
            List.of(in(100), in(50), in(10), out(100)),
            List.of(i),
            List.of(
                new Phase.Reduce(
                    List.of(j), List.of(new Phase.Accumulator(0, Reducer.SUM, F, value))),
                new Phase.Emit(
                    List.of(), List.of(new Phase.Store(3, Index.of(i), new Expr.Acc(0, F))))),
            Optional.empty());
    String s = render(GPU, k).source();
    int loop = s.indexOf("for (int i1");
    assertTrue(s.indexOf("log(") < loop, s);
    int condition = s.indexOf("if (i0 < 50)");
    assertTrue(condition > 0 && condition < s.indexOf("p1["), s);
  }

  @Test
  void aliasedParametersAreNotRestrict() {
    Kernel k = elementwise(100);
    Renderer r = new Renderer(CPU, shipped(CPU));
    assertTrue(r.render(k, List.of(0, 1)).source().contains("const float *restrict p0"));
    String shared = r.render(k, List.of(0, 0)).source();
    assertTrue(shared.contains("__global float *p0") && !shared.contains("restrict"), shared);
  }

  @Test
  void equalKernelsHaveEqualTextsAndNames() {
    assertEquals(render(GPU, elementwise(64)).source(), render(GPU, elementwise(64)).source());
    assertNotEquals(render(GPU, elementwise(64)).entry(), render(GPU, elementwise(65)).entry());
  }

  @Test
  void indicesHave64BitsWhereTheyMust() {
    assertTrue(render(GPU, elementwise(1L << 20)).source().contains("for (int g"));
    assertTrue(render(GPU, elementwise(1L << 33)).source().contains("for (long g"));
  }
}
