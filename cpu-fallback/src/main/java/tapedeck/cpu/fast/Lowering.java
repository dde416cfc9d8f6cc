package tapedeck.cpu.fast;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.ScalarOp;

/**
 * Turns expressions into nodes. Every node but LOAD may be evaluated anywhere, so guards become
 * conditions on loads and selections, and the code generator may place nodes freely.
 */
final class Lowering {
  final Graph graph = new Graph();
  private final Kernel kernel;

  /** Nesting level of a loop: terms of an address are added from the outermost to the innermost. */
  private final ToIntFunction<Loop> level;

  private final Map<Node, IdentityHashMap<Expr, Node>> done = new HashMap<>();

  Lowering(Kernel kernel, ToIntFunction<Loop> level) {
    this.kernel = kernel;
    this.level = level;
  }

  Node always() {
    return graph.bits(Type.BOOL, 1);
  }

  Node lower(Expr e) {
    return lower(e, always());
  }

  /** The expression's value where {@code active} holds; any value elsewhere. */
  Node lower(Expr e, Node active) {
    IdentityHashMap<Expr, Node> memo = done.computeIfAbsent(active, a -> new IdentityHashMap<>());
    Node known = memo.get(e);
    if (known == null) {
      known = make(e, active);
      memo.put(e, known);
    }
    return known;
  }

  private Node make(Expr e, Node active) {
    Type type = Type.of(e.dtype());
    return switch (e) {
      case Expr.Const c -> graph.constant(type, c.value());
      case Expr.Acc a -> graph.make(Op.ACC, type, List.of(), a.id(), "");
      case Expr.Load l -> {
        Node address = address(l.param(), l.index(), active);
        yield active.isConst() && active.value != 0
            ? graph.op(Op.LOAD, type, address)
            : graph.op(Op.LOAD, type, address, active);
      }
      case Expr.IndexValue v -> graph.op(Op.CONVERT, Type.I32, index(v.index(), active));
      case Expr.Guarded g -> {
        Node holds = bounds(g.bounds(), active);
        Node value = lower(g.value(), graph.and(active, holds));
        Node other = lower(g.otherwise(), graph.and(active, graph.not(holds)));
        yield graph.select(holds, value, other);
      }
      case Expr.Apply a -> {
        List<Node> in = new ArrayList<>();
        for (Expr x : a.args()) {
          in.add(lower(x, active));
        }
        yield apply(a.op(), type, in);
      }
    };
  }

  /** Whether all bounds hold. */
  Node bounds(List<Expr.Bound> bounds, Node active) {
    Node all = always();
    for (Expr.Bound b : bounds) {
      Node i = index(b.index(), active);
      if (b.index().min() < b.lo()) {
        all = graph.and(all, compare(Op.LE, graph.index(b.lo()), i));
      }
      if (b.index().max() >= b.hi()) {
        all = graph.and(all, compare(Op.LT, i, graph.index(b.hi())));
      }
    }
    return all;
  }

  private Node compare(Op op, Node a, Node b) {
    if (a.isConst() && b.isConst()) {
      return graph.bits(Type.BOOL, (op == Op.LT ? a.value < b.value : a.value <= b.value) ? 1 : 0);
    }
    return graph.op(op, Type.BOOL, a, b);
  }

  /** Address of an element of a parameter. */
  Node address(int param, Index index, Node active) {
    int bytes = kernel.params().get(param).dtype().bytes();
    Node base = graph.make(Op.PARAM, Type.INDEX, List.of(), param, "");
    return sum(base, index, bytes, active);
  }

  private Node index(Index index, Node active) {
    return sum(graph.index(0), index, 1, active);
  }

  private Node sum(Node start, Index index, long scale, Node active) {
    Node sum = graph.plus(start, graph.index(index.base() * scale));
    List<Index.Term> terms = new ArrayList<>(index.terms());
    // Outer terms first: partial sums are then invariant in inner loops.
    terms.sort((a, b) -> Integer.compare(depth(a.atom()), depth(b.atom())));
    for (Index.Term t : terms) {
      sum = graph.plus(sum, graph.times(atom(t.atom(), active), t.coef() * scale));
    }
    return sum;
  }

  private int depth(Index.Atom atom) {
    return switch (atom) {
      case Index.Var v -> level.applyAsInt(v.loop());
      case Index.Div d -> depth(d.arg());
      case Index.Mod m -> depth(m.arg());
      case Index.Dyn d -> depthOf(d.value());
    };
  }

  private int depth(Index index) {
    return index.terms().stream().mapToInt(t -> depth(t.atom())).max().orElse(0);
  }

  private int depthOf(Expr e) {
    return switch (e) {
      case Expr.Load l -> depth(l.index());
      case Expr.IndexValue v -> depth(v.index());
      case Expr.Const c -> 0;
      case Expr.Acc a -> 2;
      // Walking a whole expression could take long; the end is the safe place.
      case Expr.Apply a -> Integer.MAX_VALUE;
      case Expr.Guarded g -> Integer.MAX_VALUE;
    };
  }

  private Node atom(Index.Atom atom, Node active) {
    return switch (atom) {
      case Index.Var v -> graph.make(Op.VAR, Type.INDEX, List.of(), v.loop().id(), "");
      case Index.Div d -> graph.op(Op.DIV, Type.INDEX, index(d.arg(), active), graph.index(d.by()));
      case Index.Mod m -> graph.op(Op.REM, Type.INDEX, index(m.arg(), active), graph.index(m.by()));
      case Index.Dyn d -> graph.op(Op.CONVERT, Type.INDEX, lower(d.value(), active));
    };
  }

  private Node apply(ScalarOp op, Type type, List<Node> in) {
    Node a = in.get(0);
    return switch (op) {
      case ADD, SUB, MUL, MIN, MAX, NEG, ABS, SQRT, LT, LE, EQ, NE, AND, OR, XOR, NOT, SHL, SHR ->
          graph.make(Op.valueOf(op.name()), type, in, 0, "");
      case DIV, REM ->
          type.isFloat() && op == ScalarOp.DIV
              ? graph.make(Op.DIV, type, in, 0, "")
              : graph.make(Op.CALL, type, in, 0, op == ScalarOp.DIV ? "div" : "rem");
      case SELECT -> graph.select(a, in.get(1), in.get(2));
      case CAST -> a.type == type ? a : graph.op(Op.CONVERT, type, a);
      case UMULHI -> IntFunctions.multiplyHigh(graph, a, in.get(1));
      case SIGN -> {
        Node zero = graph.constant(type, 0);
        Node negative =
            graph.select(graph.op(Op.LT, Type.BOOL, a, zero), graph.constant(type, -1), a);
        yield graph.select(graph.op(Op.LT, Type.BOOL, zero, a), graph.constant(type, 1), negative);
      }
      case RSQRT -> graph.op(Op.DIV, type, graph.constant(type, 1), graph.op(Op.SQRT, type, a));
      case FLOOR, CEIL, ROUND -> new Rounding(graph, type).apply(op, a);
      case EXP, LOG, TANH, SIGMOID, SIN, COS, ERF ->
          type == Type.F32
              ? new Functions32(graph).apply(op, a)
              : new Functions64(graph).apply(op, a);
      case POW, ATAN2, EXPM1, LOG1P, TAN, ASIN, ACOS, ATAN, SINH, COSH, ERFC ->
          graph.make(Op.CALL, type, in, 0, op.name().toLowerCase(java.util.Locale.ROOT));
    };
  }
}
