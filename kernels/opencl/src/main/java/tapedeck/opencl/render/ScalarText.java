package tapedeck.opencl.render;

import java.util.List;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Scalar instructions as OpenCL C text, on scalars (width 1) or vectors. Operands are names or
 * literals, so using one twice costs nothing. Booleans are uchar 0 or 1; on vectors a comparison's
 * 0/-1 mask is narrowed to that.
 */
final class ScalarText {
  private ScalarText() {}

  /** Type name, such as {@code float} or {@code float4}. */
  static String type(DType t, int width) {
    String base =
        switch (t) {
          case FLOAT32 -> "float";
          case FLOAT64 -> "double";
          case INT32 -> "int";
          case BOOL -> "uchar";
        };
    return width == 1 ? base : base + width;
  }

  /** A literal that reads back as exactly this value. */
  static String literal(DType t, double v) {
    return switch (t) {
      case FLOAT32 -> {
        float f = (float) v;
        yield Float.isNaN(f)
            ? "NAN"
            : Float.isInfinite(f)
                ? (f > 0 ? "INFINITY" : "(-INFINITY)")
                : hex(Float.toHexString(f) + "f");
      }
      case FLOAT64 ->
          Double.isNaN(v)
              ? "((double)NAN)"
              : Double.isInfinite(v)
                  ? (v > 0 ? "((double)INFINITY)" : "(-(double)INFINITY)")
                  : hex(Double.toHexString(v));
      case INT32 -> {
        int i = (int) v;
        yield i == Integer.MIN_VALUE
            ? "(-2147483647-1)"
            : i < 0 ? "(" + i + ")" : Integer.toString(i);
      }
      case BOOL -> v != 0 ? "(uchar)1" : "(uchar)0";
    };
  }

  private static String hex(String s) {
    return s.startsWith("-") ? "(" + s + ")" : s;
  }

  /** A scalar operand as a vector of equal lanes. */
  static String splat(DType t, int width, String a) {
    return width == 1 ? a : "(" + type(t, width) + ")(" + a + ")";
  }

  /** {@code op} on operands of type {@code in} (SELECT: of its last two), giving {@code out}. */
  static String apply(ScalarOp op, DType in, DType out, List<String> x, int w) {
    String a = x.get(0);
    String b = x.size() > 1 ? x.get(1) : "";
    return switch (op) {
      case ADD -> arith("+", in, a, b, w);
      case SUB -> arith("-", in, a, b, w);
      case MUL -> arith("*", in, a, b, w);
      case DIV -> in.isFloat() ? a + " / " + b : intDivide(a, b, w);
      case REM -> in.isFloat() ? remainder(in, a, b, w) : a + " % " + safeDivisor(b, w);
      case MIN -> extreme("<", in, a, b, w);
      case MAX -> extreme(">", in, a, b, w);
      case NEG -> in.isFloat() ? "-" + a : negated(a, w);
      case ABS -> in.isFloat() ? "fabs(" + a + ")" : signed("abs(" + a + ")", w);
      case SIGN -> in.isFloat() ? sign(a, w) : intSign(a, w);
      case POW -> "pow(" + a + ", " + b + ")";
      case ATAN2 -> "atan2(" + a + ", " + b + ")";
      case FLOOR -> call("floor", a);
      case CEIL -> call("ceil", a);
      case ROUND -> call("rint", a);
      case SQRT -> call("sqrt", a);
      case RSQRT -> call("rsqrt", a);
      case EXP -> call("exp", a);
      case EXPM1 -> call("expm1", a);
      case LOG -> call("log", a);
      case LOG1P -> call("log1p", a);
      case SIN -> odd("sin", in, a, w);
      case COS -> "cos(" + argument(in, a, w) + ")";
      case TAN -> odd("tan", in, a, w);
      case ASIN -> call("asin", a);
      case ACOS -> call("acos", a);
      case ATAN -> call("atan", a);
      case SINH -> call("sinh", a);
      case COSH -> call("cosh", a);
      case TANH -> call("tanh", a);
      case SIGMOID -> sigmoid(in, a, w);
      case ERF -> call("erf", a);
      case ERFC -> call("erfc", a);
      case LT -> compare("<", in, a, b, w);
      case LE -> compare("<=", in, a, b, w);
      case EQ -> compare("==", in, a, b, w);
      case NE -> compare("!=", in, a, b, w);
      case AND -> bits("&", a, b);
      case OR -> bits("|", a, b);
      case XOR -> bits("^", a, b);
      case NOT -> out == DType.BOOL ? flip(a, w) : "~" + a;
      case SHL -> signed(unsigned(a, w) + " << " + unsigned(b, w), w);
      case SHR -> signed(unsigned(a, w) + " >> " + unsigned(b, w), w);
      case UMULHI -> signed("mul_hi(" + unsigned(a, w) + ", " + unsigned(b, w) + ")", w);
      case SELECT -> select(out, a, b, x.get(2), w);
      case CAST -> cast(in, out, a, w);
    };
  }

  /** One step of a reduction. */
  static String combine(Reducer r, DType t, String acc, String v, int w) {
    return apply(r.op(), t, t, List.of(acc, v), w);
  }

  private static String call(String f, String a) {
    return f + "(" + a + ")";
  }

  /** NB: PoCL's vector sin, cos and tan are wrong for subnormal arguments next to huge ones. */
  private static String argument(DType t, String a, int w) {
    return t == DType.FLOAT32 && w > 1
        ? "select(" + a + ", " + splat(t, w, "0.0f") + ", " + subnormal(a, w) + ")"
        : a;
  }

  private static String odd(String f, DType t, String a, int w) {
    String value = f + "(" + argument(t, a, w) + ")";
    return t == DType.FLOAT32 && w > 1
        ? "select(" + value + ", " + a + ", " + subnormal(a, w) + ")"
        : value;
  }

  private static String subnormal(String a, int w) {
    return "fabs(" + a + ") < " + splat(DType.FLOAT32, w, "0x1p-126f");
  }

  /**
   * NB: PoCL's vector fmod of doubles is wrong for quotients beyond 2^53; its scalar one is right.
   */
  private static String remainder(DType t, String a, String b, int w) {
    if (t == DType.FLOAT32 || w == 1) {
      return "fmod(" + a + ", " + b + ")";
    }
    StringBuilder s = new StringBuilder("(" + type(t, w) + ")(");
    for (int q = 0; q < w; q++) {
      String lane = ".s" + Integer.toHexString(q);
      s.append(q == 0 ? "" : ", ")
          .append("fmod(")
          .append(lane(a, lane))
          .append(", ")
          .append(lane(b, lane))
          .append(')');
    }
    return s.append(')').toString();
  }

  private static String lane(String vector, String lane) {
    return "(" + vector + ")" + lane;
  }

  private static String unsigned(String a, int w) {
    return "as_" + (w == 1 ? "uint" : "uint" + w) + "(" + a + ")";
  }

  private static String signed(String a, int w) {
    return "as_" + type(DType.INT32, w) + "(" + a + ")";
  }

  // NB: signed overflow is undefined in C, and integers must wrap.
  private static String arith(String op, DType t, String a, String b, int w) {
    return switch (t) {
      case FLOAT32, FLOAT64 -> a + " " + op + " " + b;
      case INT32 -> signed(unsigned(a, w) + " " + op + " " + unsigned(b, w), w);
      case BOOL -> a + (op.equals("*") ? " & " : op.equals("+") ? " | " : " ^ ") + b;
    };
  }

  private static String negated(String a, int w) {
    return signed("0u - " + unsigned(a, w), w);
  }

  /** Where dividing by b is undefined or may trap (0 and -1), 1 instead. */
  private static String safeDivisor(String b, int w) {
    return w == 1
        ? "((uint)(" + b + " + 1) < 2u ? 1 : " + b + ")"
        : "select("
            + String.join(
                ", ", b, splat(DType.INT32, w, "1"), "(" + b + " == 0) | (" + b + " == -1)")
            + ")";
  }

  private static String intDivide(String a, String b, int w) {
    String q = a + " / " + safeDivisor(b, w);
    return w == 1
        ? b + " == 0 ? 0 : " + b + " == -1 ? " + negated(a, w) + " : " + q
        : "select(select("
            + String.join(", ", q, negated(a, w), b + " == -1)")
            + ", "
            + splat(DType.INT32, w, "0")
            + ", "
            + b
            + " == 0)";
  }

  /**
   * The first operand where the comparison holds or it is NaN: NaN in either operand comes through.
   */
  private static String extreme(String cmp, DType t, String a, String b, int w) {
    return switch (t) {
      case FLOAT32, FLOAT64 ->
          w == 1
              ? "(" + a + " " + cmp + " " + b + " || " + a + " != " + a + ") ? " + a + " : " + b
              : "select(" + b + ", " + a + ", (" + a + " " + cmp + " " + b + ") | (" + a + " != "
                  + a + "))";
      case INT32 -> (cmp.equals("<") ? "min(" : "max(") + a + ", " + b + ")";
      case BOOL -> a + (cmp.equals("<") ? " & " : " | ") + b;
    };
  }

  private static String sign(String a, int w) {
    return w == 1
        ? a + " != " + a + " ? " + a + " : sign(" + a + ")"
        : "select(sign(" + a + "), " + a + ", " + a + " != " + a + ")";
  }

  private static String intSign(String a, int w) {
    return w == 1 ? "(" + a + " > 0) - (" + a + " < 0)" : "(" + a + " < 0) - (" + a + " > 0)";
  }

  /** With e = exp(-|x|), which never overflows: 1/(1+e) for x >= 0, else e/(1+e). */
  private static String sigmoid(DType t, String a, int w) {
    String one = literal(t, 1);
    String e = "exp(-fabs(" + a + "))";
    String top =
        w == 1
            ? "(" + a + " < 0 ? " + e + " : " + one + ")"
            : "select("
                + splat(t, w, one)
                + ", "
                + e
                + ", "
                + a
                + " < "
                + splat(t, w, literal(t, 0))
                + ")";
    // NaN: the comparison is false and the denominator is NaN.
    return top + " / (" + one + " + " + e + ")";
  }

  private static String compare(String op, DType t, String a, String b, int w) {
    if (t == DType.BOOL) {
      return switch (op) {
        case "<" -> "(" + flip(a, w) + ") & " + b;
        case "<=" -> "(" + flip(a, w) + ") | " + b;
        case "==" -> flip("(" + a + " ^ " + b + ")", w);
        default -> a + " ^ " + b;
      };
    }
    String c = "(" + a + " " + op + " " + b + ")";
    return w == 1 ? "(uchar)" + c : narrowed(c, w);
  }

  private static String narrowed(String mask, int w) {
    return "convert_uchar" + w + "(" + mask + " & 1)";
  }

  private static String bits(String op, String a, String b) {
    return a + " " + op + " " + b;
  }

  private static String flip(String a, int w) {
    return a + " ^ " + splat(DType.BOOL, w, "(uchar)1");
  }

  private static String select(DType t, String c, String a, String b, int w) {
    if (w == 1) {
      return c + " ? " + a + " : " + b;
    }
    String one = splat(DType.BOOL, w, "(uchar)1");
    return switch (t) {
      case BOOL -> "(" + c + " & " + a + ") | ((" + c + " ^ " + one + ") & " + b + ")";
      case FLOAT32, INT32 -> "select(" + b + ", " + a + ", convert_int" + w + "(" + c + ") != 0)";
      case FLOAT64 -> "select(" + b + ", " + a + ", convert_long" + w + "(" + c + ") != 0)";
    };
  }

  private static String cast(DType in, DType out, String a, int w) {
    if (in == out) {
      return a;
    }
    if (out == DType.BOOL) {
      String c = "(" + a + " != " + (in.isFloat() ? literal(in, 0) : "0") + ")";
      return w == 1 ? "(uchar)" + c : narrowed(c, w);
    }
    String convert = "convert_" + type(out, w);
    if (out != DType.INT32 || !in.isFloat()) {
      return convert + "(" + a + ")";
    }
    // NaN is tested for: not every driver's saturating conversion gives 0.
    String sat = convert + "_sat_rtz(" + a + ")";
    return w == 1
        ? a + " != " + a + " ? 0 : " + sat
        : "select("
            + String.join(
                ", ",
                sat,
                splat(DType.INT32, w, "0"),
                "convert_int" + w + "(" + a + " != " + a + "))");
  }
}
