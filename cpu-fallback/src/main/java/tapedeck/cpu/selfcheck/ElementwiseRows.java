package tapedeck.cpu.selfcheck;

import static tapedeck.ad.type.DType.BOOL;
import static tapedeck.ad.type.DType.FLOAT32;
import static tapedeck.ad.type.DType.FLOAT64;
import static tapedeck.ad.type.DType.INT32;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/** Rows of the elementwise primitives. */
final class ElementwiseRows {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  private static final int[][] SHAPES = {{13}, {}, {1}, {207}, {2, 3, 4}, {0}, {3, 0, 5}};

  /** Broadcast pairs of the JAX and PyTorch test tables, and pairs with an empty axis. */
  private static final int[][][] PAIRS = {
    {{3, 4}, {1, 4}},
    {{3}, {3}},
    {{}, {3, 4}},
    {{3, 1}, {1, 4}},
    {{2, 3, 4}, {2, 1, 4}},
    {{1}, {}},
    {{2}, {}},
    {{1}, {2}},
    {{2, 1}, {2}},
    {{1, 2}, {2}},
    {{3, 2}, {2}},
    {{1, 3, 2}, {2}},
    {{1, 3, 2}, {3, 2}},
    {{3, 1, 2}, {3, 2}},
    {{2, 3, 2}, {}},
    {{3, 1, 2}, {1, 3, 2}},
    {{0}, {1}},
    {{2, 0}, {1}},
    {{13}, {13}},
    {{207}, {1}}
  };

  private ElementwiseRows() {}

  /** Value tuples of one operand. */
  static double[][] points(double... x) {
    return Arrays.stream(x).mapToObj(v -> new double[] {v}).toArray(double[][]::new);
  }

  /** All pairs of some values. */
  static double[][] pairs(double... x) {
    List<double[]> out = new ArrayList<>();
    for (double a : x) {
      for (double b : x) {
        out.add(new double[] {a, b});
      }
    }
    return out.toArray(double[][]::new);
  }

  static OpSample unary(String name, String primitive, UnaryOperator<Tensor> f, Domain domain) {
    List<Variant> variants = new ArrayList<>();
    for (int[] s : SHAPES) {
      variants.add(
          new Variant(Shape.of(s).toString(), x -> f.apply(x[0]), List.of(Operand.of(domain, s))));
    }
    return OpSample.of(name, primitive, variants);
  }

  static OpSample binary(
      String name, String primitive, BinaryOperator<Tensor> f, Domain left, Domain right) {
    List<Variant> variants = new ArrayList<>();
    for (int[][] p : PAIRS) {
      variants.add(
          new Variant(
              Shape.of(p[0]) + "·" + Shape.of(p[1]),
              x -> f.apply(x[0], x[1]),
              List.of(Operand.of(left, p[0]), Operand.of(right, p[1]))));
    }
    return OpSample.of(name, primitive, variants);
  }

  private static OpSample unary(
      Elementwise op, UnaryOperator<Tensor> f, Domain domain, double... specials) {
    return unary(op.label(), OpSamples.key(op), f, domain).at(points(specials));
  }

  private static OpSample binary(
      Elementwise op, BinaryOperator<Tensor> f, Domain left, Domain right, double... specials) {
    return binary(op.label(), OpSamples.key(op), f, left, right).at(pairs(specials));
  }

  static List<OpSample> rows() {
    List<OpSample> rows = new ArrayList<>();
    arithmetic(rows);
    transcendental(rows);
    logic(rows);
    return rows;
  }

  private static final DType[] NUMBERS = {FLOAT32, FLOAT64, INT32};
  private static final double[] EXTREMES = {0.0, -0.0, 1, -1.5, INF, -INF, NAN, 1e30};

  /** With subnormal numbers of both types, which a device may take for zero. */
  private static final double[] TINY = {
    0.0, -0.0, 1, -1.5, INF, -INF, NAN, 1e30, 1e-40, -1e-40, 1e-310
  };

  private static void arithmetic(List<OpSample> rows) {
    Domain any = Domain.ANY;
    Domain apart = Domain.NON_ZERO;
    rows.add(binary(Elementwise.ADD, Tensor::add, any, any, TINY).types(NUMBERS));
    rows.add(
        binary(Elementwise.SUB, Tensor::sub, any, any, TINY).covers("sub", "rsub").types(NUMBERS));
    rows.add(binary(Elementwise.MUL, Tensor::mul, any, any, EXTREMES).types(NUMBERS));
    rows.add(
        binary(Elementwise.DIV, Tensor::div, any, apart, EXTREMES)
            .covers("div", "rdiv")
            .types(NUMBERS)
            .notes("int32 division by 0 gives 0"));
    rows.add(
        binary(
                Elementwise.REM,
                Tensor::rem,
                Domain.of(0.1, 0.9),
                Domain.of(1, 2),
                1,
                -1.5,
                5.25,
                -7,
                INF,
                NAN)
            .types(NUMBERS)
            .notes("sign of the dividend; int32 remainder by 0 gives 0"));
    rows.add(
        binary(
                Elementwise.POW,
                Tensor::pow,
                Domain.POSITIVE,
                any,
                0.0,
                -0.0,
                1,
                -1,
                2,
                -2,
                3,
                0.5,
                INF,
                -INF,
                NAN)
            .slack(8)
            .notes(
                "pow(0, y) has derivative 0 for y, pow(x, 0) derivative 0 for x; IEEE 754 for 1^NaN"
                    + " = 1"));
    rows.add(
        binary("minimum", OpSamples.key(Elementwise.MIN), Tensor::minimum, any, any)
            .at(pairs(0.5, 1, -1.5, INF, -INF, NAN, 1e-40))
            .types(FLOAT32, FLOAT64, INT32, BOOL)
            .notes("each of two equal operands gets half the derivative; NaN wins"));
    rows.add(
        binary("maximum", OpSamples.key(Elementwise.MAX), Tensor::maximum, any, any)
            .at(pairs(0.5, 1, -1.5, INF, -INF, NAN, 1e-40))
            .types(FLOAT32, FLOAT64, INT32, BOOL)
            .notes("each of two equal operands gets half the derivative; NaN wins"));
    rows.add(
        binary(Elementwise.ATAN2, Tensor::atan2, apart, apart, 0.0, -0.0, 1, -1, INF, -INF, NAN)
            .slack(2));
    rows.add(unary(Elementwise.NEG, Tensor::neg, any, TINY).types(NUMBERS));
    rows.add(
        unary(Elementwise.ABS, Tensor::abs, apart, TINY).types(NUMBERS).notes("derivative 0 at 0"));
    rows.add(
        unary(Elementwise.SIGN, Tensor::sign, apart, EXTREMES)
            .types(NUMBERS)
            .notes("derivative 0"));
    double[] halves = {0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e30, INF, -INF, NAN, 8388609};
    Domain inside = Domain.of(0.1, 0.4);
    rows.add(unary(Elementwise.FLOOR, Tensor::floor, inside, halves).notes("derivative 0"));
    rows.add(unary(Elementwise.CEIL, Tensor::ceil, inside, halves).notes("derivative 0"));
    rows.add(
        unary(Elementwise.ROUND, Tensor::round, inside, halves)
            .notes("ties to even; derivative 0"));
  }

  private static void transcendental(List<OpSample> rows) {
    Domain any = Domain.ANY;
    Domain positive = Domain.POSITIVE;
    Domain unit = Domain.of(-0.9, 0.9);
    rows.add(
        unary(Elementwise.SQRT, Tensor::sqrt, positive, 0.0, -0.0, 4, -1, INF, NAN, 1e30)
            .notes("derivative infinite at 0"));
    rows.add(
        unary(Elementwise.RSQRT, Tensor::rsqrt, positive, 0.0, 4, -1, INF, NAN, 1e30).slack(2));
    rows.add(
        unary(Elementwise.EXP, Tensor::exp, any, 0.0, -0.0, 1, 80, -80, 1000, -1000, INF, -INF, NAN)
            .slack(4));
    rows.add(
        unary(
                Elementwise.EXPM1,
                Tensor::expm1,
                any,
                0.0,
                1e-10,
                -1e-10,
                1,
                80,
                1000,
                -1000,
                INF,
                -INF,
                NAN)
            .slack(4));
    rows.add(
        unary(
                Elementwise.LOG,
                Tensor::log,
                positive,
                0.0,
                -0.0,
                1,
                -1,
                1e-30,
                1e30,
                1.0001,
                INF,
                NAN)
            .slack(4));
    rows.add(
        unary(
                Elementwise.LOG1P,
                Tensor::log1p,
                Domain.of(-0.7, 2),
                0.0,
                -1,
                -2,
                1e-10,
                -1e-10,
                1e30,
                INF,
                NAN)
            .slack(4));
    double quarter = Math.PI / 4;
    double[] angles = {
      0.0, -0.0, quarter, 2 * quarter, 4 * quarter, -4 * quarter, 100, -1000, INF, -INF, NAN
    };
    rows.add(unary(Elementwise.SIN, Tensor::sin, any, angles).slack(4));
    rows.add(unary(Elementwise.COS, Tensor::cos, any, angles).slack(4));
    rows.add(
        unary(
                Elementwise.TAN,
                Tensor::tan,
                Domain.of(-1.3, 1.3),
                0.0,
                -0.0,
                quarter,
                1.3,
                100,
                INF,
                NAN)
            .slack(8));
    double[] around = {0.0, -0.0, 0.5, -0.5, 1, -1, 1.5, INF, NAN};
    rows.add(
        unary(Elementwise.ASIN, Tensor::asin, unit, around)
            .slack(4)
            .notes("derivative infinite at 1 and -1"));
    rows.add(
        unary(Elementwise.ACOS, Tensor::acos, unit, around)
            .slack(4)
            .notes("derivative infinite at 1 and -1"));
    rows.add(
        unary(Elementwise.ATAN, Tensor::atan, any, 0.0, -0.0, 1, -1, 1000, -1e30, INF, -INF, NAN)
            .slack(4));
    double[] wide = {0.0, -0.0, 1e-10, 1, -1, 30, -30, 1000, -1000, INF, -INF, NAN};
    rows.add(unary(Elementwise.SINH, Tensor::sinh, any, wide).slack(4));
    rows.add(unary(Elementwise.COSH, Tensor::cosh, any, wide).slack(4));
    rows.add(unary(Elementwise.TANH, Tensor::tanh, any, wide).slack(4));
    rows.add(
        unary(
                Elementwise.SIGMOID,
                Tensor::sigmoid,
                any,
                0.0,
                1,
                -1,
                30,
                -30,
                -80,
                1000,
                -1000,
                INF,
                -INF,
                NAN)
            .slack(4));
    rows.add(
        unary(
                Elementwise.ERF,
                Tensor::erf,
                any,
                0.0,
                -0.0,
                1e-10,
                0.5,
                1,
                -1,
                2,
                3,
                5,
                10,
                -10,
                INF,
                -INF,
                NAN)
            .slack(8));
    rows.add(
        unary(
                Elementwise.ERFC,
                Tensor::erfc,
                any,
                0.0,
                0.5,
                1,
                -1,
                2,
                3,
                5,
                8,
                10,
                -10,
                INF,
                -INF,
                NAN)
            .slack(16));
  }

  private static void logic(List<OpSample> rows) {
    DType[] all = {FLOAT32, FLOAT64, INT32, BOOL};
    Domain few = Domain.ints(-1, 2);
    rows.add(
        binary(Elementwise.LT, Tensor::lt, few, few, EXTREMES)
            .covers("lt", "gt")
            .types(all)
            .order(0));
    rows.add(
        binary(Elementwise.LE, Tensor::le, few, few, EXTREMES)
            .covers("le", "ge")
            .types(all)
            .order(0));
    rows.add(binary(Elementwise.EQ, Tensor::eq, few, few, EXTREMES).types(all).order(0));
    rows.add(
        binary(Elementwise.NE, Tensor::ne, few, few, EXTREMES)
            .covers("ne", "isNan")
            .types(all)
            .order(0));
    Domain words = Domain.ints(Integer.MIN_VALUE, Integer.MAX_VALUE);
    rows.add(binary(Elementwise.AND, Tensor::and, words, words).types(BOOL, INT32).order(0));
    rows.add(binary(Elementwise.OR, Tensor::or, words, words).types(BOOL, INT32).order(0));
    rows.add(binary(Elementwise.XOR, Tensor::xor, words, words).types(BOOL, INT32).order(0));
    rows.add(unary(Elementwise.NOT, Tensor::not, words).types(BOOL, INT32).order(0));
    Domain distance = Domain.ints(0, 31);
    rows.add(binary(Elementwise.SHL, Tensor::shl, words, distance).types(INT32).order(0));
    rows.add(binary(Elementwise.SHR, Tensor::shr, words, distance).types(INT32).order(0));
    rows.add(binary(Elementwise.UMULHI, Tensor::umulhi, words, words).types(INT32).order(0));
    List<Variant> where = new ArrayList<>();
    int[][][] triples = {
      {{13}, {13}, {13}},
      {{3, 1}, {4}, {}},
      {{}, {2, 3}, {3}},
      {{2, 1, 3}, {1}, {2, 2, 3}},
      {{0}, {1}, {0}}
    };
    for (int[][] t : triples) {
      where.add(
          new Variant(
              Shape.of(t[0]) + "·" + Shape.of(t[1]) + "·" + Shape.of(t[2]),
              x -> x[0].where(x[1], x[2]),
              List.of(
                  Operand.of(BOOL, Domain.ANY, t[0]),
                  Operand.of(Domain.ANY, t[1]),
                  Operand.of(Domain.ANY, t[2]))));
    }
    rows.add(
        OpSample.of("where", OpSamples.key(Elementwise.SELECT), where)
            .types(all)
            .notes("the branch not chosen gets derivative 0 times its own"));
  }
}
