package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/** Rows that several phases read, kept in registers and not: the same bits. */
class KeptLoadsTest {
  private static final DType F = DType.FLOAT32;

  /** Each row times a weight of each column, divided by its largest element and by the sum. */
  private static Kernel scaled(long rows, long columns) {
    Loop i = new Loop(0, rows);
    Loop[] j = {new Loop(1, columns), new Loop(2, columns), new Loop(3, columns)};
    List<Expr> x = new ArrayList<>();
    List<Index> at = new ArrayList<>();
    for (Loop l : j) {
      at.add(Index.of(i).times(columns).plus(Index.of(l)));
      Expr value = new Expr.Load(0, F, at.getLast());
      x.add(Expr.apply(ScalarOp.MUL, F, value, new Expr.Load(1, F, Index.of(l))));
    }
    Expr largest = new Expr.Acc(0, F);
    Expr part = Expr.apply(ScalarOp.DIV, F, x.get(1), largest);
    Expr out =
        Expr.apply(
            ScalarOp.DIV, F, Expr.apply(ScalarOp.DIV, F, x.get(2), largest), new Expr.Acc(1, F));
    return new Kernel(
        List.of(
            new Kernel.Param(F, rows * columns, true, false),
            new Kernel.Param(F, columns, true, false),
            new Kernel.Param(F, rows * columns, false, true)),
        List.of(i),
        List.of(
            new Phase.Reduce(
                List.of(j[0]), List.of(new Phase.Accumulator(0, Reducer.MAX, F, x.get(0)))),
            new Phase.Reduce(
                List.of(j[1]), List.of(new Phase.Accumulator(1, Reducer.SUM, F, part))),
            new Phase.Emit(List.of(j[2]), List.of(new Phase.Store(2, at.get(2), out)))),
        Optional.empty());
  }

  @Test
  void keptRowsGiveTheSameBits() {
    Random random = new Random(9);
    long[][] shapes = {{3, 2048}, {5, 1000}, {2, 777}, {70, 64}, {2, 12000}};
    try (Device cl = TestDevices.open("gpu");
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      Parameters reduce = ((Tunable) cl).tuning().get(Template.REDUCE_GROUPS);
      Tuning with = ((Tunable) cl).tuning().with(reduce.with("keep", 64));
      Tuning without = with.with(reduce.with("keep", 0));
      Renderer renderer = new Renderer(((OpenClDevice) cl).description().target(), with);
      List<Runs.Case> cases = new ArrayList<>();
      List<String> strategies = new ArrayList<>();
      for (long[] s : shapes) {
        Kernel k = scaled(s[0], s[1]);
        strategies.add(renderer.render(k, Runs.distinct(k)).strategy());
        List<double[]> inputs = new ArrayList<>();
        for (int p = 0; p < 2; p++) {
          inputs.add(
              random.doubles(k.params().get(p).elements(), 0.5, 2).map(v -> (float) v).toArray());
        }
        cases.add(new Runs.Case(k, Runs.distinct(k), inputs));
      }
      // Of the longest rows one operand fits and the other does not.
      assertEquals(
          List.of(
              "rows 1 x 256 lanes x4 kept",
              "rows 1 x 256 lanes kept",
              "rows 1 x 256 lanes kept",
              "rows 16 x 16 lanes x4 kept",
              "rows 1 x 256 lanes x4 kept"),
          strategies);
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> kept = Runs.run(cl, cases, s -> ((Tunable) cl).compile(s, with));
      List<double[]> plain = Runs.run(cl, cases, s -> ((Tunable) cl).compile(s, without));
      for (int i = 0; i < shapes.length; i++) {
        assertArrayEquals(plain.get(i), kept.get(i), strategies.get(i));
        for (int e = 0; e < kept.get(i).length; e++) {
          assertEquals(1, kept.get(i)[e] / expected.get(i)[e], 1e-5, strategies.get(i));
        }
      }
    }
  }

  @Test
  void aRowIsReadOnce() {
    try (Device cl = TestDevices.open("gpu")) {
      Tuning tuning = ((Tunable) cl).tuning();
      Tuning with = tuning.with(tuning.get(Template.REDUCE_GROUPS).with("keep", 64));
      var target = ((OpenClDevice) cl).description().target();
      Kernel k = scaled(3, 2048);
      String s = new Renderer(target, with).render(k, Runs.distinct(k)).source();
      assertEquals(1, s.split("\\(p0 \\+", -1).length - 1, s);
      // A row that shares memory with what is written may have changed.
      String shared = new Renderer(target, with).render(k, List.of(0, 1, 0)).source();
      assertEquals(3, shared.split("\\(p0 \\+", -1).length - 1, shared);
    }
  }
}
