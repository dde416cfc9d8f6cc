package tapedeck.cpu.interp;

/** What a kernel did wrong at one point; the launch adds where. */
final class Violation extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Violation(String message) {
    super(message, null, false, false);
  }
}
