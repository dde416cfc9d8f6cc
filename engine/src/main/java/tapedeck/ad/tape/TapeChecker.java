package tapedeck.ad.tape;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.TapedeckException;
import tapedeck.ad.type.ValidationException;

/**
 * Verifies that a tape is well formed: every variable assigned once and before use, every shape
 * rule satisfied.
 */
public final class TapeChecker {
  private TapeChecker() {}

  /**
   * {@return the tape, after checking it if {@link Settings#CHECKS} is on}
   *
   * @param pass who made the tape, for the message
   * @param t the tape to check
   * @throws ValidationException as {@link #check} does
   */
  public static Tape checkIfOn(String pass, Tape t) {
    if (Settings.CHECKS.is("on")) {
      check(pass, t);
    }
    return t;
  }

  /**
   * Checks a tape whatever the settings are.
   *
   * @param pass who made the tape, for the message
   * @param t the tape to check
   * @throws ValidationException naming the pass, the equation and its neighbours
   */
  public static void check(String pass, Tape t) {
    Set<Var> known = new HashSet<>();
    for (Var v : t.inputs()) {
      if (!known.add(v)) {
        throw new ValidationException("[" + pass + "] input " + v + " is listed twice");
      }
    }
    for (int i = 0; i < t.eqns().size(); i++) {
      Eqn e = t.eqns().get(i);
      for (Var v : e.ins()) {
        if (!known.contains(v)) {
          throw broken(pass, t, i, v + " is used before it is assigned");
        }
      }
      List<Aval> out;
      try {
        out = e.primitive().infer(e.ins().stream().map(Var::aval).toList());
      } catch (TapedeckException x) {
        throw broken(pass, t, i, x.getMessage());
      }
      if (!out.equals(e.outs().stream().map(Var::aval).toList())) {
        throw broken(pass, t, i, "the shape rule gives " + out);
      }
      for (Var v : e.outs()) {
        if (!known.add(v)) {
          throw broken(pass, t, i, v + " is assigned twice");
        }
      }
    }
    for (Var v : t.outputs()) {
      if (!known.contains(v)) {
        throw new ValidationException("[" + pass + "] output " + v + " is never assigned");
      }
    }
  }

  private static ValidationException broken(String pass, Tape t, int at, String why) {
    StringBuilder s = new StringBuilder("[" + pass + "] equation " + at + ": " + why);
    for (int i = Math.max(0, at - 2); i < Math.min(t.eqns().size(), at + 3); i++) {
      Eqn e = t.eqns().get(i);
      s.append(i == at ? "\n> " : "\n  ")
          .append(e.outs())
          .append(" = ")
          .append(e.primitive().label());
      s.append(' ').append(e.ins()).append(e.source().isEmpty() ? "" : "   # " + e.source());
    }
    return new ValidationException(s.toString());
  }
}
