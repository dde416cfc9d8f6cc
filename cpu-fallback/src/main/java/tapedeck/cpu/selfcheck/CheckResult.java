package tapedeck.cpu.selfcheck;

import tapedeck.ad.type.DType;

/**
 * Outcome of one check.
 *
 * @param op name of the row
 * @param check what was checked, such as {@code gradient}
 * @param dtype element type under test
 * @param label which variant
 * @param error largest error as a multiple of the tolerance
 * @param detail what differs where, or an exception's message; empty if it passed
 */
public record CheckResult(
    String op, String check, DType dtype, String label, double error, String detail) {

  /** {@return whether nothing differs: the detail is empty} */
  public boolean passed() {
    return detail.isEmpty();
  }

  /** As in {@code FAIL exp gradient f32 (13): ...}. */
  @Override
  public String toString() {
    return (passed() ? "ok   " : "FAIL ")
        + op
        + " "
        + check
        + " "
        + dtype
        + " "
        + label
        + (passed() ? "" : ": " + detail);
  }
}
