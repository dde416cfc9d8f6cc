package tapedeck.ad.kir;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.type.DType;

/**
 * Scalar expression evaluated at one point of a kernel's loops. Expressions are shared: a renderer
 * evaluates a node that occurs several times once (compare nodes by identity).
 */
public sealed interface Expr {

  /** {@return the element type of the value} */
  DType dtype();

  /**
   * A literal; int32 and bool values are exact in float64. Equality compares bits, so -0.0 differs
   * from 0.0 and NaN equals itself.
   *
   * @param dtype type of the literal
   * @param value a value that the type represents; bool is 0 or 1
   */
  record Const(DType dtype, double value) implements Expr {
    @Override
    public boolean equals(Object o) {
      return o instanceof Const c
          && c.dtype == dtype
          && Double.doubleToRawLongBits(c.value) == Double.doubleToRawLongBits(value);
    }

    @Override
    public int hashCode() {
      return Double.hashCode(value) * 31 + dtype.hashCode();
    }
  }

  /**
   * An element of a buffer.
   *
   * @param param position of the buffer among the kernel's parameters
   * @param dtype the parameter's element type
   * @param index element of the buffer, counted from 0; in range wherever the value is used
   */
  record Load(int param, DType dtype, Index index) implements Expr {}

  /** {@code op} applied to its operands; {@code dtype} is the result's type. */
  final class Apply implements Expr {
    private final ScalarOp op;
    private final DType dtype;
    private final List<Expr> args;
    private final int hash;

    /**
     * An application of an instruction.
     *
     * @param op the instruction
     * @param dtype the result's type: bool for comparisons, the target for {@link ScalarOp#CAST},
     *     else the operands'
     * @param args as many operands as the instruction takes; the list is copied
     */
    public Apply(ScalarOp op, DType dtype, List<Expr> args) {
      this.op = op;
      this.dtype = dtype;
      this.args = List.copyOf(args);
      // Cached: expressions are DAGs, and hashing one as a tree can take exponential time.
      this.hash = (op.ordinal() * 31 + dtype.ordinal()) * 31 + this.args.hashCode();
    }

    /** {@return the instruction} */
    public ScalarOp op() {
      return op;
    }

    @Override
    public DType dtype() {
      return dtype;
    }

    /** {@return the operands in order, immutable} */
    public List<Expr> args() {
      return args;
    }

    @Override
    public boolean equals(Object o) {
      return this == o
          || (o instanceof Apply a
              && a.hash == hash
              && a.op == op
              && a.dtype == dtype
              && a.args.equals(args));
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public String toString() {
      StringBuilder s = new StringBuilder(op.name().toLowerCase(java.util.Locale.ROOT));
      if (op == ScalarOp.CAST) {
        s.append('<').append(dtype).append('>');
      }
      s.append('(');
      for (int i = 0; i < args.size(); i++) {
        s.append(i == 0 ? "" : ", ").append(args.get(i));
      }
      return s.append(')').toString();
    }
  }

  /**
   * The result of an accumulator.
   *
   * @param id of an {@link Phase.Accumulator} of an earlier phase
   * @param dtype the accumulator's type
   */
  record Acc(int id, DType dtype) implements Expr {}

  /**
   * An index as an int32 value.
   *
   * @param index a value that fits int32
   */
  record IndexValue(Index index) implements Expr {
    @Override
    public DType dtype() {
      return DType.INT32;
    }
  }

  /**
   * {@code value} where every bound holds, else {@code otherwise}. {@code value} is evaluated only
   * where they hold: its loads may be out of range elsewhere.
   *
   * @param bounds conditions, all of which must hold
   * @param value the value inside, which gives the type
   * @param otherwise the value outside, of the same type
   */
  record Guarded(List<Bound> bounds, Expr value, Expr otherwise) implements Expr {
    @Override
    public DType dtype() {
      return value.dtype();
    }
  }

  /**
   * {@code lo <= index < hi}.
   *
   * @param index the index that is limited
   * @param lo smallest value that passes
   * @param hi smallest value above that does not
   */
  record Bound(Index index, long lo, long hi) {}

  /**
   * {@return an instruction applied to its operands; nothing is folded or simplified}
   *
   * @param op the instruction
   * @param dtype the result's type
   * @param args as many operands as the instruction takes
   */
  static Expr apply(ScalarOp op, DType dtype, Expr... args) {
    return new Apply(op, dtype, List.of(args));
  }

  /**
   * {@return a literal}
   *
   * @param dtype type of the literal
   * @param value rounded as {@link DType#round} does
   */
  static Expr constant(DType dtype, double value) {
    return new Const(dtype, dtype.round(value));
  }

  /** {@return the direct operands, those inside indices and bounds included} */
  default List<Expr> children() {
    List<Expr> out = new ArrayList<>();
    switch (this) {
      case Const c -> {}
      case Acc a -> {}
      case Load l -> collect(l.index(), out);
      case IndexValue v -> collect(v.index(), out);
      case Apply a -> out.addAll(a.args());
      case Guarded g -> {
        g.bounds().forEach(b -> collect(b.index(), out));
        out.add(g.value());
        out.add(g.otherwise());
      }
    }
    return out;
  }

  private static void collect(Index index, List<Expr> out) {
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {}
        case Index.Div d -> collect(d.arg(), out);
        case Index.Mod m -> collect(m.arg(), out);
        case Index.Dyn d -> out.add(d.value());
      }
    }
  }

  /**
   * {@return whether the value can change when the loop variable does} Accumulators count as
   * independent. Walks the DAG as a tree: for small expressions.
   *
   * @param loop a loop of the kernel
   */
  default boolean dependsOn(Loop loop) {
    return switch (this) {
      case Const c -> false;
      case Acc a -> false;
      case Load l -> l.index().dependsOn(loop);
      case IndexValue v -> v.index().dependsOn(loop);
      case Apply a -> a.args().stream().anyMatch(x -> x.dependsOn(loop));
      case Guarded g ->
          g.bounds().stream().anyMatch(b -> b.index().dependsOn(loop))
              || g.value().dependsOn(loop)
              || g.otherwise().dependsOn(loop);
    };
  }
}
