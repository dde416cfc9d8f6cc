package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.TapeChecker;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Cast;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Iota;
import tapedeck.ad.tensor.Matmul;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Reduce;
import tapedeck.ad.tensor.ScatterAdd;
import tapedeck.ad.tensor.StopGradient;
import tapedeck.ad.tensor.Take;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.TapedeckException;

/**
 * Folds constants, shares equal equations, drops dead ones and applies algebra that is exact in
 * floating point (x*1, x/2^k, select of a constant, views of constants and the like). Afterwards no
 * equation reduces over an empty axis, and every output is a variable of its own that an equation
 * defines.
 */
final class Simplifier {
  private final Rewriter out;

  private Simplifier(Tape tape) {
    out = new Rewriter(tape);
  }

  static Tape simplify(Tape tape) {
    Simplifier s = new Simplifier(tape);
    for (Eqn e : tape.eqns()) {
      switch (e.primitive()) {
        case Op op -> s.out.set(e.out(), s.rewrite(op, s.out.get(e.ins()), e.source()));
        case CustomVjp c ->
            throw new TapedeckException(
                "[schedule] " + c.label() + " must be inlined before scheduling");
      }
    }
    return TapeChecker.checkIfOn("simplify", s.out.finish(s.outputs(tape)));
  }

  /** Gives an output that is an input, or another output too, an equation of its own. */
  private List<Var> outputs(Tape tape) {
    Set<Var> used = new HashSet<>();
    List<Var> result = new ArrayList<>();
    for (Var old : tape.outputs()) {
      Var v = out.get(old);
      if (out.definition(v) == null || !used.add(v)) {
        v = out.emitCopy(new StopGradient(), List.of(v), "");
        used.add(v);
      }
      result.add(v);
    }
    return result;
  }

  private Var rewrite(Op op, List<Var> in, String source) {
    Aval result = op.result(in.stream().map(Var::aval).toList());
    if (result.shape().size() == 0) {
      return full(result, 0);
    }
    Var v =
        switch (op) {
          case Elementwise e -> elementwise(e, in, result, source);
          case Cast c -> cast(c, in.get(0), result);
          case StopGradient s -> in.get(0);
          case Movement m -> movement(m, in, result, source);
          case Reduce r -> reduce(r, in.get(0), result, source);
          case Matmul m -> matmul(in, result, source);
          case Take t -> null;
          case ScatterAdd s -> in.get(0).aval().shape().size() == 0 ? full(result, 0) : null;
          case Iota i -> i.shape().dim(i.axis()) == 1 ? full(result, 0) : null;
          case Full f -> null;
          case RandomBits r -> null;
        };
    return v != null ? v : out.emit(op, in, source);
  }

  private Var full(Aval a, double value) {
    return out.emit(new Full(a.dtype(), a.shape(), a.dtype().round(value)), List.of(), "");
  }

  /** The one value of a variable, or null. */
  private Double value(Var v) {
    return out.definition(v) instanceof Full f ? Double.valueOf(f.value()) : null;
  }

  private boolean is(Var v, double value) {
    Double d = value(v);
    return d != null && d == value;
  }

  private Var elementwise(Elementwise e, List<Var> in, Aval result, String source) {
    Double[] c = in.stream().map(this::value).toArray(Double[]::new);
    Double folded = fold(e.op(), c, result.dtype());
    if (folded != null) {
      return full(result, folded);
    }
    Var a = in.get(0);
    boolean whole = result.dtype() == DType.INT32;
    return switch (e) {
      case MUL -> product(in, result, whole, source);
      case ADD -> sum(in, whole, source);
      case SUB ->
          is(in.get(1), 0) && 1 / value(in.get(1)) > 0
              ? a
              : isNegated(in.get(1))
                  ? out.emit(Elementwise.ADD, List.of(a, negated(in.get(1))), source)
                  : null;
      case DIV -> is(in.get(1), 1) ? a : powerOfTwo(in.get(1), a, source);
      case NEG -> isNegated(a) ? negated(a) : null;
      case NOT -> out.definition(a) == Elementwise.NOT ? out.operands(a).get(0) : null;
      case AND -> result.dtype() != DType.BOOL ? null : logic(in, 1, 0);
      case OR -> result.dtype() != DType.BOOL ? null : logic(in, 0, 1);
      case SELECT ->
          c[0] != null ? in.get(c[0] != 0 ? 1 : 2) : in.get(1).equals(in.get(2)) ? in.get(1) : null;
      default -> null;
    };
  }

  private Var sum(List<Var> in, boolean whole, String source) {
    for (int i = 0; i < 2; i++) {
      Var x = in.get(i);
      Var other = in.get(1 - i);
      if (whole && is(x, 0)) {
        return other;
      }
      if (isNegated(x)) {
        return out.emit(Elementwise.SUB, List.of(other, negated(x)), source);
      }
    }
    return null;
  }

  /** Takes signs out of a product, from where a sum may take them. */
  private Var product(List<Var> in, Aval result, boolean whole, String source) {
    for (int i = 0; i < 2; i++) {
      Var x = in.get(i);
      Var other = in.get(1 - i);
      if (is(x, 1)) {
        return other;
      }
      if (whole && is(x, 0)) {
        return full(result, 0);
      }
      if (is(x, -1)) {
        return rewrite(Elementwise.NEG, List.of(other), source);
      }
      if (isNegated(x)) {
        Double v = value(other);
        Var y = negated(x);
        return v != null
            ? rewrite(Elementwise.MUL, List.of(y, full(result, -v)), source)
            : rewrite(
                Elementwise.NEG,
                List.of(rewrite(Elementwise.MUL, List.of(y, other), source)),
                source);
      }
    }
    return null;
  }

  private boolean isNegated(Var v) {
    return out.definition(v) == Elementwise.NEG;
  }

  /** What a variable is the negation of. */
  private Var negated(Var v) {
    return out.operands(v).get(0);
  }

  /** Division by a power of two is multiplication by its exact reciprocal. */
  private Var powerOfTwo(Var divisor, Var a, String source) {
    Double d = value(divisor);
    if (d == null
        || !a.aval().dtype().isFloat()
        || d == 0
        || Double.isInfinite(d)
        || Double.isNaN(d)) {
      return null;
    }
    boolean exact =
        Math.abs(d) == Math.scalb(1.0, Math.getExponent(d)) && Math.abs(Math.getExponent(d)) < 126;
    return exact
        ? out.emit(Elementwise.MUL, List.of(a, full(divisor.aval(), 1 / d)), source)
        : null;
  }

  private Var logic(List<Var> in, double neutral, double absorbing) {
    for (int i = 0; i < 2; i++) {
      if (is(in.get(i), absorbing)) {
        return in.get(i);
      }
      if (is(in.get(i), neutral)) {
        return in.get(1 - i);
      }
    }
    return null;
  }

  /** The value of a cheap instruction on constants; null if it is not folded here. */
  private static Double fold(ScalarOp op, Double[] c, DType type) {
    for (Double d : c) {
      if (d == null) {
        return null;
      }
    }
    // Rounding a float64 result to float32 is exact for these (Figueroa 1995).
    Double v =
        switch (op) {
          case ADD -> c[0] + c[1];
          case SUB -> c[0] - c[1];
          case MUL ->
              type == DType.INT32
                  ? (double) ((int) (double) c[0] * (int) (double) c[1])
                  : c[0] * c[1];
          case DIV -> type.isFloat() ? c[0] / c[1] : null;
          case NEG -> type.isFloat() ? -c[0] : null;
          case LT -> c[0] < c[1] ? 1.0 : 0.0;
          case LE -> c[0] <= c[1] ? 1.0 : 0.0;
          case EQ -> c[0].doubleValue() == c[1].doubleValue() ? 1.0 : 0.0;
          case NE -> c[0].doubleValue() != c[1].doubleValue() ? 1.0 : 0.0;
          case SELECT -> c[0] != 0 ? c[1] : c[2];
          case AND -> type == DType.BOOL ? c[0] * c[1] : null;
          case OR -> type == DType.BOOL ? Math.max(c[0], c[1]) : null;
          case NOT -> type == DType.BOOL ? 1 - c[0] : null;
          default -> null;
        };
    return v == null || (type == DType.INT32 && v != (int) (double) v)
        ? null
        : Double.valueOf(type.round(v));
  }

  private Var cast(Cast c, Var x, Aval result) {
    if (x.aval().dtype() == c.to()) {
      return x;
    }
    Double v = value(x);
    return v == null || (c.to() == DType.INT32 && v != Math.rint(v)) ? null : full(result, v);
  }

  private Var movement(Movement m, List<Var> in, Aval result, String source) {
    Var x = in.get(0);
    Double v = value(x);
    return switch (m) {
      case Movement.Pad p -> {
        boolean none = p.lo().stream().allMatch(i -> i == 0) && x.aval().equals(result);
        boolean same = x.aval().shape().size() == 0 || (v != null && v == p.value());
        yield none ? x : same ? full(result, p.value()) : null;
      }
      case Movement.Concatenate c -> {
        List<Var> parts = in.stream().filter(p -> p.aval().shape().size() > 0).toList();
        yield parts.size() == 1
            ? parts.get(0)
            : parts.size() < in.size() ? out.emit(c, parts, source) : null;
      }
      case Movement.Reshape r -> {
        Var root = out.definition(x) instanceof Movement.Reshape ? out.operands(x).get(0) : x;
        yield v != null
            ? full(result, v)
            : root.aval().equals(result)
                ? root
                : root != x ? out.emit(r, List.of(root), source) : null;
      }
      case Movement.Transpose t -> v != null ? full(result, v) : null;
      case Movement.Broadcast b -> v != null ? full(result, v) : x.aval().equals(result) ? x : null;
      case Movement.Slice s -> v != null ? full(result, v) : x.aval().equals(result) ? x : null;
      case Movement.Flip f -> v != null ? full(result, v) : null;
    };
  }

  private Var reduce(Reduce r, Var x, Aval result, String source) {
    Shape s = x.aval().shape();
    if (s.size() == 0) {
      return full(result, r.reducer().identity(result.dtype()));
    }
    if (s.size() == result.shape().size()) {
      return out.emit(new Movement.Reshape(result.shape()), List.of(x), source);
    }
    return ReductionSplitter.split(out, r, x, source);
  }

  /**
   * A product over an inner extent of 1 is an outer product, which fuses like any elementwise
   * operation.
   */
  private Var matmul(List<Var> in, Aval result, String source) {
    int inner = in.get(0).aval().shape().dim(-1);
    if (inner == 0) {
      return full(result, 0);
    }
    if (inner > 1) {
      return ReductionSplitter.isLong(result.shape().size(), inner)
          ? byVector(in, result, inner, source)
          : null;
    }
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < result.rank(); i++) {
      axes.add(i);
    }
    Var a = out.emit(new Movement.Broadcast(result.shape(), axes), List.of(in.get(0)), source);
    Var b = out.emit(new Movement.Broadcast(result.shape(), axes), List.of(in.get(1)), source);
    return rewrite(Elementwise.MUL, List.of(a, b), source);
  }

  /**
   * A product with a vector that has few elements, of a long sum each: as a sum it is split, so
   * that there is parallel work. Null if no factor is a vector.
   */
  private Var byVector(List<Var> in, Aval result, int inner, String source) {
    int rank = result.rank();
    boolean row = result.shape().dim(-2) == 1;
    if (!row && result.shape().dim(-1) > 1) {
      return null;
    }
    Var vector = in.get(row ? 0 : 1);
    Var matrix = in.get(row ? 1 : 0);
    // the depth is the first of the matrix's two axes
    boolean down = row;
    if (isTurned(matrix)) {
      matrix = out.operands(matrix).get(0);
      down = !down;
    }
    int along = down ? rank - 2 : rank - 1;
    int[] turned = vector.aval().shape().dims();
    turned[rank - 2] = down ? inner : 1;
    turned[rank - 1] = down ? 1 : inner;
    Var v = rewrite(new Movement.Reshape(Shape.of(turned)), List.of(vector), source);
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      axes.add(i);
    }
    Var wide = rewrite(new Movement.Broadcast(matrix.aval().shape(), axes), List.of(v), source);
    Var products = rewrite(Elementwise.MUL, List.of(matrix, wide), source);
    Var sums = rewrite(new Reduce(Reducer.SUM, List.of(along)), List.of(products), source);
    return rewrite(new Movement.Reshape(result.shape()), List.of(sums), source);
  }

  /** Whether a variable is another one with its last two axes exchanged. */
  private boolean isTurned(Var v) {
    if (!(out.definition(v) instanceof Movement.Transpose t)) {
      return false;
    }
    int rank = t.perm().size();
    List<Integer> exchanged = new ArrayList<>();
    for (int i = 0; i < rank - 2; i++) {
      exchanged.add(i);
    }
    exchanged.addAll(List.of(rank - 1, rank - 2));
    return t.perm().equals(exchanged);
  }
}
