package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.JitFn2;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.model.Batch;
import tapedeck.bench.model.Mlp;
import tapedeck.bench.model.ReplayOverhead;

/** What the host's part costs: submitting kernels, and everything before the first submission. */
public final class HostFigures {
  private static final int WIDTH = 512;

  /** Samples of one figure, in seconds. */
  public record Figure(String name, String device, double[] seconds) {}

  private HostFigures() {}

  /**
   * Measures a device.
   *
   * @param rounds samples of the figures that take long
   */
  public static List<Figure> measure(String device, int rounds) {
    List<Figure> out = new ArrayList<>();
    out.add(
        new Figure(
            "host/replay-per-kernel",
            device,
            new double[] {ReplayOverhead.measure(device).seconds()}));
    double[] known = new double[rounds];
    double[] fresh = new double[rounds];
    Ad.onDevice(
        device,
        () -> {
          // The JVM has to know the way before it counts as warm.
          for (int i = 0; i < 3 * rounds; i++) {
            firstStep(device, WIDTH);
          }
          for (int i = 0; i < rounds; i++) {
            known[i] = firstStep(device, WIDTH);
            // Other widths are other kernels, which no cache has.
            fresh[i] = firstStep(device, WIDTH + 8 + 8 * i);
          }
          return null;
        });
    out.add(new Figure("host/first-step-known-kernels", device, known));
    out.add(new Figure("host/first-step-new-kernels", device, fresh));
    double[] cold = new double[Math.max(3, rounds / 3)];
    for (int i = 0; i < cold.length; i++) {
      cold[i] = ColdStep.seconds(device);
    }
    out.add(new Figure("host/first-step-cold-process", device, cold));
    return out;
  }

  /** Seconds to trace, transform, schedule, compile and run the step of a network once. */
  private static double firstStep(String device, int width) {
    Batch batch = ColdStep.random(784, 10);
    Mlp params = Mlp.init(DType.FLOAT32, 0, 784, width, 512, 10);
    Devices.open(device).synchronize();
    JitFn2<Mlp, Batch, MlpWork.Stepped<Mlp>> step = Ad.jit(MlpWork::sgd, Donate.FIRST);
    long start = System.nanoTime();
    MlpWork.Stepped<Mlp> s = step.apply(params, batch);
    s.loss().item();
    double seconds = (System.nanoTime() - start) * 1e-9;
    s.loss().close();
    s.state().parameters().forEach(Tensor::close);
    batch.close();
    return seconds;
  }

  /** For a report. */
  public static Map<String, Object> toMap(Figure f) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("name", f.name());
    m.put("on", f.device());
    m.put("seconds", f.seconds());
    return m;
  }
}
