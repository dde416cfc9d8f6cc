package tapedeck.cpu.fast;

import java.util.HashMap;
import java.util.Map;

/** How nodes change along one loop, over which vectors run. */
final class Variation {
  /** Id of the vector loop, -1 for none. */
  final int loop;

  /** Whether accumulators are vectors too: the vector loop is a grid loop. */
  final boolean accs;

  /** Whether the machine's masked loads skip the lanes that are off. */
  private final boolean maskedLoads;

  private final Map<Node, Boolean> irregular = new HashMap<>();
  private final Map<Node, Long> strides = new HashMap<>();

  /** Stride of an index that is not affine. */
  private static final long NONE = Long.MIN_VALUE;

  Variation(int loop, boolean accs, boolean maskedLoads) {
    this.loop = loop;
    this.accs = accs;
    this.maskedLoads = maskedLoads;
  }

  boolean varies(Node n) {
    return loop >= 0 && (n.loops.get(loop) || (accs && !n.accs.isEmpty()));
  }

  /** Whether the node is a vector in vector code; indices stay scalars, those of the first lane. */
  boolean isVector(Node n) {
    return n.type != Type.INDEX && varies(n);
  }

  /** Whether the index grows by a constant from lane to lane. */
  boolean isAffine(Node n) {
    return stride(n) != NONE;
  }

  /** Growth of an affine index from lane to lane. */
  long stride(Node n) {
    Long known = strides.get(n);
    if (known == null) {
      known = makeStride(n);
      strides.put(n, known);
    }
    return known;
  }

  private long makeStride(Node n) {
    if (!varies(n)) {
      return 0;
    }
    switch (n.op) {
      case VAR -> {
        return 1;
      }
      case ADD -> {
        long a = stride(n.in.get(0));
        long b = stride(n.in.get(1));
        return a == NONE || b == NONE ? NONE : a + b;
      }
      case MUL -> {
        long a = stride(n.in.get(0));
        return a == NONE || !n.in.get(1).isConst() ? NONE : a * n.in.get(1).value;
      }
      default -> {
        return NONE;
      }
    }
  }

  /** Whether the vector is filled lane by lane from scalar code. */
  boolean isIrregular(Node n) {
    return irregular.computeIfAbsent(n, this::makeIrregular);
  }

  private boolean makeIrregular(Node n) {
    if (!isVector(n)) {
      return false;
    }
    return switch (n.op) {
      case LOAD -> stride(n.in.get(0)) != n.type.bytes || (n.in.size() > 1 && !maskedLoads);
      case CONVERT -> n.in.get(0).type == Type.INDEX && !isAffine(n.in.get(0));
      case LT, LE ->
          n.in.get(0).type == Type.INDEX && (!isAffine(n.in.get(0)) || !isAffine(n.in.get(1)));
      default -> false;
    };
  }
}
