package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Stores of consecutive elements on CPU devices. Operands are copied into arrays of the work-item,
 * one loop computes over these, and results are copied back. Copies are vectors where positions
 * allow it; the loop between becomes vectors because the device compiler sees where its arrays are,
 * unlike TornadoVM's addresses of global memory.
 */
final class BlockBody {
  /** Without functions: arrays so small become registers, and are never written. */
  static final int FEW_ELEMENTS = 32;

  /** Lanes of copies: LLVM puts more together from the lanes in pieces of unequal size. */
  private static final int COPIED = 8;

  private static final Set<ScalarOp> TURNS = Set.of(ScalarOp.SIN, ScalarOp.COS, ScalarOp.TAN);

  private final List<Phase.Store> stores;
  private final Loop last;

  /** Operands, each with an array in a work-item, but for those that are the same in a block. */
  private final List<Expr> fetched = new ArrayList<>();

  private final List<Expr> invariant = new ArrayList<>();
  private boolean turns;
  private boolean functions;
  private ExprGen g;
  private CodeBuilder code;
  private Vectors vectors;
  private final Map<Expr, Integer> arrays = new IdentityHashMap<>();
  private final List<Expr> copied = new ArrayList<>();
  private int[] results;

  /**
   * The elements of some stores along a loop.
   *
   * @param last the loop, of which a block is a part
   */
  BlockBody(List<Phase.Store> stores, Loop last) {
    this.stores = stores;
    this.last = last;
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    stores.forEach(s -> classify(s.value(), seen));
  }

  /** Whether the elements need functions that device compilers do not have as an instruction. */
  boolean functions() {
    return functions;
  }

  /** Bytes of all arrays for an element. */
  long bytes() {
    return fetched.stream().mapToLong(e -> e.dtype().bytes()).sum()
        + stores.stream().mapToLong(s -> s.value().dtype().bytes()).sum();
  }

  /** Finds what is read along the block, and what is the same everywhere in it. */
  private void classify(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return;
    }
    switch (e) {
      case Expr.Const c -> {}
      case Expr.Acc a -> {}
      case Expr.Load l -> {
        if (l.index().isAffine() && l.index().coef(last) == 0) {
          invariant.add(l);
        } else {
          fetched.add(l);
        }
      }
      // Out of range elsewhere: taken as a whole, element by element.
      case Expr.Guarded g -> fetched.add(g);
      case Expr.IndexValue v -> {
        if (!v.index().isAffine()) {
          fetched.add(v);
        }
      }
      case Expr.Apply a -> {
        turns |= TURNS.contains(a.op());
        functions |= a.op().isFunction();
        a.args().forEach(x -> classify(x, seen));
      }
    }
  }

  /**
   * Makes the arrays and the views of operands; to be called before any loop.
   *
   * @param elements most elements of a block
   */
  void declare(ExprGen gen, Vectors views, int elements) {
    g = gen;
    code = gen.code;
    vectors = views;
    for (Expr e : fetched) {
      if (e instanceof Expr.Load l && lanes(l.index(), l.dtype()) > 1) {
        vectors.declare(g.local(l.param()), l.dtype(), lanes(l.index(), l.dtype()));
      }
    }
    for (Phase.Store s : stores) {
      DType t = s.value().dtype();
      if (lanes(s.index(), t) > 1) {
        vectors.declare(g.local(s.param()), t, lanes(s.index(), t));
      }
    }
    Map<Expr.Load, Integer> equal = new HashMap<>();
    for (Expr e : fetched) {
      Integer same = e instanceof Expr.Load l && l.index().isAffine() ? equal.get(l) : null;
      if (same == null) {
        same = array(e.dtype(), elements);
        copied.add(e);
        if (e instanceof Expr.Load l && l.index().isAffine()) {
          equal.put(l, same);
        }
      }
      arrays.put(e, same);
    }
    results = stores.stream().mapToInt(s -> array(s.value().dtype(), elements)).toArray();
  }

  private int array(DType t, int elements) {
    code.loadConstant(elements).newarray(Types.kind(t));
    return g.keep(TypeKind.REFERENCE);
  }

  /**
   * Computes a block; all other loops are bound.
   *
   * @param n0 local with the last loop's value at its first element
   * @param size pushes the number of its elements
   * @param first what comes first for each element, given the local with its place in the block
   */
  void block(int n0, Runnable size, IntConsumer first) {
    for (Expr e : copied) {
      if (e instanceof Expr.Load l) {
        DType d = l.dtype();
        int array = arrays.get(e);
        copy(
            l.index(),
            d,
            size,
            (lanes, i) ->
                vectors.load(
                    g.local(l.param()), d, lanes, vectorAt(l.index(), n0, i, lanes), array, i),
            i -> element(e, n0, i, array));
      } else {
        each(code::iconst_0, size, 1, i -> element(e, n0, i, arrays.get(e)));
      }
    }
    g.open();
    // Once per block: the device compiler moves no load of global memory out of a loop.
    for (Expr e : invariant) {
      g.push(e);
      g.known(e, g.keep(Types.kind(e.dtype())));
    }
    compute(n0, size, first);
    g.close();
    for (int s = 0; s < results.length; s++) {
      Phase.Store st = stores.get(s);
      DType d = st.value().dtype();
      int array = results[s];
      copy(
          st.index(),
          d,
          size,
          (lanes, i) ->
              vectors.store(
                  g.local(st.param()), d, lanes, vectorAt(st.index(), n0, i, lanes), array, i),
          i -> {
            along(n0, i);
            g.store(
                st.param(),
                d,
                () -> g.index(st.index()),
                () -> code.aload(array).iload(i).arrayLoad(Types.kind(d)));
          });
    }
  }

  /**
   * Operands to results. Where there are quarter turns, the formulas for small arguments come
   * first, and a block with a larger one is computed again by the device's functions.
   */
  private void compute(int n0, Runnable size, IntConsumer first) {
    if (!turns || !g.ops.own()) {
      each(code::iconst_0, size, 1, i -> point(n0, i, first));
      return;
    }
    code.iconst_0();
    int largest = g.keep(TypeKind.INT);
    g.ops.shortTurns(largest);
    each(code::iconst_0, size, 1, i -> point(n0, i, first));
    g.ops.longTurns();
    Label end = code.newLabel();
    code.iload(largest).loadConstant(Float.floatToRawIntBits(CpuMath.TRIG_MAX)).if_icmple(end);
    each(code::iconst_0, size, 1, i -> point(n0, i, first));
    code.labelBinding(end);
    code.nop();
  }

  private void point(int n0, int i, IntConsumer first) {
    along(n0, i);
    first.accept(i);
    arrays.forEach(
        (e, array) -> {
          code.aload(array).iload(i).arrayLoad(Types.kind(e.dtype()));
          g.known(e, g.keep(Types.kind(e.dtype())));
        });
    for (int s = 0; s < results.length; s++) {
      Expr value = stores.get(s).value();
      code.aload(results[s]).iload(i);
      g.push(value);
      code.arrayStore(Types.kind(value.dtype()));
    }
  }

  private interface VectorCopy {
    void write(int lanes, int i);
  }

  /** Copies a block by vectors where that is possible, and what is left by elements. */
  private void copy(Index index, DType t, Runnable size, VectorCopy vector, IntConsumer element) {
    int lanes = lanes(index, t);
    if (lanes == 1) {
      each(code::iconst_0, size, 1, element);
      return;
    }
    if (last.extent() % lanes == 0) {
      each(code::iconst_0, size, lanes, i -> vector.write(lanes, i));
      return;
    }
    size.run();
    code.loadConstant(-lanes).iand();
    int whole = g.keep(TypeKind.INT);
    each(code::iconst_0, () -> code.iload(whole), lanes, i -> vector.write(lanes, i));
    each(() -> code.iload(whole), size, 1, element);
  }

  private int lanes(Index index, DType t) {
    return Vectors.lanes(index, t, last, COPIED, 0);
  }

  private Runnable vectorAt(Index index, int n0, int i, int lanes) {
    return () -> {
      along(n0, i);
      g.index(index);
      code.loadConstant(Integer.numberOfTrailingZeros(lanes)).ishr();
    };
  }

  private void element(Expr e, int n0, int i, int array) {
    along(n0, i);
    code.aload(array).iload(i);
    g.push(e);
    code.arrayStore(Types.kind(e.dtype()));
  }

  /** Binds the last loop to an element of the block. */
  private void along(int n0, int i) {
    code.iload(n0).iload(i).iadd();
    g.bind(last, g.keep(TypeKind.INT));
  }

  private void each(Runnable from, Runnable limit, int step, IntConsumer body) {
    int i = code.allocateLocal(TypeKind.INT);
    g.count(i, from, limit, step, () -> body.accept(i));
  }
}
