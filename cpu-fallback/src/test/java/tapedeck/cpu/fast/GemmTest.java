package tapedeck.cpu.fast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Packed matrix products against plain float64 loops. */
class GemmTest {
  private final Loop b = new Loop(0, 3);

  private static Index at(Loop outer, Loop middle, Loop inner) {
    return Index.of(outer)
        .times(middle.extent() * inner.extent())
        .plus(Index.of(middle).times(inner.extent()))
        .plus(Index.of(inner));
  }

  /** Three products with bias and tanh; the operands may be transposed, the left one squared. */
  private static Kernel product(
      DType t, Loop b, Loop m, Loop n, Loop k, boolean ta, boolean tb, boolean squared) {
    Expr left = new Expr.Load(0, t, ta ? at(b, k, m) : at(b, m, k));
    Expr lhs = squared ? Expr.apply(ScalarOp.MUL, t, left, left) : left;
    Expr rhs = new Expr.Load(1, t, tb ? at(b, n, k) : at(b, k, n));
    Expr sum = Expr.apply(ScalarOp.ADD, t, new Expr.Acc(0, t), new Expr.Load(2, t, Index.of(n)));
    return new Kernel(
        List.of(
            new Kernel.Param(t, b.extent() * m.extent() * k.extent(), true, false),
            new Kernel.Param(t, b.extent() * k.extent() * n.extent(), true, false),
            new Kernel.Param(t, n.extent(), true, false),
            new Kernel.Param(t, b.extent() * m.extent() * n.extent(), false, true)),
        List.of(b, m, n),
        List.of(
            new Phase.Reduce(
                List.of(k),
                List.of(
                    new Phase.Accumulator(
                        0, Reducer.SUM, t, Expr.apply(ScalarOp.MUL, t, lhs, rhs)))),
            new Phase.Emit(
                List.of(),
                List.of(new Phase.Store(3, at(b, m, n), Expr.apply(ScalarOp.TANH, t, sum))))),
        Optional.of(new Contraction(List.of(b), List.of(m), List.of(n), List.of(k), lhs, rhs)));
  }

  @Test
  void oddShapesOperandsAndEpilogues() {
    Assumptions.assumeTrue(Vectors.ofMachine().bits() > 0, "no vectors on this machine");
    long[][] shapes = {
      {4, 200, 11}, {5, 4, 700}, {33, 49, 17}, {131, 97, 129}, {128, 48, 128}, {17, 300, 260}
    };
    try (Device device = new FastDevice()) {
      int option = 0;
      for (long[] s : shapes) {
        for (DType t : List.of(DType.FLOAT32, DType.FLOAT64)) {
          for (int o = 0; o < 4; o++) {
            option++;
            check(device, t, s, (o & 1) != 0, (o & 2) != 0, option % 3 == 0);
          }
        }
      }
    }
  }

  private void check(Device device, DType t, long[] s, boolean ta, boolean tb, boolean squared) {
    Loop m1 = new Loop(1, s[0]);
    Loop n1 = new Loop(2, s[1]);
    Loop k1 = new Loop(3, s[2]);
    Kernel kernel = product(t, b, m1, n1, k1, ta, tb, squared);
    assertTrue(GemmPlan.accepts(kernel, Vectors.ofMachine()), "runs as a packed product");
    List<byte[]> data = Runs.data(kernel, s[0]);
    byte[] out = Runs.run(device, kernel, data).get(3);
    List<Kernel.Param> p = kernel.params();
    for (long q = 0; q < b.extent(); q++) {
      for (long i = 0; i < s[0]; i++) {
        for (long j = 0; j < s[1]; j++) {
          double sum = 0;
          for (long l = 0; l < s[2]; l++) {
            long row = ta ? l * s[0] + i : i * s[2] + l;
            long column = tb ? j * s[2] + l : l * s[1] + j;
            double x = Runs.at(p.get(0), data.get(0), q * s[0] * s[2] + row);
            double y = Runs.at(p.get(1), data.get(1), q * s[1] * s[2] + column);
            sum += (squared ? x * x : x) * y;
          }
          double expected = Math.tanh(sum + Runs.at(p.get(2), data.get(2), j));
          double actual = Runs.at(p.get(3), out, (q * s[0] + i) * s[1] + j);
          assertEquals(expected, actual, t == DType.FLOAT32 ? 1e-3 : 1e-11);
        }
      }
    }
  }
}
