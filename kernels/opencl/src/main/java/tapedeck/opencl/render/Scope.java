package tapedeck.opencl.render;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * A block of the kernel that is being written: its text so far, the loops and accumulators defined
 * in it, and the names of values already computed there. A block's text enters its parent when it
 * is closed, so values that do not depend on it can still be placed before it.
 */
final class Scope {
  final Scope parent;
  final boolean guard;
  final BitSet loops = new BitSet();
  final BitSet accs = new BitSet();
  final Map<Integer, String> values = new HashMap<>();
  private final StringBuilder text = new StringBuilder();
  private final String indent;

  /**
   * @param guard whether the block runs only under a condition, so that nothing may be moved out of
   *     it
   */
  Scope(Scope parent, boolean guard) {
    this.parent = parent;
    this.guard = guard;
    this.indent = parent == null ? "  " : parent.indent + "  ";
  }

  void line(String s) {
    text.append(indent).append(s).append('\n');
  }

  /** Adds a closed block: header, its text, a brace. */
  void block(String header, Scope body) {
    line(header.isEmpty() ? "{" : header + " {");
    text.append(body.text);
    line("}");
  }

  String find(int node) {
    for (Scope s = this; s != null; s = s.parent) {
      String name = s.values.get(node);
      if (name != null) {
        return name;
      }
    }
    return null;
  }

  /** Forgets values that may have changed in memory. */
  void forget(BitSet nodes) {
    for (Scope s = this; s != null; s = s.parent) {
      s.values.keySet().removeIf(nodes::get);
    }
  }

  String text() {
    return text.toString();
  }
}
