package tapedeck.opencl.render;

/**
 * A kernel's text with its launch sizes, before it has a name.
 *
 * @param top the outermost block
 * @param attributes attribute text before the parameter list
 */
record Draft(Scope top, long[] global, long[] local, String strategy, String attributes) {}
