package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.type.DType;

/**
 * Expressions of one kernel with equal ones made one node, each knowing which loops and
 * accumulators its value depends on. The writer places a node in the outermost scope where those
 * are defined.
 */
final class Graph {

  /**
   * One distinct value.
   *
   * @param id number in order of first use
   * @param expr an expression that computes it
   * @param loops ids of the loops it depends on
   * @param accs ids of the accumulators it depends on
   * @param reads whether memory that this kernel writes is read
   */
  record Node(int id, Expr expr, BitSet loops, BitSet accs, boolean reads) {
    DType dtype() {
      return expr.dtype();
    }
  }

  private final IdentityHashMap<Expr, Node> nodes = new IdentityHashMap<>();
  private final Map<String, Node> distinct = new HashMap<>();
  private final BitSet readers = new BitSet();
  private final boolean[] written;

  /** A graph for a kernel that writes the memory of the given parameters. */
  Graph(boolean[] written) {
    this.written = written.clone();
  }

  Node node(Expr e) {
    Node n = nodes.get(e);
    if (n == null) {
      n = make(e);
      nodes.put(e, n);
    }
    return n;
  }

  private Node make(Expr e) {
    BitSet loops = new BitSet();
    BitSet accs = new BitSet();
    boolean reads = false;
    for (Expr c : e.children()) {
      Node n = node(c);
      loops.or(n.loops());
      accs.or(n.accs());
      reads |= n.reads();
    }
    String key =
        switch (e) {
          case Expr.Const c -> "c" + c.dtype() + Double.doubleToRawLongBits(c.value());
          case Expr.Acc a -> {
            accs.set(a.id());
            yield "a" + a.id();
          }
          case Expr.Load l -> {
            addLoops(l.index(), loops);
            reads |= written[l.param()];
            yield "l" + l.param() + ":" + key(l.index());
          }
          case Expr.IndexValue v -> {
            addLoops(v.index(), loops);
            yield "i" + key(v.index());
          }
          case Expr.Apply a -> {
            StringBuilder s = new StringBuilder("o").append(a.op()).append(a.dtype());
            a.args().forEach(x -> s.append(',').append(node(x).id()));
            yield s.toString();
          }
          case Expr.Guarded g -> {
            StringBuilder s = new StringBuilder("g");
            for (Expr.Bound b : g.bounds()) {
              addLoops(b.index(), loops);
              s.append(b.lo())
                  .append('<')
                  .append(key(b.index()))
                  .append('<')
                  .append(b.hi())
                  .append(';');
            }
            yield s.append(node(g.value()).id())
                .append(':')
                .append(node(g.otherwise()).id())
                .toString();
          }
        };
    Node same = distinct.get(key);
    if (same != null) {
      return same;
    }
    Node n = new Node(distinct.size(), e, loops, accs, reads);
    distinct.put(key, n);
    if (reads) {
      readers.set(n.id());
    }
    return n;
  }

  /** Numbers of the nodes that read memory which this kernel writes. */
  BitSet readers() {
    return readers;
  }

  /** Text that is equal for equal indices; expressions in it appear as node numbers. */
  private String key(Index index) {
    StringBuilder s = new StringBuilder().append(index.base());
    for (Index.Term t : index.terms()) {
      s.append('+').append(t.coef()).append('*');
      switch (t.atom()) {
        case Index.Var v -> s.append('i').append(v.loop().id());
        case Index.Div d -> s.append('(').append(key(d.arg())).append(")/").append(d.by());
        case Index.Mod m -> s.append('(').append(key(m.arg())).append(")%").append(m.by());
        case Index.Dyn d -> s.append('[').append(node(d.value()).id()).append(']');
      }
    }
    return s.toString();
  }

  boolean dependsOn(Index index, Loop loop) {
    BitSet loops = new BitSet();
    addLoops(index, loops);
    dynamic(index).forEach(e -> loops.or(node(e).loops()));
    return loops.get(loop.id());
  }

  boolean dependsOnAccs(Index index) {
    return dynamic(index).stream().anyMatch(e -> !node(e).accs().isEmpty());
  }

  /** Adds the loops of an index; those of its expressions come with the expressions. */
  static void addLoops(Index index, BitSet loops) {
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> loops.set(v.loop().id());
        case Index.Div d -> addLoops(d.arg(), loops);
        case Index.Mod m -> addLoops(m.arg(), loops);
        case Index.Dyn d -> {}
      }
    }
  }

  /** Expressions inside an index. */
  static List<Expr> dynamic(Index index) {
    List<Expr> out = new ArrayList<>();
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {}
        case Index.Div d -> out.addAll(dynamic(d.arg()));
        case Index.Mod m -> out.addAll(dynamic(m.arg()));
        case Index.Dyn d -> out.add(d.value());
      }
    }
    return out;
  }
}
