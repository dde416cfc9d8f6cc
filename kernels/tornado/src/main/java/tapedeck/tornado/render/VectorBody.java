package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Stores of consecutive elements that need no more than arithmetic, on CPU devices: operands are
 * read as vectors, computed with as such and written, without arrays in between.
 */
final class VectorBody {
  private static final Set<ScalarOp> ARITHMETIC =
      Set.of(ScalarOp.ADD, ScalarOp.SUB, ScalarOp.MUL, ScalarOp.DIV, ScalarOp.NEG, ScalarOp.SQRT);

  private final List<Phase.Store> stores;
  private final Loop last;
  private final DType t;
  private final int lanes;
  private final Map<Expr, Integer> known = new IdentityHashMap<>();
  private ExprGen g;
  private CodeBuilder code;
  private Vectors vectors;

  private VectorBody(List<Phase.Store> stores, Loop last, DType t, int lanes) {
    this.stores = stores;
    this.last = last;
    this.t = t;
    this.lanes = lanes;
  }

  /**
   * The elements of some stores along a loop, or null where that is not possible.
   *
   * @param last the loop, of which a block is a part
   */
  static VectorBody of(List<Phase.Store> stores, Loop last, Target target) {
    DType t = stores.getFirst().value().dtype();
    int lanes = Math.clamp(target.vectorBytes() / t.bytes(), 4, 16);
    VectorBody body = new VectorBody(stores, last, t, lanes);
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return t.isFloat()
            && stores.stream().allMatch(s -> body.whole(s.index()) && body.fits(s.value(), seen))
        ? body
        : null;
  }

  int lanes() {
    return lanes;
  }

  private boolean whole(Index index) {
    return Vectors.lanes(index, t, last, lanes, Math.toIntExact(last.extent())) == lanes;
  }

  private boolean fits(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return true;
    }
    return e.dtype() == t
        && switch (e) {
          case Expr.Const c -> true;
          case Expr.Load l -> invariant(l) || whole(l.index());
          case Expr.Apply a ->
              ARITHMETIC.contains(a.op()) && a.args().stream().allMatch(x -> fits(x, seen));
          case Expr.Acc a -> false;
          case Expr.Guarded x -> false;
          case Expr.IndexValue v -> false;
        };
  }

  private boolean invariant(Expr.Load l) {
    return l.index().isAffine() && l.index().coef(last) == 0;
  }

  /** Makes the views of operands; to be called before any loop. */
  void declare(ExprGen gen, Vectors views) {
    g = gen;
    code = gen.code;
    vectors = views;
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Phase.Store s : stores) {
      declare(s.value(), seen);
      vectors.declare(g.local(s.param()), t, lanes);
    }
  }

  private void declare(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    if (e instanceof Expr.Load l && !invariant(l)) {
      vectors.declare(g.local(l.param()), t, lanes);
    } else if (e instanceof Expr.Apply a) {
      a.args().forEach(x -> declare(x, seen));
    }
  }

  /**
   * Computes a block; all other loops are bound.
   *
   * @param n0 local with the last loop's value at its first element
   * @param size pushes the number of its elements, a multiple of the lanes
   */
  void block(int n0, Runnable size) {
    g.open();
    known.clear();
    // Once per block: the device compiler moves no load of global memory out of a loop.
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    stores.forEach(s -> splats(s.value(), seen));
    Map<Expr, Integer> outside = new IdentityHashMap<>(known);
    int i = code.allocateLocal(TypeKind.INT);
    g.count(
        i,
        code::iconst_0,
        size,
        lanes,
        () -> {
          code.iload(n0).iload(i).iadd();
          g.bind(last, g.keep(TypeKind.INT));
          int[] values = stores.stream().mapToInt(s -> value(s.value())).toArray();
          for (int s = 0; s < values.length; s++) {
            Phase.Store st = stores.get(s);
            vectors.write(g.local(st.param()), t, lanes, () -> at(st.index()), values[s]);
          }
        });
    known.keySet().retainAll(outside.keySet());
    g.close();
  }

  private void splats(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    if (e instanceof Expr.Apply a) {
      a.args().forEach(x -> splats(x, seen));
    } else if (e instanceof Expr.Const || (e instanceof Expr.Load l && invariant(l))) {
      g.push(e);
      int scalar = g.keep(Types.kind(t));
      vectors.of(t, lanes, lane -> code.loadLocal(Types.kind(t), scalar));
      known.put(e, g.keep(TypeKind.REFERENCE));
    }
  }

  /** The local with an expression's vector. */
  private int value(Expr e) {
    Integer local = known.get(e);
    if (local == null) {
      local =
          switch (e) {
            case Expr.Load l -> vectors.read(g.local(l.param()), t, lanes, () -> at(l.index()));
            case Expr.Apply a -> apply(a);
            default -> throw new IllegalStateException("no vector of " + e);
          };
      known.put(e, local);
    }
    return local;
  }

  private int apply(Expr.Apply a) {
    int x = value(a.args().getFirst());
    switch (a.op()) {
      case NEG, SQRT ->
          vectors.of(
              t,
              lanes,
              lane -> {
                vectors.lane(x, t, lanes, lane);
                g.ops.apply(a.op(), t, t);
              });
      default -> {
        int y = value(a.args().get(1));
        code.aload(x).aload(y);
        vectors.arithmetic(a.op(), t, lanes);
      }
    }
    return g.keep(TypeKind.REFERENCE);
  }

  /** Pushes the number of a vector. */
  private void at(Index index) {
    g.index(index);
    code.loadConstant(Integer.numberOfTrailingZeros(lanes)).ishr();
  }
}
