package tapedeck.cpu.fast;

/**
 * Vectors of the machine.
 *
 * @param bits size of the widest vectors, 0 if the Vector API module is not there
 */
record Vectors(int bits) {
  private static final Vectors OF_MACHINE = find();

  static Vectors ofMachine() {
    return OF_MACHINE;
  }

  private static Vectors find() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      System.err.println(
          "tapedeck: running without vectors, which is slower;"
              + " start Java with --add-modules jdk.incubator.vector");
      return new Vectors(0);
    }
    int bits = Lanes.preferredBits();
    return new Vectors(bits < 128 ? 0 : Math.min(bits, 512));
  }

  /** Whether loads and stores with a mask leave lanes alone that are off. */
  boolean masked() {
    return bits == 512;
  }

  int lanes(int elementBytes) {
    return bits / 8 / elementBytes;
  }
}
