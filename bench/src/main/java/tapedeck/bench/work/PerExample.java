package tapedeck.bench.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn3;
import tapedeck.ad.In;
import tapedeck.ad.JitFn1;
import tapedeck.ad.JitFn3;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.model.SmallMlp;

/**
 * The network 5-16-1: the gradient of the squared error of each row, the gradient of their sum, and
 * the writing alone of as many numbers as the former has.
 */
public final class PerExample implements Workload {
  private static final double TOLERANCE = 1e-4;

  private final Map<String, HostTensor> data = new LinkedHashMap<>();

  public PerExample(int rows) {
    SmallMlp m = SmallMlp.init(DType.FLOAT32, 0);
    data.put("per-example/w1", HostTensor.of(m.w1()));
    data.put("per-example/b1", HostTensor.of(m.b1()));
    data.put("per-example/w2", HostTensor.of(m.w2()));
    data.put("per-example/b2", HostTensor.of(m.b2()));
    m.parameters().forEach(Tensor::close);
    data.put("per-example/x", HostTensor.uniform(1, -1, 1, rows, SmallMlp.INPUTS));
    data.put("per-example/y", HostTensor.uniform(2, -1, 1, rows));
  }

  @Override
  public String name() {
    return "per-example";
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  private static Tensor one(SmallMlp m, Tensor x, Tensor y) {
    return m.w1().matmul(x).add(m.b1()).tanh().dot(m.w2()).add(m.b2()).sub(y).square();
  }

  private static Tensor sum(SmallMlp m, Tensor x, Tensor y) {
    return x.matmul(m.w1().t()).add(m.b1()).tanh().matmul(m.w2()).add(m.b2()).sub(y).square().sum();
  }

  private static List<Tensor> sums(List<Tensor> gradients) {
    return gradients.stream().map(g -> g.sum(0)).toList();
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    SmallMlp m =
        new SmallMlp(
            operand.apply("per-example/w1"),
            operand.apply("per-example/b1"),
            operand.apply("per-example/w2"),
            operand.apply("per-example/b2"));
    Tensor x = operand.apply("per-example/x");
    Tensor y = operand.apply("per-example/y");
    Fn3<SmallMlp, Tensor, Tensor, Tensor> one = PerExample::one;
    Fn3<SmallMlp, Tensor, Tensor, Tensor> sum = PerExample::sum;
    JitFn3<SmallMlp, Tensor, Tensor, SmallMlp> each =
        Ad.jit(Ad.vmap(Ad.grad(one), In.none().in(0).in(0)));
    JitFn3<SmallMlp, Tensor, Tensor, SmallMlp> summed = Ad.jit(Ad.grad(sum));
    JitFn1<Tensor, Tensor> write =
        Ad.jit(
            (Fn1<Tensor, Tensor>) v -> v.expandDims(1).broadcastTo(v.dim(0), SmallMlp.SIZE).neg());
    return List.of(
        new Line(
            "per-example/gradients",
            () -> each.apply(m, x, y).parameters(),
            each::schedule,
            // All of them take a gigabyte as float64; their sums must be the summed gradient.
            () -> {
              List<Tensor> g = each.apply(m, x, y).parameters();
              double[] s = Line.numbers(sums(g));
              g.forEach(Tensor::close);
              return s;
            },
            TOLERANCE),
        Line.of(
            "per-example/summed",
            () -> summed.apply(m, x, y).parameters(),
            summed::schedule,
            TOLERANCE),
        Line.of("per-example/write", () -> List.of(write.apply(y)), write::schedule, TOLERANCE));
  }
}
