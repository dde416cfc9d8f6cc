package tapedeck.tornado.render;

/**
 * The name that all generated classes have, each in a class loader of its own. TornadoVM reads the
 * class file of a kernel from the class path to look for annotated loops, and finds this one: it
 * has no method of the kernel's name, so there are none.
 */
public final class GeneratedKernel {
  private GeneratedKernel() {}
}
