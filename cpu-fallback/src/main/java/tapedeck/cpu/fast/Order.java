package tapedeck.cpu.fast;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which nodes a step evaluates, in order, which of them go into locals, and which are also needed
 * as a vector of equal lanes.
 */
final class Order {
  /** Longest chain that is evaluated on the operand stack. */
  private static final int MAX_CHAIN = 10;

  final List<Node> nodes = new ArrayList<>();
  final Set<Node> locals = new HashSet<>();
  final Set<Node> broadcasts = new LinkedHashSet<>();

  private final Plan plan;
  private final Plan.Step step;
  private final boolean vector;
  private final Set<Node> seen = new HashSet<>();
  private final Map<Node, Integer> uses = new HashMap<>();
  private final Map<Node, Integer> chain = new HashMap<>();

  Order(Plan plan, Plan.Step step, boolean vector) {
    this.plan = plan;
    this.step = step;
    this.vector = vector;
    step.roots().forEach(this::need);
    for (Node n : nodes) {
      for (Node x : operands(n)) {
        use(x, level(n), isVector(n) && !isByLane(n));
      }
      if (isByLane(n) || n.op == Op.REPAIR || (n.op == Op.LOAD && n.in.size() > 1)) {
        locals.add(n);
        locals.addAll(operands(n));
      }
    }
    int deepest = 2 + step.loops().size();
    for (Node r : step.roots()) {
      use(r, deepest, step.values().contains(r) && vector);
      if (step.values().size() > 1) {
        locals.add(r);
      }
    }
    for (Node n : nodes) {
      int height = 1;
      for (Node x : operands(n)) {
        height = Math.max(height, 1 + (locals.contains(x) ? 0 : chain.getOrDefault(x, 0)));
      }
      if (uses.getOrDefault(n, 0) > 1 || height > MAX_CHAIN) {
        locals.add(n);
      }
      chain.put(n, height);
    }
    locals.removeIf(n -> n.isConst() || n.op == Op.VAR || n.op == Op.ACC || n.op == Op.PARAM);
    broadcasts.removeIf(n -> n.type == Type.INDEX || n.type == Type.BOOL);
  }

  private int level(Node n) {
    return plan.level(n, step);
  }

  private boolean isVector(Node n) {
    return vector && step.variation().isVector(n);
  }

  /** Whether vector code evaluates the node in a loop over lanes. */
  private boolean isByLane(Node n) {
    return isVector(n) && (n.op == Op.CALL || step.variation().isIrregular(n));
  }

  private void use(Node n, int by, boolean byVector) {
    uses.merge(n, level(n) < by ? 2 : 1, Integer::sum);
    if (byVector && !isVector(n)) {
      broadcasts.add(n);
    }
  }

  private void need(Node root) {
    java.util.ArrayDeque<Node> stack = new java.util.ArrayDeque<>();
    Set<Node> open = new HashSet<>();
    stack.push(root);
    while (!stack.isEmpty()) {
      Node n = stack.peek();
      if (seen.contains(n)) {
        stack.pop();
      } else if (open.add(n)) {
        operands(n)
            .forEach(
                x -> {
                  if (!seen.contains(x)) {
                    stack.push(x);
                  }
                });
      } else {
        stack.pop();
        seen.add(n);
        nodes.add(n);
      }
    }
  }

  /** What must be there before the node: for a loop over lanes, all that is the same in each. */
  private List<Node> operands(Node n) {
    if (!isVector(n) || n.op == Op.CALL || !step.variation().isIrregular(n)) {
      return n.in;
    }
    List<Node> out = new ArrayList<>();
    frontier(n, new HashSet<>(), out);
    return out;
  }

  private void frontier(Node n, Set<Node> visited, List<Node> out) {
    for (Node x : n.in) {
      if (visited.add(x)) {
        if (step.variation().varies(x)) {
          frontier(x, visited, out);
        } else {
          out.add(x);
        }
      }
    }
  }
}
