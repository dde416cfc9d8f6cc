package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import tapedeck.ad.Ad;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;
import tapedeck.cpu.reference.ReferenceEvaluator;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/**
 * Checks of differentiation and batching rules that need no device: all tapes are evaluated by the
 * reference in float64. Gradients are compared with central differences along a random direction,
 * forward with reverse mode by {@code <u, Jv> = <J'u, v>}, batched tapes with a loop.
 */
public final class RuleChecks {
  private static final double STEP = 1e-5;
  private static final double DIFFERENCES = 2e-6;
  private static final double EXACT = 1e-11;
  private static final int BATCH = 3;

  private final OpSample sample;
  private final SplittableRandom random;
  private final List<CheckResult> results = new ArrayList<>();

  private RuleChecks(OpSample sample) {
    this.sample = sample;
    this.random = new SplittableRandom(sample.name().hashCode());
  }

  /**
   * {@return the outcome of all rule checks of one row}
   *
   * @param sample the row
   */
  public static List<CheckResult> run(OpSample sample) {
    RuleChecks checks = new RuleChecks(sample);
    // Constants are evaluated while tracing, and the device under test may lack float64.
    return Ad.onDevice(
        "interp",
        () -> {
          sample.variants().forEach(checks::variant);
          return checks.results;
        });
  }

  private void variant(Variant v) {
    DType dtype = sample.dtypes().contains(DType.FLOAT64) ? DType.FLOAT64 : sample.dtypes().get(0);
    attempt(
        v,
        "trace",
        dtype,
        () -> {
          Tapes.Traced traced = Tapes.of(v, dtype);
          Tape tape = traced.tape();
          List<double[]> in = traced.inputs(Inputs.draw(v, dtype, random));
          if (sample.order() > 0) {
            attempt(v, "gradient vs differences", dtype, () -> gradients(v, "", tape, in));
          }
          if (sample.order() > 1) {
            Tape gradient = Tapes.vjp(tape);
            List<double[]> all = new ArrayList<>(in);
            all.addAll(direction(tape.outputAvals()));
            attempt(v, "second order", dtype, () -> gradients(v, "second order ", gradient, all));
          }
          attempt(v, "vmap", dtype, () -> vmap(v, dtype, traced, in));
        });
  }

  private void attempt(Variant v, String check, DType dtype, Runnable body) {
    try {
      body.run();
    } catch (TapedeckException
        | IllegalArgumentException
        | IndexOutOfBoundsException
        | NullPointerException
        | IllegalStateException
        | ExceptionInInitializerError
        | NoClassDefFoundError e) {
      results.add(
          new CheckResult(
              sample.name(), check, dtype, v.label(), Double.POSITIVE_INFINITY, e.toString()));
    }
  }

  private List<double[]> direction(List<Aval> avals) {
    List<double[]> out = new ArrayList<>();
    for (Aval a : avals) {
      out.add(Domain.of(-1, 1).draw(random, DType.FLOAT64, Math.toIntExact(a.shape().size())));
    }
    return out;
  }

  /** The maximum of nothing is -inf, and has no difference. */
  private static void zeroWhereInfinite(List<double[]> u, List<double[]> values) {
    for (int k = 0; k < u.size(); k++) {
      for (int i = 0; i < u.get(k).length; i++) {
        u.get(k)[i] = Double.isInfinite(values.get(k)[i]) ? 0 : u.get(k)[i];
      }
    }
  }

  private static double dot(List<double[]> a, List<double[]> b) {
    double s = 0;
    for (int k = 0; k < a.size(); k++) {
      for (int i = 0; i < a.get(k).length; i++) {
        s += a.get(k)[i] == 0 ? 0 : a.get(k)[i] * b.get(k)[i];
      }
    }
    return s;
  }

  private void gradients(Variant v, String prefix, Tape tape, List<double[]> in) {
    List<double[]> u = direction(tape.outputAvals());
    zeroWhereInfinite(u, ReferenceEvaluator.evaluate(tape, in));
    List<double[]> tangents = direction(Tapes.floatInputs(tape));
    double jvp = dot(u, ReferenceEvaluator.evaluate(Tapes.jvp(tape), joined(in, tangents)));
    double vjp = dot(tangents, ReferenceEvaluator.evaluate(Tapes.vjp(tape), joined(in, u)));
    double up = dot(u, ReferenceEvaluator.evaluate(tape, moved(tape, in, tangents, STEP)));
    double down = dot(u, ReferenceEvaluator.evaluate(tape, moved(tape, in, tangents, -STEP)));
    double difference = (up - down) / (2 * STEP);
    double scale = 1 + Math.abs(difference) + Math.abs(up);
    near(v, prefix + "jvp vs differences", jvp, difference, DIFFERENCES * scale);
    near(
        v,
        prefix + "<u,Jv> = <J'u,v>",
        vjp,
        jvp,
        EXACT * (1 + Math.abs(jvp) + magnitude(u) * magnitude(tangents)));
  }

  private static double magnitude(List<double[]> x) {
    return Math.sqrt(dot(x, x));
  }

  private void near(Variant v, String check, double actual, double expected, double tolerance) {
    double error = Math.abs(actual - expected) / tolerance;
    boolean ok = error <= 1;
    results.add(
        new CheckResult(
            sample.name(),
            check,
            DType.FLOAT64,
            v.label(),
            error,
            ok ? "" : actual + " against " + expected));
  }

  private static List<double[]> joined(List<double[]> a, List<double[]> b) {
    List<double[]> out = new ArrayList<>(a);
    out.addAll(b);
    return out;
  }

  private static List<double[]> moved(
      Tape tape, List<double[]> in, List<double[]> tangents, double h) {
    List<double[]> out = new ArrayList<>();
    boolean[] wrt = Tapes.floats(tape);
    int at = 0;
    for (int k = 0; k < wrt.length; k++) {
      double[] x = in.get(k);
      if (wrt[k]) {
        double[] t = tangents.get(at++);
        x = x.clone();
        for (int i = 0; i < x.length; i++) {
          x[i] += h * t[i];
        }
      }
      out.add(x);
    }
    return out;
  }

  /** Every choice of batched operands against a loop over the batch. */
  private void vmap(Variant v, DType dtype, Tapes.Traced traced, List<double[]> in) {
    Tape tape = traced.tape();
    int n = in.size();
    int consts = traced.consts().size();
    for (int mask = 1; mask < 1 << Math.min(n - consts, 4); mask++) {
      boolean[] batched = new boolean[n];
      for (int i = consts; i < n; i++) {
        batched[i] = (mask >> (i - consts) & 1) != 0;
      }
      List<List<double[]>> rows = new ArrayList<>();
      for (int b = 0; b < BATCH; b++) {
        List<double[]> fresh = traced.inputs(Inputs.draw(v, dtype, random));
        List<double[]> row = new ArrayList<>();
        for (int i = 0; i < n; i++) {
          row.add(batched[i] ? fresh.get(i) : in.get(i));
        }
        rows.add(row);
      }
      List<double[]> stacked = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        int k = i;
        stacked.add(batched[i] ? stack(rows.stream().map(r -> r.get(k)).toList()) : in.get(i));
      }
      List<double[]> actual =
          ReferenceEvaluator.evaluate(Tapes.vmap(tape, batched, BATCH), stacked);
      UnaryOperator<List<double[]>> one = x -> ReferenceEvaluator.evaluate(tape, x);
      List<List<double[]>> looped = rows.stream().map(one).toList();
      double worst = 0;
      for (int k = 0; k < actual.size(); k++) {
        int at = k;
        double[] expected = stack(looped.stream().map(r -> r.get(at)).toList());
        for (int i = 0; i < expected.length; i++) {
          boolean equal = Double.compare(actual.get(k)[i], expected[i]) == 0;
          double d =
              equal
                  ? 0
                  : Math.abs(actual.get(k)[i] - expected[i])
                      / (EXACT * (1 + Math.abs(expected[i])));
          worst = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(worst, d);
        }
      }
      String detail = worst <= 1 ? "" : "batched operands " + Arrays.toString(batched);
      results.add(new CheckResult(sample.name(), "vmap vs loop", dtype, v.label(), worst, detail));
    }
  }

  private static double[] stack(List<double[]> rows) {
    int n = rows.get(0).length;
    double[] out = new double[rows.size() * n];
    for (int b = 0; b < rows.size(); b++) {
      System.arraycopy(rows.get(b), 0, out, b * n, n);
    }
    return out;
  }
}
