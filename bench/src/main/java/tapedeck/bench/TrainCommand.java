package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.data.ImageData;
import tapedeck.bench.data.SafeTensors;
import tapedeck.bench.model.Mlp;
import tapedeck.bench.model.Optimizer;
import tapedeck.bench.model.Trainer;
import tapedeck.bench.report.AtomicFile;

/** Trains the multilayer perceptron of the main job. */
@Command(
    name = "train",
    description =
        "Trains a multilayer perceptron on images and tells its accuracy on held-out ones.",
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  /** Update rules. */
  enum Rule {
    SGD,
    ADAM
  }

  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;
  @Mixin private DataOption data;

  @Option(names = "--optimizer", description = "${COMPLETION-CANDIDATES}; default: adam")
  private Rule rule = Rule.ADAM;

  @Option(
      names = "--rate",
      paramLabel = "X",
      description = "learning rate; default: 0.001 for adam, 0.1 for sgd")
  private Optional<Double> rate = Optional.empty();

  @Option(names = "--momentum", paramLabel = "X", description = "of sgd, in [0, 1); default: 0")
  private double momentum;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "default: 10, on the digits 30; 0 only evaluates")
  private Optional<Integer> epochs = Optional.empty();

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "images in a batch; default: 128, on the digits 32")
  private Optional<Integer> batch = Optional.empty();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "decides initial parameters and order; default: 0")
  private long seed;

  @Option(
      names = "--load",
      paramLabel = "FILE",
      description = "parameters to start from (safetensors)")
  private Optional<Path> load = Optional.empty();

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "where the parameters go (safetensors)")
  private Optional<Path> save = Optional.empty();

  @Override
  public Integer call() {
    var line = spec.commandLine();
    data.check(line);
    batch.ifPresent(n -> Options.positive(line, "--batch", n));
    epochs.ifPresent(n -> Options.check(line, n >= 0, "--epochs must not be negative"));
    Options.check(line, momentum >= 0 && momentum < 1, "--momentum must be in [0, 1)");
    rate.ifPresent(r -> Options.check(line, r > 0, "--rate must be positive"));
    save.ifPresent(AtomicFile::check);
    return device.on(line, this::train);
  }

  private int train() {
    PrintWriter out = spec.commandLine().getOut();
    ImageData images = data.read();
    int[] sizes = data.sizes(images);
    boolean small = images.train().size() < 10_000;
    Optimizer optimizer =
        switch (rule) {
          case SGD -> new Optimizer.Sgd(rate.orElse(0.1), momentum);
          case ADAM -> new Optimizer.Adam(rate.orElse(1e-3));
        };
    Trainer.Plan plan =
        new Trainer.Plan(
            optimizer, epochs.orElse(small ? 30 : 10), batch.orElse(small ? 32 : 128), seed);
    Options.check(
        spec.commandLine(),
        plan.batch() <= images.train().size(),
        "--batch must be at most " + images.train().size() + ", the number of images");
    Mlp start = Mlp.init(DType.FLOAT32, seed, sizes);
    if (load.isPresent()) {
      Map<String, Tensor> found = SafeTensors.read(load.get());
      start = Mlp.fromNamed(found, start, load.get().toString());
    }
    out.printf(
        "%s: %d images, %d held out; network %s; %s, batch %d, seed %d; on %s%n",
        images.name(),
        images.train().size(),
        images.test().size(),
        DataOption.name(sizes),
        optimizer,
        plan.batch(),
        seed,
        Devices.defaultDevice().name());
    out.flush();
    try (Trainer trainer = new Trainer(images, plan, start)) {
      long begin = System.nanoTime();
      double accuracy = run(trainer, plan, out);
      double seconds = (System.nanoTime() - begin) * 1e-9;
      if (save.isPresent()) {
        SafeTensors.write(save.get(), trainer.params().named());
        out.printf("saved %s%n", save.get());
      }
      out.printf(
          "accuracy %.2f %% on %d held-out images, %.1f s%n",
          100 * accuracy, images.test().size(), seconds);
      out.flush();
      return 0;
    }
  }

  private static double run(Trainer trainer, Trainer.Plan plan, PrintWriter out) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    if (!terminal || plan.epochs() == 0) {
      return trainer.train(new Lines(out));
    }
    try (ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName("train")
            .setInitialMax((long) plan.epochs() * trainer.stepsPerEpoch())
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(200)
            .continuousUpdate()
            .build()) {
      return trainer.train(new Bar(bar));
    }
  }

  /** A line for each epoch, where nobody watches. */
  private record Lines(PrintWriter out) implements Trainer.Progress {
    @Override
    public void step(int epoch, double loss) {}

    @Override
    public void epoch(int epoch, double loss, double accuracy) {
      out.printf("epoch %2d  loss %.4f  accuracy %.2f %%%n", epoch + 1, loss, 100 * accuracy);
      out.flush();
    }
  }

  /** A bar on the terminal. */
  private record Bar(ProgressBar bar) implements Trainer.Progress {
    @Override
    public void step(int epoch, double loss) {
      bar.step();
      if (!Double.isNaN(loss)) {
        bar.setExtraMessage(String.format(" epoch %d  loss %.4f", epoch + 1, loss));
      }
    }

    @Override
    public void epoch(int epoch, double loss, double accuracy) {
      bar.setExtraMessage(
          String.format(" epoch %d  loss %.4f  accuracy %.2f %%", epoch + 1, loss, 100 * accuracy));
    }
  }
}
