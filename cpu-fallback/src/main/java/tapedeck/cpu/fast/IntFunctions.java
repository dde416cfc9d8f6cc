package tapedeck.cpu.fast;

/** Integer instructions that vectors lack. */
final class IntFunctions {
  private IntFunctions() {}

  /** High half of the unsigned product, from four products of 16-bit halves. */
  static Node multiplyHigh(Graph g, Node a, Node b) {
    Node low = g.constant(Type.I32, 0xffff);
    Node al = g.op(Op.AND, Type.I32, a, low);
    Node bl = g.op(Op.AND, Type.I32, b, low);
    Node ah = high(g, a);
    Node bh = high(g, b);
    Node m1 = add(g, mul(g, ah, bl), high(g, mul(g, al, bl)));
    Node m2 = add(g, mul(g, al, bh), g.op(Op.AND, Type.I32, m1, low));
    return add(g, add(g, mul(g, ah, bh), high(g, m1)), high(g, m2));
  }

  private static Node high(Graph g, Node x) {
    return g.op(Op.SHR, Type.I32, x, g.constant(Type.I32, 16));
  }

  private static Node mul(Graph g, Node a, Node b) {
    return g.op(Op.MUL, Type.I32, a, b);
  }

  private static Node add(Graph g, Node a, Node b) {
    return g.op(Op.ADD, Type.I32, a, b);
  }
}
