package tapedeck.cpu.selfcheck;

import static tapedeck.ad.type.DType.FLOAT32;
import static tapedeck.ad.type.DType.FLOAT64;
import static tapedeck.ad.type.DType.INT32;
import static tapedeck.cpu.selfcheck.ElementwiseRows.points;
import static tapedeck.cpu.selfcheck.ElementwiseRows.unary;
import static tapedeck.cpu.selfcheck.StructureRows.one;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import tapedeck.ad.tensor.Tensor;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/** Rows of the tensor methods that are composed of primitives. */
final class CompositeRows {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private CompositeRows() {}

  static List<OpSample> rows() {
    List<OpSample> rows = new ArrayList<>();
    Domain any = Domain.ANY;
    Domain apart = Domain.NON_ZERO;
    rows.add(unary("square", "", Tensor::square, any).types(FLOAT32, FLOAT64, INT32));
    rows.add(
        unary("reciprocal", "", Tensor::reciprocal, apart).at(points(0.0, -0.0, INF, -INF, NAN)));
    rows.add(
        unary("clamp", "", x -> x.clamp(-1, 1), Domain.of(-0.9, 0.9))
            .at(points(-1, 1, -5, 5, INF, -INF, NAN))
            .notes("half the derivative at a bound"));
    rows.add(
        unary("scalars", "", x -> x.add(1).mul(2).sub(3).div(4).rsub(5).rdiv(6), any).covers());
    rows.add(
        unary("relu", "", Tensor::relu, apart)
            .at(points(0.0, -0.0, 1, -1, INF, -INF, NAN))
            .notes("derivative 0 at 0"));
    rows.add(unary("gelu", "", Tensor::gelu, any).slack(16).at(points(0.0, 3, -3, 30, -5, NAN)));
    rows.add(
        unary("softplus", "", Tensor::softplus, apart)
            .slack(4)
            .at(points(0.0, 30, -30, 1000, -1000, INF, NAN)));
    rows.add(unary("silu", "", Tensor::silu, any).slack(4).at(points(0.0, 30, -30, 1000, NAN)));
    rows.add(
        unary("normalCdf", "", Tensor::normalCdf, any)
            .slack(32)
            .at(points(0.0, 1, -1, 5, -5, INF, -INF, NAN)));
    rows.add(
        unary("normalPdf", "", Tensor::normalPdf, any)
            .slack(8)
            .at(points(0.0, 1, -4, INF, -INF, NAN)));
    rows.add(
        unary(
                "powers",
                "",
                x -> x.pow(2).add(x.pow(3)).mul(x.pow(0.5)).add(x.pow(-1.5)),
                Domain.POSITIVE)
            .covers()
            .slack(16));
    rows.add(
        overAxes("logSumExp", Tensor::logSumExp).slack(8).notes("shifted by the largest element"));
    rows.add(overAxes("variance", Tensor::variance).slack(8).notes("divided by n"));
    rows.add(overAxes("std", Tensor::std).slack(16));
    rows.add(overAxes("norm", Tensor::norm).slack(8).notes("derivative NaN at 0"));
    rows.add(overAxes("norm1", Tensor::norm1).slack(8));
    rows.add(alongAxis("softmax", Tensor::softmax));
    rows.add(alongAxis("logSoftmax", Tensor::logSoftmax));
    rows.add(
        OpSample.of(
                "crossEntropy",
                "",
                List.of(
                    new Variant(
                        "(4,3)",
                        x -> Tensor.crossEntropy(x[0], x[1]),
                        List.of(Operand.of(any, 4, 3), Operand.of(INT32, Domain.ints(0, 2), 4))),
                    new Variant(
                        "(13,10)",
                        x -> Tensor.crossEntropy(x[0], x[1]),
                        List.of(
                            Operand.of(any, 13, 10), Operand.of(INT32, Domain.ints(0, 9), 13)))))
            .slack(8));
    rows.add(
        OpSample.of(
                "layer norm",
                "",
                List.of(
                    new Variant(
                        "(3,7)",
                        x ->
                            x[0].sub(x[0].mean(true, -1))
                                .div(x[0].variance(-1).expandDims(-1).add(1e-3).sqrt())
                                .mul(x[1])
                                .add(x[2]),
                        List.of(Operand.of(any, 3, 7), Operand.of(any, 7), Operand.of(any, 7)))))
            .covers()
            .slack(32));
    rows.add(
        OpSample.of(
                "mlp loss",
                "",
                List.of(
                    new Variant(
                        "5-4-3",
                        x ->
                            Tensor.crossEntropy(
                                x[0].matmul(x[1]).add(x[2]).tanh().matmul(x[3]).add(x[4]), x[5]),
                        List.of(
                            Operand.of(any, 6, 5),
                            Operand.of(any, 5, 4),
                            Operand.of(any, 4),
                            Operand.of(any, 4, 3),
                            Operand.of(any, 3),
                            Operand.of(INT32, Domain.ints(0, 2), 6)))))
            .covers()
            .slack(16));
    return rows;
  }

  private interface OverAxes {
    Tensor apply(Tensor x, int... axes);
  }

  private static OpSample overAxes(String name, OverAxes f) {
    List<Variant> variants = new ArrayList<>();
    // Away from 0: the norms have a kink there.
    for (int[] s : new int[][] {{3, 5}, {13}, {2, 3, 4}, {207}}) {
      variants.add(one("all", Domain.NON_ZERO, x -> f.apply(x[0]), s));
      if (s.length > 1) {
        variants.add(one("0", Domain.NON_ZERO, x -> f.apply(x[0], 0), s));
        variants.add(one("-1", Domain.NON_ZERO, x -> f.apply(x[0], -1), s));
      }
    }
    return OpSample.of(name, "", variants);
  }

  private static OpSample alongAxis(String name, BiFunction<Tensor, Integer, Tensor> f) {
    List<Variant> variants = new ArrayList<>();
    for (int[] s : new int[][] {{3, 5}, {13}, {2, 3, 4}, {1, 207}, {0, 3}}) {
      variants.add(one("-1", x -> f.apply(x[0], -1), s));
      if (s.length > 1) {
        variants.add(one("0", x -> f.apply(x[0], 0), s));
      }
    }
    return OpSample.of(name, "", variants).slack(8);
  }
}
