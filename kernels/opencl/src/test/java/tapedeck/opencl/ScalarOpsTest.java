package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.interp.InterpProvider;

/**
 * Every scalar instruction in every type, on special and random values, as scalars and as vectors.
 */
class ScalarOpsTest {
  private static final double[] FLOATS = {
    0.0,
    -0.0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3,
    -3,
    100,
    -100,
    1e-3,
    1e-40,
    3e38,
    -3e38,
    2147483648.0,
    -2147483648.0,
    1e10,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY
  };
  private static final double[] INTS = {
    0, 1, -1, 2, -2, 3, 7, -7, 31, 100, -100, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE
  };

  /** An instruction on one operand type. */
  private record Row(ScalarOp op, DType in, DType out) {}

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  private static List<Row> rows(boolean float64) {
    List<Row> out = new ArrayList<>();
    for (ScalarOp op : ScalarOp.values()) {
      for (DType t : DType.values()) {
        if (t == DType.FLOAT64 && !float64) {
          continue;
        }
        if (op == ScalarOp.CAST) {
          for (DType to : DType.values()) {
            if (to != t && (to != DType.FLOAT64 || float64)) {
              out.add(new Row(op, t, to));
            }
          }
        } else if (accepts(op, t)) {
          out.add(new Row(op, t, op.isComparison() ? DType.BOOL : t));
        }
      }
    }
    return out;
  }

  private static boolean accepts(ScalarOp op, DType t) {
    return switch (op) {
      case ADD, SUB, MUL, DIV, REM, NEG, ABS, SIGN -> t != DType.BOOL;
      case MIN, MAX, LT, LE, EQ, NE, SELECT -> true;
      case POW,
          ATAN2,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          RSQRT,
          EXP,
          EXPM1,
          LOG,
          LOG1P,
          SIN,
          COS,
          TAN,
          ASIN,
          ACOS,
          ATAN,
          SINH,
          COSH,
          TANH,
          SIGMOID,
          ERF,
          ERFC ->
          t.isFloat();
      case AND, OR, XOR, NOT -> !t.isFloat();
      case SHL, SHR, UMULHI -> t == DType.INT32;
      case CAST -> true;
    };
  }

  private static Expr value(Row r, Index at) {
    Expr a = new Expr.Load(0, r.in(), at);
    Expr b = new Expr.Load(1, r.in(), at);
    if (r.op() == ScalarOp.SHL || r.op() == ScalarOp.SHR) {
      b = Expr.apply(ScalarOp.AND, r.in(), b, Expr.constant(r.in(), 31));
    }
    return switch (r.op().arity()) {
      case 1 -> Expr.apply(r.op(), r.out(), a);
      case 2 -> Expr.apply(r.op(), r.out(), a, b);
      default -> Expr.apply(r.op(), r.out(), new Expr.Load(2, DType.BOOL, at), a, b);
    };
  }

  /** One kernel that computes several instructions on the same operands. */
  private static Runs.Case testCase(List<Row> rows, int n) {
    Loop i = new Loop(0, n);
    DType t = rows.get(0).in();
    List<Kernel.Param> params = new ArrayList<>();
    for (DType in : List.of(t, t, DType.BOOL)) {
      params.add(new Kernel.Param(in, n, true, false));
    }
    List<Phase.Store> stores = new ArrayList<>();
    for (Row r : rows) {
      stores.add(new Phase.Store(params.size(), Index.of(i), value(r, Index.of(i))));
      params.add(new Kernel.Param(r.out(), n, false, true));
    }
    double[] special = t.isFloat() ? FLOATS : t == DType.INT32 ? INTS : new double[] {0, 1};
    Random random = new Random(7);
    double[] x = new double[n];
    double[] y = new double[n];
    double[] c = new double[n];
    for (int k = 0; k < n; k++) {
      boolean pairs = k < special.length * special.length;
      x[k] = pairs ? special[k / special.length] : random(t, random);
      y[k] = pairs ? special[k % special.length] : random(t, random);
      c[k] = k % 2;
    }
    Kernel kernel =
        new Kernel(
            params, List.of(i), List.of(new Phase.Emit(List.of(), stores)), Optional.empty());
    return new Runs.Case(kernel, Runs.distinct(kernel), List.of(x, y, c));
  }

  private static double random(DType t, Random r) {
    return switch (t) {
      case FLOAT32 -> (float) (r.nextGaussian() * 3);
      case FLOAT64 -> r.nextGaussian() * 3;
      case INT32 -> r.nextInt() >> r.nextInt(32);
      case BOOL -> r.nextInt(2);
    };
  }

  /** OpenCL's bound for single and double precision, in units in the last place; 0 means exact. */
  private static int ulps(ScalarOp op) {
    return switch (op) {
      case POW, ERF, ERFC -> 16;
      case ATAN2 -> 6;
      case TAN, ATAN, SIGMOID, TANH -> 5;
      case SINH, COSH, ASIN, ACOS, SIN, COS -> 4;
      case EXP, EXPM1, LOG, LOG1P -> 3;
      case RSQRT -> 2;
      case ADD,
          SUB,
          MUL,
          DIV,
          REM,
          MIN,
          MAX,
          NEG,
          ABS,
          SIGN,
          FLOOR,
          CEIL,
          ROUND,
          SQRT,
          LT,
          LE,
          EQ,
          NE,
          AND,
          OR,
          XOR,
          NOT,
          SHL,
          SHR,
          UMULHI,
          SELECT,
          CAST ->
          0;
    };
  }

  private static boolean close(Row r, double expected, double actual) {
    if (expected == actual || (Double.isNaN(expected) && Double.isNaN(actual))) {
      return true;
    }
    double ulp =
        r.out() == DType.FLOAT32
            ? Math.max(Math.ulp((float) expected), Math.ulp(Float.MIN_NORMAL))
            : Math.ulp(expected);
    // The interpreter's own library functions are within 2.5 ulp in double precision.
    int allowed = ulps(r.op()) + (r.out() == DType.FLOAT64 && ulps(r.op()) > 0 ? 3 : 0);
    return r.out().isFloat() && Math.abs(expected - actual) <= allowed * ulp;
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void agreesWithInterpreter(String profile) {
    // Odd, so that vectors on CPU devices have a scalar rest; a multiple of 4, so that GPUs use
    // vectors.
    int n = profile.equals("cpu") ? 2051 : 2048;
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      List<Row> rows = rows(cl.supports(DType.FLOAT64));
      List<Runs.Case> cases = new ArrayList<>();
      List<Row> tested = new ArrayList<>();
      for (DType t : DType.values()) {
        List<Row> same = rows.stream().filter(r -> r.in() == t).toList();
        for (int i = 0; i < same.size(); i += 8) {
          List<Row> group = same.subList(i, Math.min(i + 8, same.size()));
          tested.addAll(group);
          cases.add(testCase(group, n));
        }
      }
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> actual = Runs.run(cl, cases);
      List<String> wrong = new ArrayList<>();
      for (int i = 0; i < tested.size(); i++) {
        Row r = tested.get(i);
        List<double[]> in =
            cases.stream()
                .filter(c -> c.kernel().params().get(0).dtype() == r.in())
                .findFirst()
                .orElseThrow()
                .inputs();
        int before = wrong.size();
        for (int k = 0; k < n && wrong.size() < before + 3; k++) {
          if (!close(r, expected.get(i)[k], actual.get(i)[k])) {
            wrong.add(
                r
                    + " of "
                    + in.get(0)[k]
                    + ", "
                    + in.get(1)[k]
                    + ": expected "
                    + expected.get(i)[k]
                    + ", got "
                    + actual.get(i)[k]);
          }
        }
      }
      assertEquals(rows.size(), tested.size());
      assertTrue(wrong.isEmpty(), () -> profile + ":\n" + String.join("\n", wrong));
    }
  }
}
