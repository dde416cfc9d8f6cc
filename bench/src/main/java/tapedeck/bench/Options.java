package tapedeck.bench;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Checks of command-line values. */
final class Options {
  private Options() {}

  static void positive(CommandLine command, String option, int value) {
    if (value < 1) {
      throw new ParameterException(command, option + " must be at least 1, not " + value);
    }
  }

  static void check(CommandLine command, boolean ok, String message) {
    if (!ok) {
      throw new ParameterException(command, message);
    }
  }
}
