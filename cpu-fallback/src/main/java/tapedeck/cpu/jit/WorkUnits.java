package tapedeck.cpu.jit;

/**
 * Which grid points the work units of a kernel have. A unit has a chunk of the innermost loop's
 * values, for some values of each outer loop; units of one chunk come before those of the next.
 *
 * @param extents of the grid's loops, outermost first
 * @param each values of a loop that a unit does
 */
record WorkUnits(long[] extents, long[] each) {
  /** Points that lie one after another. */
  @FunctionalInterface
  interface Points {
    void run(long from, long to);
  }

  /** Units of so many points each. */
  static WorkUnits flat(long points, long each) {
    return new WorkUnits(new long[] {points}, new long[] {each});
  }

  long count() {
    long n = 1;
    for (int i = 0; i < extents.length; i++) {
      n *= groups(i);
    }
    return n;
  }

  private long groups(int loop) {
    return (extents[loop] + each[loop] - 1) / each[loop];
  }

  /** Whether the points of a unit follow one another in the order of all points. */
  boolean liesInOnePiece() {
    int i = extents.length - 1;
    while (i >= 0 && each[i] >= extents[i]) {
      i--;
    }
    for (i--; i >= 0; i--) {
      if (each[i] > 1 && extents[i] > 1) {
        return false;
      }
    }
    return true;
  }

  /** Whether the points of a unit follow those of the one before it. */
  boolean followOneAnother() {
    return extents.length == 0 || groups(extents.length - 1) == 1 || extents.length == 1;
  }

  /** Points of the largest unit. */
  long most() {
    long n = 1;
    for (int i = 0; i < extents.length; i++) {
      n *= Math.min(each[i], extents[i]);
    }
    return n;
  }

  /** The first point of a unit. */
  long start(long unit) {
    long[] first = first(unit);
    long at = 0;
    for (int i = 0; i < first.length; i++) {
      at = at * extents[i] + first[i];
    }
    return at;
  }

  /** Number of points of a unit. */
  long points(long unit) {
    long[] first = first(unit);
    long n = 1;
    for (int i = 0; i < first.length; i++) {
      n *= Math.min(each[i], extents[i] - first[i]);
    }
    return n;
  }

  /** Calls a body for all points of a unit, in order. */
  void forEach(long unit, Points body) {
    if (extents.length > 0) {
      forEach(first(unit), 0, 0, body);
    } else {
      body.run(0, 1);
    }
  }

  private void forEach(long[] first, int loop, long outside, Points body) {
    long end = Math.min(first[loop] + each[loop], extents[loop]);
    if (loop == extents.length - 1) {
      body.run(outside * extents[loop] + first[loop], outside * extents[loop] + end);
      return;
    }
    for (long i = first[loop]; i < end; i++) {
      forEach(first, loop + 1, outside * extents[loop] + i, body);
    }
  }

  /** The first value of each loop in a unit. */
  private long[] first(long unit) {
    int n = extents.length;
    long[] out = new long[n];
    if (n == 0) {
      return out;
    }
    long positions = 1;
    for (int i = 0; i < n - 1; i++) {
      positions *= groups(i);
    }
    out[n - 1] = unit / positions * each[n - 1];
    long rest = unit % positions;
    for (int i = n - 2; i >= 0; i--) {
      out[i] = rest % groups(i) * each[i];
      rest /= groups(i);
    }
    return out;
  }
}
