package tapedeck.ad.tape;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints tapes. */
public final class TapePrinter {
  private TapePrinter() {}

  /**
   * {@return one line for the inputs, one per equation with its type and the user's source line,
   * one for the results}
   *
   * <pre>
   * inputs  v0:f32(3) v1:f32(3)
   *   v2:f32(3) = mul v0 v1   # Model.java:42
   * outputs v2
   * </pre>
   *
   * @param t the tape; where it has captured constants, a line for them comes first
   */
  public static String text(Tape t) {
    StringBuilder s = new StringBuilder();
    if (t.consts() > 0) {
      s.append("consts  ").append(typed(t.inputs().subList(0, t.consts()))).append('\n');
    }
    s.append("inputs  ")
        .append(typed(t.inputs().subList(t.consts(), t.inputs().size())))
        .append('\n');
    for (Eqn e : t.eqns()) {
      s.append("  ").append(typed(e.outs())).append(" = ").append(e.primitive().label());
      e.ins().forEach(v -> s.append(' ').append(v));
      s.append(e.source().isEmpty() ? "" : "   # " + e.source()).append('\n');
    }
    return s.append("outputs ").append(names(t.outputs())).append('\n').toString();
  }

  private static String typed(List<Var> vars) {
    return vars.stream().map(v -> v + ":" + v.aval()).collect(Collectors.joining(" "));
  }

  private static String names(List<Var> vars) {
    return vars.stream().map(Var::toString).collect(Collectors.joining(" "));
  }

  /**
   * {@return the data flow as a Graphviz digraph: boxes are equations and inputs, edges are
   * variables with their types}
   *
   * @param t the tape
   */
  public static String dot(Tape t) {
    return dot(t, Map.of());
  }

  /**
   * {@return as {@link #dot(Tape)}, with a second line of text for some variables, such as a value
   * and a gradient}
   *
   * @param t the tape
   * @param notes text by variable; of an equation with several results only the first is drawn
   */
  public static String dot(Tape t, Map<Var, String> notes) {
    StringBuilder s =
        new StringBuilder(
            "digraph tape {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (int i = 0; i < t.inputs().size(); i++) {
      Var v = t.inputs().get(i);
      node(s, v, (i < t.consts() ? "const " : "input ") + v, notes);
    }
    for (Eqn e : t.eqns()) {
      node(s, e.out(), e.primitive().label(), notes);
    }
    for (Eqn e : t.eqns()) {
      for (Var v : e.ins()) {
        s.append("  n").append(owner(t, v)).append(" -> n").append(e.out().id());
        s.append(" [label=\"").append(v.aval()).append("\"];\n");
      }
    }
    for (int i = 0; i < t.outputs().size(); i++) {
      s.append("  o")
          .append(i)
          .append(" [label=\"output ")
          .append(i)
          .append("\", shape=plaintext];\n");
      s.append("  n").append(owner(t, t.outputs().get(i))).append(" -> o").append(i).append(";\n");
    }
    return s.append("}\n").toString();
  }

  private static void node(StringBuilder s, Var v, String label, Map<Var, String> notes) {
    String note = notes.containsKey(v) ? "\\n" + escape(notes.get(v)) : "";
    s.append("  n")
        .append(v.id())
        .append(" [label=\"")
        .append(escape(label))
        .append(note)
        .append("\"];\n");
  }

  /** Id of the node that draws a variable: its equation's first result. */
  private static int owner(Tape t, Var v) {
    int at = v.id() - t.inputs().size();
    if (at >= 0) {
      for (Eqn e : t.eqns()) {
        if (e.outs().size() > 1 && e.outs().contains(v)) {
          return e.out().id();
        }
      }
    }
    return v.id();
  }

  private static String escape(String s) {
    return s.replace("\\", "\\\\").replace("\"", "\\\"");
  }
}
