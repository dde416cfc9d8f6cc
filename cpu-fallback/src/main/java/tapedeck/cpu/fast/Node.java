package tapedeck.cpu.fast;

import java.util.BitSet;
import java.util.List;

/** A value of generated code; nodes of one {@link Graph} that compute the same are one object. */
final class Node {
  final Op op;
  final Type type;
  final List<Node> in;

  /** Bits of a constant, parameter, loop id or accumulator id; limit of a REPAIR. */
  final long value;

  /** Function of a CALL or REPAIR, else empty. */
  final String name;

  /** Loops that the value changes with, not counting those behind accumulators. */
  final BitSet loops = new BitSet();

  /** Accumulators that the value is computed from. */
  final BitSet accs = new BitSet();

  Node(Op op, Type type, List<Node> in, long value, String name) {
    this.op = op;
    this.type = type;
    this.in = in;
    this.value = value;
    this.name = name;
    if (op == Op.VAR) {
      loops.set((int) value);
    } else if (op == Op.ACC) {
      accs.set((int) value);
    }
    for (Node n : in) {
      loops.or(n.loops);
      accs.or(n.accs);
    }
  }

  boolean isConst() {
    return op == Op.CONST;
  }

  @Override
  public String toString() {
    StringBuilder s = new StringBuilder(op.name()).append('.').append(type);
    if (op.ordinal() <= Op.VAR.ordinal() || op == Op.ACC) {
      s.append(' ').append(value);
    }
    return s.append(name.isEmpty() ? "" : " " + name).toString();
  }
}
