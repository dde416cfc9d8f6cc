package tapedeck.bench;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import tapedeck.ad.type.TapedeckException;

/** Entry of the command-line program. */
@Command(
    name = "tapedeck",
    description = "Batch gradients of plain Java functions on GPUs and CPUs.",
    mixinStandardHelpOptions = true,
    version = "tapedeck 0.1.0-SNAPSHOT",
    subcommands = {
      BenchCommand.class,
      MatmulCommand.class,
      TrainCommand.class,
      LectureCommand.class,
      DevicesCommand.class,
      SelfcheckCommand.class,
      AdbenchCommand.class,
      TuneCommand.class,
      BundleCommand.class,
      SettingsCommand.class
    })
public final class Main implements Runnable {
  /** Exit code for arguments that cannot be used. */
  static final int USAGE = 2;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "print the stack trace of an error")
  private boolean stacktrace;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }

  public static void main(String[] args) {
    System.exit(
        execute(new PrintWriter(System.out, true), new PrintWriter(System.err, true), args));
  }

  /**
   * Runs one command line and returns its exit code: 0, 1 for an error, 2 for unusable arguments.
   */
  public static int execute(PrintWriter out, PrintWriter err, String... args) {
    Main main = new Main();
    CommandLine line = new CommandLine(main).setOut(out).setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(
        (e, _) -> {
          err.println("tapedeck: " + e.getMessage());
          err.println("see: tapedeck " + path(e.getCommandLine()) + "--help");
          return USAGE;
        });
    line.setExecutionExceptionHandler((e, _, _) -> failed(e, main.stacktrace, err));
    return line.execute(args);
  }

  private static String path(CommandLine command) {
    return command.getParent() == null ? "" : command.getCommandName() + " ";
  }

  private static int failed(Exception e, boolean stacktrace, PrintWriter err) {
    if (stacktrace) {
      e.printStackTrace(err);
    }
    switch (e) {
      // A line of this program says nothing to who calls it; the stack trace has it.
      case TapedeckException t ->
          err.println("tapedeck: " + t.getMessage().replaceFirst("; at \\w+\\.java:\\d+$", ""));
      case UncheckedIOException u -> err.println("tapedeck: " + u.getMessage());
      default -> {
        err.println("tapedeck: internal error: " + e);
        if (!stacktrace) {
          err.println("with --stacktrace the error's origin is shown");
        }
      }
    }
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }
}
