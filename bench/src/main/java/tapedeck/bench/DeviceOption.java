package tapedeck.bench;

import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Option;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.Settings;

/** Where a command computes. */
final class DeviceOption {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "device, as listed by 'devices'; default: the best one that works")
  private Optional<String> device = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "threads of the CPU backend; default: one per processor")
  private Optional<Integer> threads = Optional.empty();

  void applyThreads(picocli.CommandLine command) {
    threads.ifPresent(
        n -> {
          Options.positive(command, "--threads", n);
          System.setProperty(Settings.THREADS.key(), Integer.toString(n));
        });
  }

  Optional<String> name() {
    return device;
  }

  /** Runs a command's work with the chosen device as the default one. */
  int on(picocli.CommandLine command, Callable<Integer> work) {
    applyThreads(command);
    String name = device.orElseGet(() -> Devices.defaultDevice().name());
    Devices.open(name);
    Supplier<Integer> body =
        () -> {
          try {
            return work.call();
          } catch (RuntimeException e) {
            throw e;
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        };
    return Ad.onDevice(name, body);
  }
}
