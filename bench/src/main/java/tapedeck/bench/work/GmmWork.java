package tapedeck.bench.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.adbench.Gmm;
import tapedeck.bench.adbench.GmmInstance;

/** ADBench's Gaussian mixture in float64, with random numbers. */
public final class GmmWork implements Workload {
  private static final double TOLERANCE = 1e-9;
  private static final double GAMMA = 1;

  private final GmmInstance in;
  private final Map<String, HostTensor> data = new LinkedHashMap<>();

  public GmmWork(int d, int k, int n) {
    int row = d * (d + 1) / 2;
    data.put("gmm/alphas", HostTensor.uniform64(1, -1, 1, k));
    data.put("gmm/means", HostTensor.uniform64(2, -1, 1, k, d));
    data.put("gmm/icf", HostTensor.uniform64(3, -1, 1, k, row));
    data.put("gmm/x", HostTensor.uniform64(4, -1, 1, n, d));
    this.in =
        new GmmInstance(
            d, k, n, numbers("alphas"), numbers("means"), numbers("icf"), numbers("x"), GAMMA, 0);
    data.put("gmm/gamma", new HostTensor(new double[] {GAMMA}));
    data.put("gmm/m", new HostTensor(new double[] {0}));
    data.put("gmm/constant", new HostTensor(new double[] {Gmm.constant(in)}));
  }

  private double[] numbers(String name) {
    return (double[]) data.get("gmm/" + name).array();
  }

  @Override
  public String name() {
    return "gmm";
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    Gmm problem = new Gmm(in, DType.FLOAT64);
    Gmm.Params p =
        new Gmm.Params(
            operand.apply("gmm/alphas"), operand.apply("gmm/means"), operand.apply("gmm/icf"));
    JitFn1<Gmm.Params, Tensor> objective = Ad.jit((Fn1<Gmm.Params, Tensor>) problem::value);
    JitFn1<Gmm.Params, ValueAndGrad<Gmm.Params>> gradient =
        Ad.jit(Ad.valueAndGrad((Fn1<Gmm.Params, Tensor>) problem::value));
    return List.of(
        Line.of("gmm/objective", () -> List.of(objective.apply(p)), objective::schedule, TOLERANCE),
        Line.of(
            "gmm/gradient",
            () -> {
              ValueAndGrad<Gmm.Params> r = gradient.apply(p);
              Gmm.Params g = r.grad();
              return List.of(r.value(), g.alphas(), g.means(), g.icf());
            },
            gradient::schedule,
            TOLERANCE));
  }
}
