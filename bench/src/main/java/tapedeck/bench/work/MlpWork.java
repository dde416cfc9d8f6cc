package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.model.Batch;
import tapedeck.bench.model.Mlp;

/** The network of the main job at one batch size. */
public final class MlpWork implements Workload {
  private static final double TOLERANCE = 1e-4;
  private static final int STEPS = 3;
  private static final double RATE = 0.01;

  /** Parameters after a step of gradient descent, and the loss before it. */
  public record Stepped(Mlp params, Tensor loss) {}

  private final Map<String, HostTensor> data = new LinkedHashMap<>();
  private final int layers;

  /**
   * @param sizes width of the input, of each hidden layer and of the output
   */
  public MlpWork(float[] images, int[] labels, int[] sizes, long seed) {
    data.put("mlp/images", new HostTensor(images, labels.length, sizes[0]));
    data.put("mlp/labels", new HostTensor(labels, labels.length));
    Mlp init = Mlp.init(DType.FLOAT32, seed, sizes);
    init.named().forEach((n, t) -> data.put("mlp/" + n, HostTensor.of(t)));
    init.parameters().forEach(Tensor::close);
    this.layers = sizes.length - 1;
  }

  @Override
  public String name() {
    return "mlp";
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
              operand.apply("mlp/layers." + i + ".weight"),
              operand.apply("mlp/layers." + i + ".bias")));
    }
    return new Mlp(l);
  }

  /** One step of stochastic gradient descent. */
  public static Stepped sgd(Mlp params, Batch batch) {
    ValueAndGrad<Mlp> r = Ad.valueAndGrad(Mlp::loss).apply(params, batch);
    return new Stepped(params.zip(r.grad(), (p, g) -> p.sub(g.mul(RATE))), r.value());
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    Batch batch = new Batch(operand.apply("mlp/images"), operand.apply("mlp/labels"));
    Mlp params = params(operand);
    JitFn2<Mlp, Batch, Tensor> forward = Ad.jit(Mlp::loss);
    JitFn2<Mlp, Batch, ValueAndGrad<Mlp>> gradient =
        Ad.jit(Ad.valueAndGrad((Fn2<Mlp, Batch, Tensor>) Mlp::loss));
    JitFn2<Mlp, Batch, Stepped> step = Ad.jit(MlpWork::sgd, Donate.FIRST);
    Mlp[] trained = {fresh()};
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
        new Line(
            "mlp/step",
            () -> {
              Stepped s = step.apply(trained[0], batch);
              trained[0] = s.params();
              return List.of(s.loss());
            },
            step::schedule,
            () -> losses(step, batch),
            TOLERANCE));
  }

  /** Parameters that the workload itself owns: a step takes them over. */
  private Mlp fresh() {
    return params(n -> data.get(n).tensor());
  }

  private double[] losses(JitFn2<Mlp, Batch, Stepped> step, Batch batch) {
    Mlp[] p = {fresh()};
    double[] losses = new double[STEPS];
    Arrays.setAll(
        losses,
        _ -> {
          Stepped s = step.apply(p[0], batch);
          p[0] = s.params();
          double l = s.loss().item();
          s.loss().close();
          return l;
        });
    p[0].parameters().forEach(Tensor::close);
    return losses;
  }
}
