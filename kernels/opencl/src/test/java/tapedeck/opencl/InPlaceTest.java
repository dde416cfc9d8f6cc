package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
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

/** Kernels that write their result over an operand, in every form. */
class InPlaceTest {
  private static final DType F = DType.FLOAT32;

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  private static Kernel.Param param(long n, boolean written) {
    return new Kernel.Param(F, n, !written, written);
  }

  /** x becomes x - max + sum(x - max) in each row, as a softmax would. */
  private static Kernel rows(int rows, int columns) {
    Loop i = new Loop(0, rows);
    List<Loop> j = List.of(new Loop(1, columns), new Loop(2, columns), new Loop(3, columns));
    List<Index> at = j.stream().map(l -> Index.of(i).times(columns).plus(Index.of(l))).toList();
    Expr max = new Expr.Acc(0, F);
    Expr sum = new Expr.Acc(1, F);
    List<Expr> shifted =
        at.stream().map(x -> Expr.apply(ScalarOp.SUB, F, new Expr.Load(0, F, x), max)).toList();
    return new Kernel(
        List.of(param((long) rows * columns, false), param((long) rows * columns, true)),
        List.of(i),
        List.of(
            new Phase.Reduce(
                List.of(j.get(0)),
                List.of(new Phase.Accumulator(0, Reducer.MAX, F, new Expr.Load(0, F, at.get(0))))),
            new Phase.Reduce(
                List.of(j.get(1)),
                List.of(new Phase.Accumulator(1, Reducer.SUM, F, shifted.get(1)))),
            new Phase.Emit(
                List.of(j.get(2)),
                List.of(
                    new Phase.Store(
                        1, at.get(2), Expr.apply(ScalarOp.ADD, F, shifted.get(2), sum))))),
        Optional.empty());
  }

  /** Two results of one operand, the first over the operand: both must see its old value. */
  private static Kernel two(int n) {
    Loop i = new Loop(0, n);
    Index at = Index.of(i);
    Expr x = new Expr.Load(0, F, at);
    return new Kernel(
        List.of(param(n, false), param(n, true), param(n, true)),
        List.of(i),
        List.of(
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(1, at, Expr.apply(ScalarOp.ADD, F, x, Expr.constant(F, 1))),
                    new Phase.Store(2, at, Expr.apply(ScalarOp.MUL, F, x, x))))),
        Optional.empty());
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void agreesWithInterpreter(String profile) {
    Random random = new Random(3);
    List<Runs.Case> cases = new ArrayList<>();
    for (Kernel k : List.of(rows(5, 300), rows(40, 64), rows(3, 7), rows(600, 33))) {
      double[] x = random.ints(k.params().get(0).elements(), -9, 10).asDoubleStream().toArray();
      cases.add(new Runs.Case(k, List.of(0, 0), List.of(x)));
    }
    for (Kernel k : List.of(two(4096), two(1003), two(70_001))) {
      double[] x = random.ints(k.params().get(0).elements(), -9, 10).asDoubleStream().toArray();
      cases.add(new Runs.Case(k, List.of(0, 0, 1), List.of(x)));
    }
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> actual = Runs.run(cl, cases);
      for (int i = 0; i < expected.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i), profile + ", output " + i);
      }
    }
  }
}
