package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.opencl.render.Graph.Node;

/**
 * Writes expressions, loads and stores into nested blocks. A value is computed once, in the
 * outermost block where what it depends on is known, but never outside of a condition. With a lane
 * loop set, values that depend on it are vectors of consecutive loop values, and the loop
 * variable's name stands for the first lane.
 */
final class Writer {
  final Kernel kernel;
  final Graph graph;
  final boolean[] written;
  final boolean wide;
  final boolean alignedVectors;
  private int names;
  private int width = 1;
  private Loop lane;
  private boolean laneAccs;
  private Scope scope = new Scope(null, false);

  /**
   * @param written parameters whose memory is written, through themselves or an alias
   * @param wide whether indices need 64 bits
   * @param alignedVectors whether provably aligned vectors are accessed through vector pointers
   */
  Writer(Kernel kernel, boolean[] written, boolean wide, boolean alignedVectors) {
    this.kernel = kernel;
    this.graph = new Graph(written);
    this.written = written.clone();
    this.wide = wide;
    this.alignedVectors = alignedVectors;
  }

  Scope scope() {
    return scope;
  }

  int width() {
    return width;
  }

  /** From here on, values of {@code loop} are lanes; null with width 1 goes back to scalars. */
  void lanes(Loop loop, int width, boolean accs) {
    this.lane = loop;
    this.width = width;
    this.laneAccs = accs;
  }

  void line(String s) {
    scope.line(s);
  }

  String fresh(String prefix) {
    return prefix + names++;
  }

  String indexType() {
    return wide ? "long" : "int";
  }

  static String name(Loop l) {
    return "i" + l.id();
  }

  /** Opens a block in which the given loops are defined. */
  Scope open(boolean guard, List<Loop> defined) {
    scope = new Scope(scope, guard);
    for (Loop l : defined) {
      scope.loops.set(l.id());
    }
    return scope;
  }

  /** Closes the innermost block and writes it under a header. */
  void close(String header) {
    Scope body = scope;
    scope = body.parent;
    scope.block(header, body);
  }

  /** Leaves the innermost block without writing it. */
  void leave() {
    scope = scope.parent;
  }

  /** Opens plain counting loops, outermost first. Close with {@link #closeLoops}. */
  void openLoops(List<Loop> loops) {
    for (Loop l : loops) {
      open(false, List.of(l));
    }
  }

  void closeLoops(List<Loop> loops) {
    for (int i = loops.size() - 1; i >= 0; i--) {
      close(forHeader(loops.get(i), "0", Long.toString(loops.get(i).extent()), 1));
    }
  }

  String forHeader(Loop l, String from, String to, long step) {
    String i = name(l);
    String test = step == 1 ? i + " < " + to : i + " + " + (step - 1) + " < " + to;
    String inc = step == 1 ? i + "++" : i + " += " + step;
    return "for (" + indexType() + " " + i + " = " + from + "; " + test + "; " + inc + ")";
  }

  /** Loop variables from a flattened counter, the last loop fastest. */
  void decode(String flat, List<Loop> loops) {
    String rest = flat;
    for (int i = loops.size() - 1; i >= 0; i--) {
      Loop l = loops.get(i);
      String value;
      if (l.extent() == 1) {
        value = "0";
      } else if (i == 0) {
        value = rest;
      } else {
        value = modulo(rest, l.extent());
        String next = fresh("q");
        line("const " + indexType() + " " + next + " = " + quotient(rest, l.extent()) + ";");
        rest = next;
      }
      line("const " + indexType() + " " + name(l) + " = " + value + ";");
    }
  }

  /** Loop variables from a value that is the one loop's, or counts all of them. */
  void define(List<Loop> loops, String value) {
    if (loops.size() == 1) {
      line("const " + indexType() + " " + name(loops.getFirst()) + " = " + value + ";");
    } else {
      decode("(" + value + ")", loops);
    }
  }

  String quotient(String a, long by) {
    return wide
        ? "(long)((ulong)(" + a + ") / " + by + "ul)"
        : "(int)((uint)(" + a + ") / " + by + "u)";
  }

  String modulo(String a, long by) {
    return wide
        ? "(long)((ulong)(" + a + ") % " + by + "ul)"
        : "(int)((uint)(" + a + ") % " + by + "u)";
  }

  boolean isVector(Node n) {
    return width > 1
        && ((lane != null && n.loops().get(lane.id())) || (laneAccs && !n.accs().isEmpty()));
  }

  /** The value as a vector of the current width (a scalar at width 1). */
  String vector(Expr e) {
    Node n = graph.node(e);
    String v = emit(n);
    return isVector(n) ? v : ScalarText.splat(e.dtype(), width, v);
  }

  String emit(Expr e) {
    return emit(graph.node(e));
  }

  private String emit(Node n) {
    switch (n.expr()) {
      case Expr.Const c -> {
        return ScalarText.literal(c.dtype(), c.value());
      }
      case Expr.Acc a -> {
        return acc(a.id());
      }
      case Expr.Load l -> {}
      case Expr.IndexValue v -> {}
      case Expr.Apply a -> {}
      case Expr.Guarded g -> {}
    }
    String known = scope.find(n.id());
    if (known != null) {
      return known;
    }
    Scope saved = scope;
    scope = place(n);
    Scope home = scope;
    String type = ScalarText.type(n.dtype(), isVector(n) ? width : 1);
    String name;
    if (n.expr() instanceof Expr.Guarded g) {
      name = guarded(n, g, type);
    } else {
      String text = compute(n);
      name = fresh("v");
      line("const " + type + " " + name + " = " + text + ";");
    }
    home.values.put(n.id(), name);
    scope = saved;
    return name;
  }

  /**
   * Outermost block, within the innermost condition, where all that the node depends on is defined.
   */
  private Scope place(Node n) {
    Scope s = scope;
    // NB: what this kernel writes must be read where the program order says.
    while (!n.reads()
        && !s.guard
        && s.parent != null
        && !s.loops.intersects(n.loops())
        && !s.accs.intersects(n.accs())) {
      s = s.parent;
    }
    return s;
  }

  static String acc(int id) {
    return "a" + id;
  }

  private String compute(Node n) {
    return switch (n.expr()) {
      case Expr.Const c -> throw new AssertionError(c);
      case Expr.Acc a -> throw new AssertionError(a);
      case Expr.Guarded g -> throw new AssertionError(g);
      case Expr.Load l -> load(l, isVector(n));
      case Expr.IndexValue v -> indexValue(v.index(), isVector(n));
      case Expr.Apply a -> {
        int w = isVector(n) ? width : 1;
        List<String> args = new ArrayList<>();
        for (Expr x : a.args()) {
          Node xn = graph.node(x);
          String t = emit(xn);
          args.add(w > 1 && !isVector(xn) ? ScalarText.splat(x.dtype(), w, t) : t);
        }
        yield ScalarText.apply(a.op(), a.args().getLast().dtype(), a.dtype(), args, w);
      }
    };
  }

  private String guarded(Node n, Expr.Guarded g, String type) {
    String name = fresh("v");
    String test = condition(g.bounds());
    boolean constant = g.otherwise() instanceof Expr.Const;
    String other = constant ? vectorLike(n, g.otherwise()) : "";
    line(type + " " + name + (constant ? " = " + other : "") + ";");
    open(true, List.of());
    line(name + " = " + vectorLike(n, g.value()) + ";");
    close("if (" + test + ")");
    if (!constant) {
      open(true, List.of());
      line(name + " = " + vectorLike(n, g.otherwise()) + ";");
      close("else");
    }
    return name;
  }

  private String vectorLike(Node n, Expr e) {
    return isVector(n) ? vector(e) : emit(e);
  }

  /** The bounds as a C condition, without what always holds. */
  String condition(List<Expr.Bound> bounds) {
    List<String> tests = new ArrayList<>();
    for (Expr.Bound b : bounds) {
      String i = "";
      if (b.index().min() < b.lo()) {
        i = index(b.index(), 0);
        tests.add(i + " >= " + integer(b.lo()));
      }
      if (b.index().max() >= b.hi()) {
        i = i.isEmpty() ? index(b.index(), 0) : i;
        tests.add(i + " < " + integer(b.hi()));
      }
    }
    return tests.isEmpty() ? "1" : String.join(" && ", tests);
  }

  private String integer(long v) {
    return wide ? (v < 0 ? "(" + v + "L)" : v + "L") : v < 0 ? "(" + v + ")" : Long.toString(v);
  }

  /** An index as text, for the lane with this number. */
  String index(Index ix, int q) {
    StringBuilder s = new StringBuilder();
    for (Index.Term t : ix.terms()) {
      String atom = atom(t.atom(), q);
      s.append(s.isEmpty() ? "" : " + ");
      s.append(t.coef() == 1 ? atom : integer(t.coef()) + " * " + atom);
    }
    if (s.isEmpty()) {
      return integer(ix.base());
    }
    if (ix.base() != 0) {
      s.append(" + ").append(integer(ix.base()));
    }
    return ix.terms().size() == 1 && ix.base() == 0 && ix.terms().get(0).coef() == 1
        ? s.toString()
        : "(" + s + ")";
  }

  private String atom(Index.Atom atom, int q) {
    return switch (atom) {
      case Index.Var v ->
          q > 0 && v.loop().equals(lane) ? "(" + name(v.loop()) + " + " + q + ")" : name(v.loop());
      case Index.Div d -> quotient(index(d.arg(), q), d.by());
      case Index.Mod m -> modulo(index(m.arg(), q), m.by());
      case Index.Dyn d -> {
        Node n = graph.node(d.value());
        String v = emit(n) + (isVector(n) ? ".s" + Integer.toHexString(q) : "");
        yield wide ? "(long)" + v : v;
      }
    };
  }

  /** Whether the lanes follow a plain stride in this index. */
  boolean plainLanes(Index ix) {
    if (lane == null) {
      return false;
    }
    for (Index.Term t : ix.terms()) {
      boolean other =
          switch (t.atom()) {
            case Index.Var v -> false;
            case Index.Div d -> d.arg().dependsOn(lane);
            case Index.Mod m -> m.arg().dependsOn(lane);
            case Index.Dyn d -> isVector(graph.node(d.value()));
          };
      if (other
          || (t.atom() instanceof Index.Div d && vectorInside(d.arg()))
          || (t.atom() instanceof Index.Mod m && vectorInside(m.arg()))) {
        return false;
      }
    }
    return true;
  }

  private boolean vectorInside(Index ix) {
    return Graph.dynamic(ix).stream().anyMatch(e -> isVector(graph.node(e)));
  }

  private String load(Expr.Load l, boolean vec) {
    String p = "p" + l.param();
    if (!vec) {
      return p + "[" + index(l.index(), 0) + "]";
    }
    long c = plainLanes(l.index()) ? l.index().coef(lane) : Long.MAX_VALUE;
    String type = ScalarText.type(l.dtype(), width);
    if (c == 1) {
      String i = index(l.index(), 0);
      return aligned(l.index(), l.dtype())
          ? "*(const __global " + type + "*)(" + p + " + " + i + ")"
          : "vload" + width + "(0, " + p + " + " + i + ")";
    }
    if (c == -1) {
      return "vload"
          + width
          + "(0, "
          + p
          + " + "
          + index(l.index(), 0)
          + " - "
          + (width - 1)
          + ")."
          + reversed();
    }
    StringBuilder s = new StringBuilder("(" + type + ")(");
    for (int q = 0; q < width; q++) {
      s.append(q == 0 ? "" : ", ").append(p).append('[').append(index(l.index(), q)).append(']');
    }
    return s.append(')').toString();
  }

  private String reversed() {
    StringBuilder s = new StringBuilder("s");
    for (int q = width - 1; q >= 0; q--) {
      s.append(Integer.toHexString(q));
    }
    return s.toString();
  }

  /**
   * Whether the first lane's element number is a multiple of the width, so that its address is
   * aligned.
   */
  private boolean aligned(Index ix, DType t) {
    if (!alignedVectors || width * t.bytes() > 64 || ix.base() % width != 0) {
      return false;
    }
    for (Index.Term term : ix.terms()) {
      boolean laneTerm = term.atom() instanceof Index.Var v && v.loop().equals(lane);
      if (!laneTerm && term.coef() % width != 0) {
        return false;
      }
    }
    return true;
  }

  private String indexValue(Index ix, boolean vec) {
    if (!vec) {
      return wide ? "(int)" + index(ix, 0) : index(ix, 0);
    }
    StringBuilder s = new StringBuilder("(int" + width + ")(");
    if (plainLanes(ix)) {
      String first = (wide ? "(int)" : "") + index(ix, 0);
      StringBuilder steps = new StringBuilder();
      for (int q = 0; q < width; q++) {
        steps.append(q == 0 ? "" : ", ").append(q * ix.coef(lane));
      }
      return s.append(first).append(") + (int").append(width).append(")(").append(steps) + ")";
    }
    for (int q = 0; q < width; q++) {
      s.append(q == 0 ? "" : ", ").append(wide ? "(int)" : "").append(index(ix, q));
    }
    return s.append(')').toString();
  }

  /** All values first, then all writes: a buffer may be overwritten in place. */
  void stores(List<Phase.Store> stores) {
    List<String> values = new ArrayList<>();
    for (Phase.Store s : stores) {
      values.add(vector(s.value()));
    }
    for (int i = 0; i < stores.size(); i++) {
      store(stores.get(i), values.get(i));
    }
  }

  /** Writes a value that was computed already, at the current width. */
  void store(Phase.Store s, String value) {
    String p = "p" + s.param();
    if (width == 1) {
      line(p + "[" + index(s.index(), 0) + "] = " + value + ";");
      return;
    }
    long c = plainLanes(s.index()) ? s.index().coef(lane) : Long.MAX_VALUE;
    DType t = kernel.params().get(s.param()).dtype();
    if (c == 1) {
      String i = index(s.index(), 0);
      line(
          aligned(s.index(), t)
              ? "*(__global "
                  + ScalarText.type(t, width)
                  + "*)("
                  + p
                  + " + "
                  + i
                  + ") = "
                  + value
                  + ";"
              : "vstore" + width + "(" + value + ", 0, " + p + " + " + i + ");");
      return;
    }
    String v = fresh("w");
    line("const " + ScalarText.type(t, width) + " " + v + " = " + value + ";");
    for (int q = 0; q < width; q++) {
      line(p + "[" + index(s.index(), q) + "] = " + v + ".s" + Integer.toHexString(q) + ";");
    }
  }

  /**
   * Whether the outcome of some bounds can differ between values of the loop (or between
   * accumulators).
   */
  boolean laneDependent(List<Expr.Bound> bounds, Loop loop, boolean accs) {
    return bounds.stream()
        .anyMatch(
            b -> graph.dependsOn(b.index(), loop) || (accs && graph.dependsOnAccs(b.index())));
  }
}
