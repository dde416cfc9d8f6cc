package tapedeck.opencl.render;

/**
 * A kernel's text with its launch sizes, before it has a name.
 *
 * @param top the outermost block
 * @param attributes attribute text before the parameter list
 * @param functions text of functions that it calls
 */
record Draft(
    Scope top, long[] global, long[] local, String strategy, String attributes, String functions) {

  /** A kernel that calls no functions of its own. */
  Draft(Scope top, long[] global, long[] local, String strategy, String attributes) {
    this(top, global, local, strategy, attributes, "");
  }
}
