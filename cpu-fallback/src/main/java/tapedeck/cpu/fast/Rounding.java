package tapedeck.cpu.fast;

import tapedeck.ad.kir.ScalarOp;

/**
 * Rounding to integers by adding a number whose last bit is worth one; exact, keeps zeros' signs.
 */
final class Rounding {
  private final Graph g;
  private final Type t;
  private final Type bits;

  Rounding(Graph g, Type type) {
    this.g = g;
    this.t = type;
    this.bits = type == Type.F32 ? Type.I32 : Type.I64;
  }

  Node apply(ScalarOp op, Node x) {
    Node one = g.constant(t, 1);
    Node r = nearest(x);
    Node whole =
        switch (op) {
          case FLOOR -> g.select(g.op(Op.LT, Type.BOOL, x, r), g.op(Op.SUB, t, r, one), r);
          case CEIL -> g.select(g.op(Op.LT, Type.BOOL, r, x), g.op(Op.ADD, t, r, one), r);
          default -> r;
        };
    return copySign(whole, x);
  }

  private Node nearest(Node x) {
    Node big = g.constant(t, t == Type.F32 ? 0x1p23 : 0x1p52);
    Node a = g.op(Op.ABS, t, x);
    Node r = copySign(g.op(Op.SUB, t, g.op(Op.ADD, t, a, big), big), x);
    return g.select(g.op(Op.LT, Type.BOOL, a, big), r, x);
  }

  /** {@code magnitude} with the sign of {@code sign}. */
  Node copySign(Node magnitude, Node sign) {
    Node mask = g.bits(bits, t == Type.F32 ? (long) Integer.MIN_VALUE : Long.MIN_VALUE);
    Node s = g.op(Op.AND, bits, g.op(Op.BITS, bits, sign), mask);
    Node m = g.op(Op.BITS, bits, g.op(Op.ABS, t, magnitude));
    return g.op(Op.BITS, t, g.op(Op.OR, bits, m, s));
  }
}
