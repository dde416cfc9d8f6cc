package tapedeck.ad.tape;

import tapedeck.ad.type.Aval;

/** A variable of one tape: assigned once, named by its position. */
public record Var(int id, Aval aval) {
  /** As in {@code v3}. */
  @Override
  public String toString() {
    return "v" + id;
  }
}
