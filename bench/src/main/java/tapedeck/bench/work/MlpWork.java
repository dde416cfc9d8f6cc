package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.bench.model.Batch;
import tapedeck.bench.model.Mlp;
import tapedeck.bench.model.Optimizer;
import tapedeck.bench.model.TrainState;

/** The network of the main job at one batch size, or another one on random numbers. */
public final class MlpWork implements Workload {
  private static final double TOLERANCE = 1e-4;
  private static final int STEPS = 3;
  private static final double RATE = 0.01;
  private static final double ADAM_RATE = 0.001;
  private static final String WIDE = "mlp-wide";
  private static final int CLASSES = 10;

  /** What a step makes: the parameters or the state for the next one, and the loss before it. */
  public record Stepped<S>(S state, Tensor loss) {}

  private final String name;
  private final Map<String, HostTensor> data = new LinkedHashMap<>();
  private final int layers;

  /**
   * The network {@code mlp}, with lines for value, gradient and step.
   *
   * @param sizes width of the input, of each hidden layer and of the output
   */
  public MlpWork(float[] images, int[] labels, int[] sizes, long seed) {
    this("mlp", images, labels, sizes, seed);
  }

  private MlpWork(String name, float[] images, int[] labels, int[] sizes, long seed) {
    this.name = name;
    data.put(name + "/images", new HostTensor(images, labels.length, sizes[0]));
    data.put(name + "/labels", new HostTensor(labels, labels.length));
    Mlp init = Mlp.init(DType.FLOAT32, seed, sizes);
    init.named().forEach((n, t) -> data.put(name + "/" + n, HostTensor.of(t)));
    init.parameters().forEach(Tensor::close);
    this.layers = sizes.length - 1;
  }

  /** The network 784-512-512-10 on random numbers instead of images. */
  public static MlpWork random(int batch, long seed) {
    int[] sizes = {784, 512, 512, CLASSES};
    int[] labels = new SplittableRandom(7).ints(batch, 0, CLASSES).toArray();
    float[] images = (float[]) HostTensor.uniform(8, 0, 1, batch, sizes[0]).array();
    return new MlpWork(images, labels, sizes, seed);
  }

  /**
   * The network {@code mlp-wide} on random numbers: two hidden layers of one width, ten classes.
   * Its lines are steps at several precisions.
   */
  static MlpWork wide(int width, int batch) {
    SplittableRandom r = new SplittableRandom(7);
    int[] labels = r.ints(batch, 0, CLASSES).toArray();
    float[] images = (float[]) HostTensor.uniform(8, 0, 1, batch, width).array();
    return new MlpWork(WIDE, images, labels, new int[] {width, width, width, CLASSES}, 0);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  private Mlp params(Function<String, Tensor> operand) {
    List<Mlp.Layer> l = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      l.add(
          new Mlp.Layer(
              operand.apply(name + "/layers." + i + ".weight"),
              operand.apply(name + "/layers." + i + ".bias")));
    }
    return new Mlp(l);
  }

  /** One step of stochastic gradient descent. */
  public static Stepped<Mlp> sgd(Mlp params, Batch batch) {
    ValueAndGrad<Mlp> r = Ad.valueAndGrad(Mlp::loss).apply(params, batch);
    return new Stepped<>(params.zip(r.grad(), (p, g) -> p.sub(g.mul(RATE))), r.value());
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    Batch batch = new Batch(operand.apply(name + "/images"), operand.apply(name + "/labels"));
    if (name.equals(WIDE)) {
      return List.of(
          step("", Precision.HIGHEST, batch, TOLERANCE),
          step("-high", Precision.HIGH, batch, TOLERANCE),
          step("-default", Precision.DEFAULT, batch, 1e-2));
    }
    Mlp params = params(operand);
    JitFn2<Mlp, Batch, Tensor> forward = Ad.jit(Mlp::loss);
    JitFn2<Mlp, Batch, ValueAndGrad<Mlp>> gradient =
        Ad.jit(Ad.valueAndGrad((Fn2<Mlp, Batch, Tensor>) Mlp::loss));
    return List.of(
        Line.of(
            "mlp/forward",
            () -> List.of(forward.apply(params, batch)),
            forward::schedule,
            TOLERANCE),
        Line.of(
            "mlp/gradient",
            () -> {
              ValueAndGrad<Mlp> r = gradient.apply(params, batch);
              List<Tensor> out = new ArrayList<>(List.of(r.value()));
              out.addAll(r.grad().parameters());
              return out;
            },
            gradient::schedule,
            TOLERANCE),
        step("", Precision.current(), batch, TOLERANCE),
        step("-momentum", new Optimizer.Sgd(RATE, 0.9), batch),
        step("-adam", new Optimizer.Adam(ADAM_RATE), batch));
  }

  /** A line for a step of an optimiser with moments. */
  private Line step(String suffix, Optimizer optimizer, Batch batch) {
    JitFn2<TrainState, Batch, Stepped<TrainState>> jit =
        Ad.jit(
            (TrainState s, Batch b) -> {
              ValueAndGrad<Mlp> r = Ad.valueAndGrad(Mlp::loss).apply(s.params(), b);
              return new Stepped<>(optimizer.update(s, r.grad(), s.step().neg().exp()), r.value());
            },
            Donate.FIRST);
    return step(
        suffix,
        () -> optimizer.start(fresh()),
        s -> jit.apply(s, batch),
        TrainState::close,
        jit::schedule,
        TOLERANCE);
  }

  private Line step(String suffix, Precision precision, Batch batch, double tolerance) {
    JitFn2<Mlp, Batch, Stepped<Mlp>> jit = Ad.jit(MlpWork::sgd, Donate.FIRST);
    return step(
        suffix,
        this::fresh,
        p -> Precision.with(precision, () -> jit.apply(p, batch)),
        p -> p.parameters().forEach(Tensor::close),
        jit::schedule,
        tolerance);
  }

  /** A line for steps each of which takes over what the one before has made. */
  private <S> Line step(
      String suffix,
      Supplier<S> start,
      Function<S, Stepped<S>> step,
      Consumer<S> close,
      Supplier<Schedule> schedule,
      double tolerance) {
    AtomicReference<S> trained = new AtomicReference<>();
    return new Line(
        name + "/step" + suffix,
        () -> {
          Stepped<S> n = step.apply(trained.get() == null ? start.get() : trained.get());
          trained.set(n.state());
          return List.of(n.loss());
        },
        schedule,
        () -> {
          S state = start.get();
          double[] losses = new double[STEPS];
          for (int i = 0; i < STEPS; i++) {
            Stepped<S> n = step.apply(state);
            state = n.state();
            losses[i] = n.loss().item();
            n.loss().close();
          }
          close.accept(state);
          return losses;
        },
        tolerance);
  }

  /** Parameters that the workload itself owns: a step takes them over. */
  private Mlp fresh() {
    return params(n -> data.get(n).tensor());
  }
}
