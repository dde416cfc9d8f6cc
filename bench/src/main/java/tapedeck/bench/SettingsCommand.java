package tapedeck.bench;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tapedeck.ad.type.Settings;

/** Lists what can be set by property or environment variable. */
@Command(
    name = "settings",
    description = "Lists the settings: property, variable, value in force, meaning.",
    mixinStandardHelpOptions = true)
final class SettingsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Settings.table().forEach(spec.commandLine().getOut()::println);
    return 0;
  }
}
