package tapedeck.cpu.interp;

/**
 * Checks that accesses to memory which a kernel writes do not depend on the order of grid points,
 * nor on the order of iterations within one phase. Keeps the step of accesses per unit of memory
 * (one or four bytes).
 */
final class Monitor {
  private final int unit;
  private final long[] written;
  private final long[] firstRead;
  private final long[] firstReadOfPhase;

  Monitor(long bytes, int unit) {
    this.unit = unit;
    int n = Math.toIntExact((bytes + unit - 1) / unit);
    written = new long[n];
    firstRead = new long[n];
    firstReadOfPhase = new long[n];
  }

  void read(Frame f, long offset, int bytes) {
    for (int u = (int) (offset / unit); u * (long) unit < offset + bytes; u++) {
      if (written[u] != 0 && written[u] < f.pointStart) {
        throw new Violation("reads what another grid point wrote");
      }
      if (written[u] >= f.phaseStart && written[u] != 0) {
        throw new Violation("reads what it wrote in the same phase");
      }
      if (firstRead[u] == 0) {
        firstRead[u] = f.step;
      }
      if (firstReadOfPhase[u] < f.phaseStart) {
        firstReadOfPhase[u] = f.step;
      }
    }
  }

  /** A write; one that {@code adds} may meet earlier ones of its own phase. */
  void write(Frame f, long offset, int bytes, boolean adds) {
    for (int u = (int) (offset / unit); u * (long) unit < offset + bytes; u++) {
      if (written[u] != 0 && written[u] < f.pointStart) {
        throw new Violation("writes what another grid point wrote");
      }
      if (firstRead[u] != 0 && firstRead[u] < f.pointStart) {
        throw new Violation("writes what another grid point read");
      }
      if (!adds && written[u] != 0 && written[u] >= f.phaseStart) {
        throw new Violation("writes an element twice in one phase");
      }
      if (firstReadOfPhase[u] >= f.phaseStart
          && firstReadOfPhase[u] < f.step
          && firstReadOfPhase[u] != 0) {
        throw new Violation("writes what another iteration of the same phase read");
      }
      written[u] = f.step;
    }
  }
}
