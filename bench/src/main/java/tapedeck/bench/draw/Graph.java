package tapedeck.bench.draw;

import java.util.List;

/**
 * A computational graph: nodes in order of evaluation, each with one result.
 *
 * @param title for people
 */
public record Graph(String title, List<Node> nodes) {

  public Graph {
    nodes = List.copyOf(nodes);
    for (int i = 0; i < nodes.size(); i++) {
      for (int in : nodes.get(i).inputs()) {
        if (in < 0 || in >= i) {
          throw new IllegalArgumentException("[draw] node " + i + " has the input " + in);
        }
      }
    }
  }

  /**
   * An input, which has no inputs of its own, or an operation.
   *
   * @param label name of the input or operation
   * @param inputs positions of the operands in the list of nodes
   * @param value lines above the edge that leaves the node
   * @param gradient lines below it
   */
  public record Node(
      String label, List<Integer> inputs, List<String> value, List<String> gradient) {
    public Node {
      inputs = List.copyOf(inputs);
      value = List.copyOf(value);
      gradient = List.copyOf(gradient);
    }

    public boolean isInput() {
      return inputs.isEmpty();
    }
  }
}
