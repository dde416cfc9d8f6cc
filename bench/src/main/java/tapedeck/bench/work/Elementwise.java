package tapedeck.bench.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.tensor.Tensor;

/** Functions of float32 vectors, each of which is one fused kernel. */
public final class Elementwise implements Workload {
  private static final double TOLERANCE = 1e-4;
  private static final double DECAY = 0.9;
  private static final double RATE = 0.01;
  private static final int[] LAYERS = {8, 16};

  /** What an optimiser keeps for some parameters, and their gradient. */
  private record Adam(Tensor x, Tensor gradient, Tensor mean, Tensor square) {}

  private final Map<String, HostTensor> data = new LinkedHashMap<>();

  public Elementwise(int n) {
    data.put("elementwise/x", HostTensor.uniform(1, -4, 4, n));
    data.put("elementwise/gradient", HostTensor.uniform(2, -1, 1, n));
    data.put("elementwise/mean", HostTensor.uniform(3, -1, 1, n));
    data.put("elementwise/square", HostTensor.uniform(4, 0, 1, n));
    for (int width : LAYERS) {
      data.put("elementwise/rows-" + width, HostTensor.uniform(5, -4, 4, n / width, width));
    }
  }

  @Override
  public String name() {
    return "elementwise";
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  private static Adam adam(Adam a) {
    Tensor mean = a.mean.mul(DECAY).add(a.gradient.mul(1 - DECAY));
    Tensor square = a.square.mul(DECAY).add(a.gradient.square().mul(1 - DECAY));
    Tensor x = a.x.sub(mean.mul(RATE).div(square.sqrt().add(1e-6)));
    return new Adam(x, a.gradient, mean, square);
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    Adam in =
        new Adam(
            operand.apply("elementwise/x"),
            operand.apply("elementwise/gradient"),
            operand.apply("elementwise/mean"),
            operand.apply("elementwise/square"));
    JitFn1<Adam, List<Tensor>> adam =
        Ad.jit(
            (Fn1<Adam, List<Tensor>>)
                a -> {
                  Adam next = adam(a);
                  return List.of(next.x, next.mean, next.square);
                });
    return List.of(
        line("elementwise/scale-shift", in.x, x -> x.mul(2).add(1)),
        line("elementwise/cubic", in.x, x -> x.mul(0.1).add(1).mul(x).sub(3).mul(x).add(2)),
        line("elementwise/exp", in.x, Tensor::exp),
        line("elementwise/log", in.square, Tensor::log),
        line("elementwise/sin", in.x, Tensor::sin),
        line("elementwise/cos", in.x, Tensor::cos),
        line("elementwise/pow", in.square, x -> x.pow(in.gradient)),
        line("elementwise/erf", in.x, Tensor::erf),
        line("elementwise/tanh", in.x, Tensor::tanh),
        line("elementwise/sigmoid", in.x, Tensor::sigmoid),
        line("elementwise/softplus", in.x, Tensor::softplus),
        line("elementwise/gelu", in.x, Tensor::gelu),
        line(
            "elementwise/tanh-gradient",
            in.x,
            x -> Ad.grad((Fn1<Tensor, Tensor>) y -> y.mul(1.5).tanh().mul(y).sum()).apply(x)),
        line(
            "elementwise/gelu-gradient",
            in.x,
            x -> Ad.grad((Fn1<Tensor, Tensor>) y -> y.gelu().sum()).apply(x)),
        layer("elementwise/layer-8", operand, 8),
        layer("elementwise/layer-16", operand, 16),
        Line.of("elementwise/adam", () -> adam.apply(in), adam::schedule, TOLERANCE));
  }

  /** Bias and activation of a layer of so few units. */
  private static Line layer(String name, Function<String, Tensor> operand, int width) {
    Tensor bias = operand.apply("elementwise/mean").slice(0, 0, width);
    return line(name, operand.apply("elementwise/rows-" + width), x -> x.add(bias).tanh());
  }

  private static Line line(String name, Tensor x, UnaryOperator<Tensor> f) {
    JitFn1<Tensor, Tensor> jit = Ad.jit((Fn1<Tensor, Tensor>) f::apply);
    return Line.of(name, () -> List.of(jit.apply(x)), jit::schedule, TOLERANCE);
  }
}
