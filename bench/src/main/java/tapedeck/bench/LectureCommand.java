package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.Ad;
import tapedeck.ad.FiniteDifferences;
import tapedeck.ad.FiniteDifferences.Scheme;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.ValidationException;
import tapedeck.bench.draw.Graph;
import tapedeck.bench.draw.SvgPainter;
import tapedeck.bench.draw.TextPainter;
import tapedeck.bench.draw.TracedGraph;
import tapedeck.bench.model.SmallMlp;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;
import tapedeck.cpu.reference.ReferenceEvaluator;

/** Walks through three ways to a gradient and two computational graphs, and checks every number. */
@Command(
    name = "lecture",
    description =
        "Three ways to a gradient, and computational graphs with value and gradient at every node.",
    mixinStandardHelpOptions = true)
final class LectureCommand implements Callable<Integer> {
  private static final int BATCH = 32;
  private static final int RUNS = 5;

  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "folder for the drawings; default: lecture")
  private Path folder = Path.of("lecture");

  private PrintWriter out;
  private DType dtype;

  /** What rounding may cost. */
  private double tolerance;

  @Override
  public Integer call() {
    AtomicFile.check(folder.resolve("mlp.svg"));
    return device.on(
        spec.commandLine(),
        () -> {
          out = spec.commandLine().getOut();
          dtype = Devices.defaultDevice().supports(DType.FLOAT64) ? DType.FLOAT64 : DType.FLOAT32;
          tolerance = dtype == DType.FLOAT64 ? 1e-12 : 1e-5;
          out.println("all numbers in " + dtype + " on " + Devices.defaultDevice().name() + "\n");
          threeWays();
          sumTimesZ();
          squaredNorm();
          out.flush();
          return 0;
        });
  }

  // ---- 1: three ways to the gradient of a network ---------------------------------------------

  private record Way(String name, String passes, Supplier<double[]> gradient, double allowed) {}

  private void threeWays() {
    SmallMlp net = SmallMlp.init(dtype, 1);
    SmallMlp.Examples batch = SmallMlp.examples(dtype, BATCH, 2);
    Tensor at = net.toVector();
    Fn1<Tensor, Tensor> loss = v -> SmallMlp.fromVector(v).loss(batch);
    out.printf(
        "1. The gradient of an MLP 5-16-1 (W1 16x5, b1 16, W2 16, b2: %d parameters), batch of %d%n%n",
        SmallMlp.SIZE, BATCH);
    List<Way> ways = ways(loss, at);
    double[] reference = reference(loss, at);
    TextTable table = new TextTable("method", "evaluations", "ms", "normwise error");
    for (Way w : ways) {
      double[] g = w.gradient.get();
      double[] seconds = new double[RUNS];
      for (int i = 0; i < RUNS; i++) {
        long start = System.nanoTime();
        g = w.gradient.get();
        seconds[i] = (System.nanoTime() - start) * 1e-9;
      }
      double error = Stats.normwiseError(g, reference);
      table.row(
          w.name,
          w.passes,
          String.format("%.3f", 1e3 * Stats.median(seconds)),
          String.format("%.1e", error));
      require(w.name, error <= w.allowed, error);
    }
    out.println(table);
    Fn1<List<Tensor>, Tensor> drawn =
        t ->
            new SmallMlp(t.get(0), t.get(1), t.get(2), t.get(3))
                .loss(new SmallMlp.Examples(t.get(4), t.get(5)));
    List<Tensor> operands = new ArrayList<>(net.parameters());
    operands.add(batch.x());
    operands.add(batch.y());
    draw(
        "mlp",
        TracedGraph.of(
            "Mean squared error of an MLP 5-16-1",
            drawn,
            List.of("W1", "b1", "W2", "b2", "x", "y"),
            operands));
  }

  private List<Way> ways(Fn1<Tensor, Tensor> loss, Tensor at) {
    int n = SmallMlp.SIZE;
    Fn1<Tensor, Tensor> compiled = Ad.jit(loss);
    boolean fine = dtype == DType.FLOAT64;
    double h1 = fine ? 1e-7 : 1e-3;
    double h2 = fine ? 1e-5 : 1e-2;
    FiniteDifferences.Result<Tensor> forward =
        FiniteDifferences.gradient(compiled, at, Scheme.FORWARD, h1);
    FiniteDifferences.Result<Tensor> central =
        FiniteDifferences.gradient(compiled, at, Scheme.CENTRAL, h2);
    require("forward differences", forward.evaluations() == n + 1, forward.evaluations());
    require("central differences", central.evaluations() == 2L * n, central.evaluations());

    Fn2<Tensor, Tensor, Tensor> along =
        Ad.jit((Fn2<Tensor, Tensor, Tensor>) (x, dx) -> Ad.jvp(loss, x, dx).tangent());
    List<Tensor> directions = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      directions.add(Tensor.eye(dtype, n).get(i));
    }
    Fn1<Tensor, Tensor> jacobian = Ad.jit(Ad.jacfwd(loss));
    Fn1<Tensor, Tensor> reverse = Ad.jit(Ad.grad(loss));
    return List.of(
        new Way(
            "finite differences, forward",
            forward.evaluations() + " values",
            () ->
                FiniteDifferences.gradient(compiled, at, Scheme.FORWARD, h1)
                    .gradient()
                    .toDoubleArray(),
            fine ? 1e-5 : 1e-1),
        new Way(
            "finite differences, central",
            central.evaluations() + " values",
            () ->
                FiniteDifferences.gradient(compiled, at, Scheme.CENTRAL, h2)
                    .gradient()
                    .toDoubleArray(),
            fine ? 1e-8 : 1e-1),
        new Way(
            "forward mode",
            n + " jvp passes",
            () -> directions.stream().mapToDouble(d -> along.apply(at, d).item()).toArray(),
            tolerance),
        new Way(
            "forward mode, vmap",
            "1 pass, " + n + " tangents",
            () -> jacobian.apply(at).toDoubleArray(),
            tolerance),
        new Way("reverse mode", "1 vjp pass", () -> reverse.apply(at).toDoubleArray(), tolerance));
  }

  private static double[] reference(Fn1<Tensor, Tensor> loss, Tensor at) {
    return ReferenceEvaluator.evaluate(in -> List.of(Ad.grad(loss).apply(in.get(0))), List.of(at))
        .get(0);
  }

  // ---- 2: f(x,y,z) = (x + y) z -----------------------------------------------------------------

  private void sumTimesZ() {
    out.println("2. The computational graph of f(x,y,z) = (x + y)·z at (5, -2, 4)\n");
    Fn1<List<Tensor>, Tensor> f = t -> t.get(0).add(t.get(1)).mul(t.get(2));
    List<Tensor> at = List.of(scalar(5), scalar(-2), scalar(4));
    check("f", f.apply(at), 12);
    List<Tensor> g = Ad.grad(f).apply(at);
    check("df/dx", g.get(0), 4);
    check("df/dy", g.get(1), 4);
    check("df/dz", g.get(2), 3);
    draw("sum-times-z", TracedGraph.of("f(x,y,z) = (x + y)·z", f, List.of("x", "y", "z"), at));
  }

  // ---- 3: f(W,x) = |W x|^2 ---------------------------------------------------------------------

  private void squaredNorm() {
    out.println("3. f(W,x) = ‖W·x‖² at W = [[0.1, 0.5], [-0.3, 0.8]], x = [0.2, 0.4]\n");
    Tensor w = Tensor.of(new double[] {0.1, 0.5, -0.3, 0.8}, 2, 2).cast(dtype);
    Tensor x = Tensor.of(new double[] {0.2, 0.4}, 2).cast(dtype);
    Fn1<List<Tensor>, Tensor> f = t -> t.get(0).matmul(t.get(1)).square().sum();
    List<Tensor> at = List.of(w, x);
    check("W·x", w.matmul(x), 0.22, 0.26);
    check("f", f.apply(at), 0.116);
    List<Tensor> g = Ad.grad(f).apply(at);
    check("dW", g.get(0), 0.088, 0.176, 0.104, 0.208);
    check("dx", g.get(1), -0.112, 0.636);
    check("d(W·x)/dx", Ad.jacrev((Fn1<Tensor, Tensor>) w::matmul).apply(x), 0.1, 0.5, -0.3, 0.8);
    draw("squared-norm", TracedGraph.of("f(W,x) = ‖W·x‖²", f, List.of("W", "x"), at));
  }

  // ---- common ----------------------------------------------------------------------------------

  private Tensor scalar(double v) {
    return Tensor.scalar(dtype, v);
  }

  private void check(String what, Tensor found, double... expected) {
    double[] v = found.toDoubleArray();
    out.println(what + " = " + Arrays.toString(expected));
    require(what + " = " + Arrays.toString(v), Stats.normwiseError(v, expected) <= tolerance, v[0]);
  }

  private static void require(String what, boolean ok, Object found) {
    if (!ok) {
      throw new ValidationException("[lecture] " + what + " is wrong: " + found);
    }
  }

  private void draw(String name, Graph graph) {
    Path file = folder.resolve(name + ".svg");
    AtomicFile.write(file, SvgPainter.paint(graph));
    out.println();
    out.println(TextPainter.paint(graph));
    out.println("drawn in " + file + "\n");
  }
}
