package tapedeck.cpu.fast;

import java.util.IdentityHashMap;
import java.util.Map;

/** Locals that hold values of nodes, in nested scopes of generated code. */
final class Env {
  final Env parent;
  private final Map<Node, Integer> scalars = new IdentityHashMap<>();
  private final Map<Node, Integer> vectors = new IdentityHashMap<>();

  /** How nodes that change along the vector loop are evaluated here. */
  final Mode mode;

  /** Local with the mask of lanes in use, where the mode is MASKED. */
  final int mask;

  /** Local with the number of lanes in use, where the mode is MASKED. */
  final int count;

  /** In code for one lane: what holds the first lane's value outside must not be used. */
  private final Variation lane;

  enum Mode {
    SCALAR,
    VECTOR,
    MASKED
  }

  private Env(Env parent, Mode mode, int mask, int count, Variation lane) {
    this.parent = parent;
    this.mode = mode;
    this.mask = mask;
    this.count = count;
    this.lane = lane;
  }

  static Env entry() {
    return new Env(null, Mode.SCALAR, -1, -1, null);
  }

  Env child() {
    return new Env(this, mode, mask, count, null);
  }

  Env child(Mode m) {
    return new Env(this, m, -1, -1, null);
  }

  Env masked(int maskLocal, int countLocal) {
    return new Env(this, Mode.MASKED, maskLocal, countLocal, null);
  }

  /** Scope of scalar code for a single lane. */
  Env lane(Variation variation) {
    return new Env(this, Mode.SCALAR, -1, -1, variation);
  }

  /** Local with the scalar value of a node, or -1. */
  int scalar(Node n) {
    Integer at = scalars.get(n);
    if (at != null) {
      return at;
    }
    return parent == null || (lane != null && lane.varies(n)) ? -1 : parent.scalar(n);
  }

  int vector(Node n) {
    Integer at = vectors.get(n);
    return at != null ? at : parent == null ? -1 : parent.vector(n);
  }

  void putScalar(Node n, int local) {
    scalars.put(n, local);
  }

  void putVector(Node n, int local) {
    vectors.put(n, local);
  }
}
