package tapedeck.bench.work;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;
import tapedeck.bench.model.Batch;
import tapedeck.bench.model.Mlp;

/** The first training step of a new process, from its start to the loss on the host. */
public final class ColdStep {
  private static final String MARK = "loss ";
  private static final int BATCH = 128;

  private ColdStep() {}

  /** What is measured; the argument names the device. */
  public static void main(String[] args) {
    Ad.onDevice(
        args[0],
        () -> {
          System.out.println(MARK + loss());
          return null;
        });
  }

  private static double loss() {
    Batch batch = random(784, 10);
    Mlp params = Mlp.init(DType.FLOAT32, 0, 784, 512, 512, 10);
    return Ad.jit(MlpWork::sgd, Donate.FIRST).apply(params, batch).loss().item();
  }

  static Batch random(int features, int classes) {
    SplittableRandom r = new SplittableRandom(7);
    float[] x = new float[BATCH * features];
    int[] y = new int[BATCH];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) r.nextDouble();
    }
    for (int i = 0; i < y.length; i++) {
      y[i] = r.nextInt(classes);
    }
    return new Batch(Tensor.of(x, BATCH, features), Tensor.of(y));
  }

  /** Starts a process with this one's flags; seconds until it has told the loss. */
  public static double seconds(String device) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String a : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      // Flags of a debugger or a test coverage tool would be measured too.
      if (!a.startsWith("-agent") && !a.startsWith("-javaagent")) {
        command.add(a);
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), ColdStep.class.getName()));
    command.add(device);
    try {
      long start = System.nanoTime();
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      String last = "";
      try (BufferedReader in = p.inputReader(StandardCharsets.UTF_8)) {
        for (String l = in.readLine(); l != null; l = in.readLine()) {
          if (l.startsWith(MARK)) {
            double s = (System.nanoTime() - start) * 1e-9;
            p.waitFor();
            return s;
          }
          last = l;
        }
      }
      throw new TapedeckException("[cold] the process ended without a loss: " + last);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TapedeckException("[cold] interrupted", e);
    }
  }
}
