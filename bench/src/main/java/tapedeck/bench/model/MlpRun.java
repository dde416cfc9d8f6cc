package tapedeck.bench.model;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;
import tapedeck.bench.data.Dataset;
import tapedeck.bench.report.Samples;
import tapedeck.cpu.reference.ReferenceEvaluator;

/**
 * The main job on one device at one batch size: loss, loss with gradient, and a step of stochastic
 * gradient descent that updates the parameters in place. All start from the same parameters and see
 * the same images.
 */
public final class MlpRun implements AutoCloseable {
  private static final double RATE = 0.01;
  private static final double TARGET_SECONDS = 0.05;
  private static final int MOST_REPETITIONS = 200;

  /** What is measured. */
  public enum Work {
    FORWARD("forward"),
    GRADIENT("forward+backward"),
    STEP("step");

    private final String label;

    Work(String label) {
      this.label = label;
    }

    public String label() {
      return label;
    }
  }

  private record Stepped(Mlp params, Tensor loss) {}

  private final String deviceName;
  private final Device device;
  private final int batch;
  private final Batch data;
  private final Mlp params;
  private Mlp trained;
  private final JitFn2<Mlp, Batch, Tensor> forward = Ad.jit(Mlp::loss);
  private final JitFn2<Mlp, Batch, ValueAndGrad<Mlp>> gradient =
      Ad.jit(Ad.valueAndGrad((Fn2<Mlp, Batch, Tensor>) Mlp::loss));
  private final JitFn2<Mlp, Batch, Stepped> step = Ad.jit(MlpRun::sgd, Donate.FIRST);
  private final int[] repetitions = new int[Work.values().length];
  private final List<Samples> samples = new ArrayList<>();
  private final double compileSeconds;

  /**
   * Opens the device, uploads the data and compiles the three functions.
   *
   * @param seed of the initial parameters
   */
  public MlpRun(String deviceName, Dataset images, int[] rows, int[] sizes, long seed) {
    this.deviceName = deviceName;
    this.device = Devices.open(deviceName);
    this.batch = rows.length;
    this.data = on(() -> Batch.of(images, rows, DType.FLOAT32));
    this.params = on(() -> Mlp.init(DType.FLOAT32, seed, sizes));
    this.trained = on(() -> Mlp.init(DType.FLOAT32, seed, sizes));
    long start = System.nanoTime();
    for (Work w : Work.values()) {
      samples.add(new Samples());
      repeat(w, 1);
    }
    this.compileSeconds = (System.nanoTime() - start) * 1e-9;
  }

  private <T> T on(Supplier<T> body) {
    return Ad.onDevice(deviceName, body);
  }

  private static Stepped sgd(Mlp params, Batch batch) {
    ValueAndGrad<Mlp> r = Ad.valueAndGrad(Mlp::loss).apply(params, batch);
    return new Stepped(params.zip(r.grad(), (p, g) -> p.sub(g.mul(RATE))), r.value());
  }

  private void once(Work w) {
    switch (w) {
      case FORWARD -> forward.apply(params, data).close();
      case GRADIENT -> {
        ValueAndGrad<Mlp> r = gradient.apply(params, data);
        r.value().close();
        r.grad().parameters().forEach(Tensor::close);
      }
      case STEP -> {
        Stepped s = step.apply(trained, data);
        trained = s.params();
        s.loss().close();
      }
    }
  }

  /**
   * Seconds for each of {@code n} repetitions; the host waits for the device after the last one.
   */
  public double repeat(Work w, int n) {
    return on(
        () -> {
          long start = System.nanoTime();
          for (int i = 0; i < n; i++) {
            once(w);
          }
          device.synchronize();
          return (System.nanoTime() - start) * 1e-9 / n;
        });
  }

  /**
   * Repeats each work until its time has not fallen for some seconds, and decides how often a
   * sample repeats it.
   */
  public void warmUp(double patience) {
    for (Work w : Work.values()) {
      double last = WarmUp.least(patience, 0.1 * TARGET_SECONDS, n -> repeat(w, n));
      repetitions[w.ordinal()] = Math.clamp((long) (TARGET_SECONDS / last), 1, MOST_REPETITIONS);
    }
  }

  /** Takes one sample of each work. */
  public void sample() {
    for (Work w : Work.values()) {
      samples.get(w.ordinal()).add(repeat(w, repetitions[w.ordinal()]));
    }
  }

  /** The gradient of the loss, all parameters one after the other. */
  public double[] gradient() {
    return on(
        () -> {
          ValueAndGrad<Mlp> r = gradient.apply(params, data);
          r.value().close();
          double[] g = r.grad().flat();
          r.grad().parameters().forEach(Tensor::close);
          return g;
        });
  }

  /** The same gradient by the float64 reference: plain loops over the tape of the same function. */
  public double[] referenceGradient() {
    return on(
        () -> {
          Tape tape = Ad.tape(Ad.valueAndGrad((Fn2<Mlp, Batch, Tensor>) Mlp::loss), params, data);
          if (tape.consts() != 0) {
            throw new TapedeckException("[bench] the loss must not capture tensors");
          }
          List<Tensor> inputs = new ArrayList<>(params.parameters());
          inputs.add(data.images());
          inputs.add(data.labels());
          List<double[]> out = ReferenceEvaluator.evaluateTensors(tape, inputs);
          return out.stream().skip(1).flatMapToDouble(java.util.Arrays::stream).toArray();
        });
  }

  public String device() {
    return deviceName;
  }

  public int batch() {
    return batch;
  }

  public Samples samples(Work w) {
    return samples.get(w.ordinal());
  }

  /** Kernels that one call launches. */
  public int kernels(Work w) {
    return switch (w) {
      case FORWARD -> forward.kernels();
      case GRADIENT -> gradient.kernels();
      case STEP -> step.kernels();
    };
  }

  /** Bytes of the memory plan of a step, and the least that any plan needs. */
  public long[] arena() {
    return new long[] {step.arenaBytes(), step.liveBytes()};
  }

  /** Largest number of bytes that were allocated on the device at one time since it was opened. */
  public long peakBytes() {
    return device.memory().peakBytes();
  }

  /** Seconds that tracing, scheduling, compiling and running the three functions once took. */
  public double compileSeconds() {
    return compileSeconds;
  }

  /** Frees the memory; the device stays open. */
  @Override
  public void close() {
    params.parameters().forEach(Tensor::close);
    trained.parameters().forEach(Tensor::close);
    data.close();
  }
}
