package tapedeck.bench.draw;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Full;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Tensor;

/**
 * The computational graph of a traced scalar function with the value and the gradient of every
 * node. The gradients come from one reverse pass over the function with a zero added to each value:
 * the derivative in that zero is the adjoint.
 */
public final class TracedGraph {
  /** Tensors with more elements are shown by shape and norm. */
  private static final int MOST_ELEMENTS = 8;

  private final Tape tape;
  private final List<Tensor> inputs;
  private final List<Var> floats = new ArrayList<>();
  private final Map<Var, Tensor> values = new HashMap<>();
  private final Map<Var, Tensor> gradients = new HashMap<>();

  private TracedGraph(Tape tape, List<Tensor> inputs) {
    this.tape = tape;
    this.inputs = inputs;
    for (Var v : tape.inputs()) {
      addFloat(v);
    }
    for (Eqn e : tape.eqns()) {
      if (!e.ins().isEmpty()) {
        e.outs().forEach(this::addFloat);
      }
    }
    List<Tensor> zeros = new ArrayList<>();
    floats.forEach(v -> zeros.add(Tensor.full(v.aval().dtype(), v.aval().shape(), 0)));
    evaluate(zeros, values);
    List<Tensor> g =
        Ad.grad((Fn1<List<Tensor>, Tensor>) z -> evaluate(z, new HashMap<>())).apply(zeros);
    for (int i = 0; i < floats.size(); i++) {
      gradients.put(floats.get(i), g.get(i));
    }
  }

  private void addFloat(Var v) {
    if (v.aval().dtype().isFloat()) {
      floats.add(v);
    }
  }

  private Tensor evaluate(List<Tensor> offsets, Map<Var, Tensor> env) {
    Map<Var, Tensor> offset = new HashMap<>();
    for (int i = 0; i < floats.size(); i++) {
      offset.put(floats.get(i), offsets.get(i));
    }
    for (int i = 0; i < inputs.size(); i++) {
      put(env, offset, tape.inputs().get(i), inputs.get(i));
    }
    for (Eqn e : tape.eqns()) {
      List<Tensor> out = Tensor.bind(e.primitive(), e.ins().stream().map(env::get).toList());
      for (int i = 0; i < out.size(); i++) {
        put(env, offset, e.outs().get(i), out.get(i));
      }
    }
    return env.get(tape.outputs().get(0));
  }

  private static void put(Map<Var, Tensor> env, Map<Var, Tensor> offset, Var v, Tensor t) {
    Tensor o = offset.get(v);
    env.put(v, o == null ? t : t.add(o));
  }

  /**
   * The graph of {@code f}.
   *
   * @param f a scalar function of a list of tensors, which captures no others
   * @param names of the tensors
   */
  public static Graph of(
      String title, Fn1<List<Tensor>, Tensor> f, List<String> names, List<Tensor> at) {
    return new TracedGraph(Ad.tape(f, at), at).graph(title, names);
  }

  private Graph graph(String title, List<String> names) {
    List<Graph.Node> nodes = new ArrayList<>();
    Map<Var, Integer> place = new HashMap<>();
    Map<Var, String> constants = new HashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      Var v = tape.inputs().get(i);
      place.put(v, nodes.size());
      nodes.add(node(names.get(i), List.of(), v));
    }
    for (Eqn e : tape.eqns()) {
      Var out = e.out();
      if (e.ins().isEmpty()) {
        constants.put(
            out, e.primitive() instanceof Full f ? number(f.value()) : e.primitive().label());
      } else if (e.primitive() instanceof Movement.Reshape) {
        // The same numbers: the node that made them stands for both.
        place.put(out, place.get(e.ins().get(0)));
      } else {
        List<Integer> operands = new ArrayList<>();
        StringBuilder label = new StringBuilder(symbol(e));
        boolean square = label.toString().equals("square");
        for (Var in : e.ins()) {
          if (constants.containsKey(in)) {
            label.append(' ').append(constants.get(in));
          } else if (!square || operands.isEmpty()) {
            operands.add(place.get(in));
          }
        }
        place.put(out, nodes.size());
        nodes.add(node(label.toString(), operands, out));
      }
    }
    return new Graph(title, nodes);
  }

  private Graph.Node node(String label, List<Integer> operands, Var v) {
    Tensor g = gradients.get(v);
    return new Graph.Node(label, operands, text(values.get(v)), g == null ? List.of() : text(g));
  }

  private static String symbol(Eqn e) {
    String label = e.primitive().label();
    return switch (label) {
      case "add" -> "+";
      case "sub" -> "-";
      case "mul" -> e.ins().get(0).equals(e.ins().get(1)) ? "square" : "×";
      case "div" -> "/";
      default -> label.replaceFirst("^reduce_", "").replaceFirst("\\[.*", "");
    };
  }

  /** A tensor in a few lines: all elements of a small one, else shape and norm. */
  static List<String> text(Tensor t) {
    double[] v = t.toDoubleArray();
    if (v.length > MOST_ELEMENTS || t.rank() > 2) {
      double norm = Math.sqrt(Arrays.stream(v).map(x -> x * x).sum());
      return List.of(t.shape() + " norm " + number(norm));
    }
    if (t.rank() == 0) {
      return List.of(number(v[0]));
    }
    int columns = t.rank() == 2 ? t.dim(1) : v.length;
    int rows = v.length / Math.max(1, columns);
    List<String> lines = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      List<String> cells = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        cells.add(padded(v, r * columns + c, columns));
      }
      lines.add("[" + String.join(" ", cells) + "]");
    }
    return lines;
  }

  /** An element as wide as the widest of its column. */
  private static String padded(double[] v, int at, int columns) {
    int width = 0;
    for (int i = at % columns; i < v.length; i += columns) {
      width = Math.max(width, number(v[i]).length());
    }
    return " ".repeat(width - number(v[at]).length()) + number(v[at]);
  }

  /** Four digits, without trailing zeros. */
  static String number(double v) {
    if (v == 0) {
      return "0";
    }
    String s = String.format(Locale.ROOT, "%.4g", v);
    return s.contains(".") && !s.contains("e") ? s.replaceFirst("\\.?0+$", "") : s;
  }
}
