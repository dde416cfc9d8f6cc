package tapedeck.peers;

/** A library that computes the benchmarks' functions. */
interface Peer {

  /** Name and version of the library. */
  String version();

  /**
   * The function of this name, ready to run.
   *
   * @throws UnsupportedOperationException with the reason, if this library has no such function
   */
  Work work(String name);

  /** A function with its operands in place. */
  interface Work {
    /** Computes the function once; returns when the result is there. */
    void run();

    /** What is compared with Tapedeck's result: all its numbers, one after the other. */
    double[] result();
  }
}
