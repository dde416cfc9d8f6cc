package tapedeck.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.bench.adbench.AdbenchFormat;
import tapedeck.bench.adbench.AdbenchProblem;
import tapedeck.bench.adbench.Ba;
import tapedeck.bench.adbench.BaInstance;
import tapedeck.bench.adbench.Gmm;
import tapedeck.bench.adbench.GmmInstance;
import tapedeck.bench.adbench.Hand;
import tapedeck.bench.adbench.HandInstance;
import tapedeck.bench.adbench.HandModel;
import tapedeck.bench.adbench.Lstm;
import tapedeck.bench.adbench.LstmInstance;
import tapedeck.bench.report.AtomicFile;
import tapedeck.bench.report.Json;
import tapedeck.bench.report.MachineInfo;
import tapedeck.bench.report.Stats;

/** Computes an ADBench instance. */
@Command(
    name = "adbench",
    description = "Computes an instance of ADBench: value and gradient or Jacobian.",
    mixinStandardHelpOptions = true)
final class AdbenchCommand implements Callable<Integer> {
  /** The four problems. */
  enum Kind {
    GMM,
    BA,
    LSTM,
    HAND
  }

  /** Element types of the computation. */
  enum FloatType {
    FLOAT64(DType.FLOAT64, 1e-9, 1e-9),
    // Residuals are differences of nearly equal numbers: rounding alone takes 1e-4 of them.
    FLOAT32(DType.FLOAT32, 1e-3, 1e-4);

    final DType dtype;

    /** Allowed normwise error of values against a golden result. */
    final double values;

    /** Allowed normwise error of derivatives. */
    final double derivatives;

    FloatType(DType dtype, double values, double derivatives) {
      this.dtype = dtype;
      this.values = values;
      this.derivatives = derivatives;
    }
  }

  private static final double RHO = 1e-8;

  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;

  @Option(names = "--problem", required = true, description = "${COMPLETION-CANDIDATES}")
  private Kind problem;

  @Option(names = "--input", required = true, paramLabel = "FILE", description = "the instance")
  private Path input;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "the hand model; default: model beside the instance")
  private Optional<Path> model = Optional.empty();

  @Option(names = "--dtype", description = "${COMPLETION-CANDIDATES}; default: float64")
  private FloatType dtype = FloatType.FLOAT64;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "folder for the results")
  private Path out;

  @Option(
      names = "--runs",
      paramLabel = "N",
      description = "runs of which the median is told; default: 10")
  private int runs = 10;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "time before the runs in which the JVM compiles what is hot; default: 2")
  private double warmUp = 2;

  @Option(names = "--json", paramLabel = "FILE", description = "where raw samples go")
  private Optional<Path> json = Optional.empty();

  @Option(
      names = "--check",
      description = "compares with NAME_F_Manual.txt and NAME_J_Manual.txt beside the instance")
  private boolean check;

  @Override
  public Integer call() {
    Options.positive(spec.commandLine(), "--runs", runs);
    return device.on(spec.commandLine(), this::compute);
  }

  private AdbenchProblem read() {
    return switch (problem) {
      case GMM -> new Gmm(GmmInstance.read(input), dtype.dtype);
      case BA -> new Ba(BaInstance.read(input), dtype.dtype);
      case LSTM -> new Lstm(LstmInstance.read(input), dtype.dtype);
      case HAND -> {
        Path folder = model.orElseGet(() -> input.toAbsolutePath().resolveSibling("model"));
        yield new Hand(HandInstance.read(input, HandModel.read(folder)), dtype.dtype);
      }
    };
  }

  private int compute() {
    PrintWriter print = spec.commandLine().getOut();
    var target = Devices.defaultDevice();
    if (!target.supports(dtype.dtype)) {
      throw new DTypeException(
          "[adbench] device " + target.name() + " has no " + dtype.dtype + "; try --dtype float32");
    }
    AdbenchProblem p = read();
    String name = input.getFileName().toString().replaceFirst("\\.txt$", "");
    Path f = out.resolve(name + "_F_Tapedeck.txt");
    Path j = out.resolve(name + "_J_Tapedeck.txt");
    Path times = out.resolve(name + "_times_Tapedeck.txt");
    List.of(f, j, times).forEach(AtomicFile::check);
    json.ifPresent(AtomicFile::check);
    print.printf(
        "%s in %s on %s (%s)%n",
        p.describe(), dtype.dtype, target.name(), target.info().description());
    Timed value = time(p::objective);
    Timed slope = time(p::derivative);
    print.printf("objective   %.3e s  (first call %.2f s)%n", value.median(), value.first);
    print.printf("derivative  %.3e s  (first call %.2f s)%n", slope.median(), slope.first);
    print.printf("ratio       %.2f%n", slope.median() / value.median());

    p.writeObjective(f, value.result);
    p.writeDerivative(j, slope.result);
    AdbenchFormat.writeTimes(times, value.median(), slope.median());
    json.ifPresent(file -> Json.write(file, report(name, p.describe(), value, slope)));
    print.printf("wrote %s, %s, %s%n", f, j, times);
    boolean good = true;
    if (check) {
      Path goldenF = input.resolveSibling(name + "_F_Manual.txt");
      Path goldenJ = input.resolveSibling(name + "_J_Manual.txt");
      good = agrees("objective", dtype.values, value.result, AdbenchFormat.readNumbers(goldenF));
      good &= agrees("derivative", dtype.derivatives, slope.result, p.readDerivative(goldenJ));
    }
    print.flush();
    return good ? 0 : 1;
  }

  private boolean agrees(String what, double tolerance, double[] found, double[] golden) {
    double rho = Stats.rho(found, golden);
    double norm = Stats.normwiseError(found, golden);
    // rho is stated for float64; a float32 result has fewer digits than it asks for.
    boolean good = norm <= tolerance && (dtype == FloatType.FLOAT32 || rho <= RHO);
    spec.commandLine()
        .getOut()
        .printf(
            "%-11s rho %.2e  normwise error %.2e  %s%n",
            what, rho, norm, good ? "agrees" : "DIFFERS");
    return good;
  }

  private Map<String, Object> report(String name, String what, Timed value, Timed slope) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("what", "ADBench instance " + name + ": " + what);
    m.put("machine", MachineInfo.collect());
    m.put("dtype", dtype.dtype.toString());
    m.put("warm_up_seconds", warmUp);
    m.put("results", List.of(value.report("objective"), slope.report("derivative")));
    return m;
  }

  private record Timed(double[] result, double first, double[] samples) {
    double median() {
      return Stats.median(samples);
    }

    Map<String, Object> report(String what) {
      Map<String, Object> m = new LinkedHashMap<>();
      m.put("line", what);
      m.put("first_seconds", first);
      m.put("median_seconds", median());
      m.put("seconds", samples);
      return m;
    }
  }

  private Timed time(Supplier<double[]> f) {
    long start = System.nanoTime();
    double[] result = f.get();
    double first = (System.nanoTime() - start) * 1e-9;
    long warm = System.nanoTime() + (long) (warmUp * 1e9);
    while (System.nanoTime() < warm) {
      result = f.get();
    }
    double[] samples = new double[runs];
    for (int i = 0; i < runs; i++) {
      long t = System.nanoTime();
      result = f.get();
      samples[i] = (System.nanoTime() - t) * 1e-9;
    }
    return new Timed(result, first, samples);
  }
}
