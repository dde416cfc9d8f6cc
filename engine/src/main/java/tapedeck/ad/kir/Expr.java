package tapedeck.ad.kir;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.type.DType;

/**
 * Scalar expression evaluated at one point of a kernel's loops. Expressions are shared: a renderer
 * evaluates a node that occurs several times once (compare nodes by identity).
 */
public sealed interface Expr {

  DType dtype();

  /** A literal; int32 and bool values are exact in float64. */
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

  /** Element {@code index} of kernel parameter {@code param}. */
  record Load(int param, DType dtype, Index index) implements Expr {}

  /** {@code op} applied to its operands; {@code dtype} is the result's type. */
  final class Apply implements Expr {
    private final ScalarOp op;
    private final DType dtype;
    private final List<Expr> args;
    private final int hash;

    public Apply(ScalarOp op, DType dtype, List<Expr> args) {
      this.op = op;
      this.dtype = dtype;
      this.args = List.copyOf(args);
      // Cached: expressions are DAGs, and hashing one as a tree can take exponential time.
      this.hash = (op.ordinal() * 31 + dtype.ordinal()) * 31 + this.args.hashCode();
    }

    public ScalarOp op() {
      return op;
    }

    @Override
    public DType dtype() {
      return dtype;
    }

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

  /** Result of the accumulator with this id, of an earlier phase. */
  record Acc(int id, DType dtype) implements Expr {}

  /** An index as an int32 value. */
  record IndexValue(Index index) implements Expr {
    @Override
    public DType dtype() {
      return DType.INT32;
    }
  }

  /**
   * {@code value} where every bound holds, else {@code otherwise}. {@code value} is evaluated only
   * where they hold: its loads may be out of range elsewhere.
   */
  record Guarded(List<Bound> bounds, Expr value, Expr otherwise) implements Expr {
    @Override
    public DType dtype() {
      return value.dtype();
    }
  }

  /** {@code lo <= index < hi}. */
  record Bound(Index index, long lo, long hi) {}

  static Expr apply(ScalarOp op, DType dtype, Expr... args) {
    return new Apply(op, dtype, List.of(args));
  }

  static Expr constant(DType dtype, double value) {
    return new Const(dtype, dtype.round(value));
  }

  /** Direct operands, those inside indices and bounds included. */
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
   * Whether the value can change when the loop variable does. Walks the DAG as a tree: for small
   * expressions.
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
