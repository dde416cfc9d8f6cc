package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn3;
import tapedeck.ad.JitFn1;
import tapedeck.ad.JitFn3;
import tapedeck.ad.tensor.Tensor;

/**
 * Functions of a square float32 matrix that memory limits: elementwise, softmax, layer norm, sums.
 */
public final class Rows implements Workload {
  private static final double TOLERANCE = 1e-4;
  private static final double EPSILON = 1e-5;

  private final Map<String, HostTensor> data = new LinkedHashMap<>();
  private final int side;

  public Rows(int side) {
    this.side = side;
    data.put("rows/x", HostTensor.uniform(1, -2, 3, side, side));
    data.put("rows/scale", HostTensor.uniform(2, 0.5, 1.5, side));
    data.put("rows/shift", HostTensor.uniform(3, -1, 1, side));
  }

  @Override
  public String name() {
    return "rows";
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  private static Tensor layerNorm(Tensor x, Tensor scale, Tensor shift) {
    Tensor centred = x.sub(x.mean(true, 1));
    Tensor spread = centred.square().mean(true, 1).add(EPSILON).rsqrt();
    return centred.mul(spread).mul(scale).add(shift);
  }

  /** (a, a, n / a²) with a power of two near the cube root. */
  static int[] middle(long n) {
    int a = 1;
    while (8L * a * a * a <= n) {
      a *= 2;
    }
    return new int[] {a, a, Math.toIntExact(n / ((long) a * a))};
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    Tensor x = operand.apply("rows/x");
    Tensor scale = operand.apply("rows/scale");
    Tensor shift = operand.apply("rows/shift");
    JitFn3<Tensor, Tensor, Tensor, Tensor> norm =
        Ad.jit((Fn3<Tensor, Tensor, Tensor, Tensor>) Rows::layerNorm);
    JitFn3<Tensor, Tensor, Tensor, Tensor> chain =
        Ad.jit((Fn3<Tensor, Tensor, Tensor, Tensor>) (t, a, b) -> t.mul(a).add(b).tanh().mul(t));
    int[] cube = middle((long) side * side);
    List<Line> lines = new ArrayList<>();
    // What the others are to be compared with: as much is read and written, and nothing computed.
    lines.add(line("rows/copy", x, Tensor::neg));
    lines.add(
        Line.of(
            "rows/elementwise",
            () -> List.of(chain.apply(x, scale, shift)),
            chain::schedule,
            TOLERANCE));
    lines.add(line("rows/softmax", x, t -> t.softmax(1)));
    lines.add(
        Line.of(
            "rows/layer-norm",
            () -> List.of(norm.apply(x, scale, shift)),
            norm::schedule,
            TOLERANCE));
    lines.add(line("rows/log-sum-exp", x, t -> t.logSumExp(1)));
    lines.add(line("rows/sum-last", x, t -> t.sum(1)));
    lines.add(line("rows/sum-first", x, t -> t.sum(0)));
    lines.add(line("rows/sum-middle", x, t -> t.reshape(cube).sum(1)));
    return lines;
  }

  private static Line line(String name, Tensor x, UnaryOperator<Tensor> f) {
    JitFn1<Tensor, Tensor> jit = Ad.jit((Fn1<Tensor, Tensor>) f::apply);
    return Line.of(name, () -> List.of(jit.apply(x)), jit::schedule, TOLERANCE);
  }
}
