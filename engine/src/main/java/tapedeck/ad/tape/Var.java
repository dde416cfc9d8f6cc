package tapedeck.ad.tape;

import tapedeck.ad.type.Aval;

/**
 * A variable of one tape: assigned once, named by its position.
 *
 * @param id position: inputs from 0, then results in order of execution
 * @param aval element type and shape
 */
public record Var(int id, Aval aval) {
  /** As in {@code v3}. */
  @Override
  public String toString() {
    return "v" + id;
  }
}
