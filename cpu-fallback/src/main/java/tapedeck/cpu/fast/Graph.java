package tapedeck.cpu.fast;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes nodes, each once, and folds what is trivial in index arithmetic. */
final class Graph {
  private record Key(Op op, Type type, List<Node> in, long value, String name) {}

  private final Map<Key, Node> nodes = new HashMap<>();

  Node make(Op op, Type type, List<Node> in, long value, String name) {
    return nodes.computeIfAbsent(
        new Key(op, type, in, value, name), k -> new Node(op, type, in, value, name));
  }

  Node op(Op op, Type type, Node... in) {
    return make(op, type, List.of(in), 0, "");
  }

  Node call(String name, Type type, Node... in) {
    return make(Op.CALL, type, List.of(in), 0, name);
  }

  /** A constant given by its value; all but I64 and INDEX are exact in float64. */
  Node constant(Type type, double v) {
    long bits =
        switch (type) {
          case F32 -> Float.floatToRawIntBits((float) v);
          case F64 -> Double.doubleToRawLongBits(v);
          case I32 -> (int) v;
          case BOOL -> v != 0 ? 1 : 0;
          case I64, INDEX -> (long) v;
        };
    return bits(type, bits);
  }

  Node bits(Type type, long bits) {
    return make(Op.CONST, type, List.of(), bits, "");
  }

  Node index(long v) {
    return bits(Type.INDEX, v);
  }

  Node plus(Node a, Node b) {
    if (a.isConst() && b.isConst()) {
      return index(a.value + b.value);
    }
    if (b.isConst() && b.value == 0) {
      return a;
    }
    return a.isConst() && a.value == 0 ? b : op(Op.ADD, Type.INDEX, a, b);
  }

  Node times(Node a, long c) {
    if (a.isConst()) {
      return index(a.value * c);
    }
    return c == 1 ? a : op(Op.MUL, Type.INDEX, a, index(c));
  }

  Node and(Node a, Node b) {
    if (a.isConst()) {
      return a.value == 0 ? a : b;
    }
    if (b.isConst()) {
      return b.value == 0 ? b : a;
    }
    return op(Op.AND, Type.BOOL, a, b);
  }

  Node not(Node a) {
    return a.isConst() ? bits(Type.BOOL, a.value ^ 1) : op(Op.NOT, Type.BOOL, a);
  }

  Node select(Node c, Node a, Node b) {
    if (c.isConst()) {
      return c.value != 0 ? a : b;
    }
    return a == b ? a : op(Op.SELECT, a.type, c, a, b);
  }
}
