package tapedeck.opencl.render;

import java.util.List;
import tapedeck.ad.type.DType;

/**
 * A kernel's text with its launch sizes, before it has a name.
 *
 * @param top the outermost block
 * @param attributes attribute text before the parameter list
 * @param functions text of functions that it calls
 * @param locals arrays in local memory, which belong before the outermost block
 */
record Draft(
    Scope top,
    long[] global,
    long[] local,
    String strategy,
    String attributes,
    String functions,
    List<Local> locals) {

  /** An array in the local memory of a work-group. */
  record Local(DType dtype, String name, long elements) {
    String declaration() {
      return "__local " + ScalarText.type(dtype, 1) + " " + name + "[" + elements + "];";
    }
  }

  /** A kernel that calls no functions of its own. */
  Draft(Scope top, long[] global, long[] local, String strategy, String attributes) {
    this(top, global, local, strategy, attributes, "");
  }

  /** A kernel whose local memory, if any, is declared in its text. */
  Draft(
      Scope top,
      long[] global,
      long[] local,
      String strategy,
      String attributes,
      String functions) {
    this(top, global, local, strategy, attributes, functions, List.of());
  }

  /** Bytes of the arrays in local memory. */
  long localBytes() {
    return locals.stream().mapToLong(l -> l.elements() * l.dtype().bytes()).sum();
  }

  /** Number of work-groups. */
  long groups() {
    long n = 1;
    for (int i = 0; i < global.length; i++) {
      n *= global[i] / local[i];
    }
    return n;
  }
}
