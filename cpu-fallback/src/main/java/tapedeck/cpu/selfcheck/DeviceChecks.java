package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import tapedeck.ad.backend.Device;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.TapedeckException;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/**
 * Checks of one row on one device, for each of its element types: values, special values, operands
 * that are views, gradients, tangents, second derivatives and batches, with and without fusion,
 * against the float64 reference. All cases of a row and type run as one tape, so a device compiles
 * once; if that fails each is run alone, to name the one that fails.
 */
public final class DeviceChecks {

  /** How much to check; compilation takes long on some devices. */
  public enum Effort {
    /** Two variants of each row and its transforms in one element type, one in the others. */
    QUICK,
    /** All variants, with and without fusion. */
    FULL
  }

  private static final int BATCH = 3;

  private final Device device;
  private final OpSample sample;
  private final DType dtype;
  private final Effort effort;
  private final double base;
  private final SplittableRandom random;
  private final List<Case> cases = new ArrayList<>();
  private final List<CheckResult> results = new ArrayList<>();

  private DeviceChecks(Device device, OpSample sample, DType dtype, Effort effort) {
    this.device = device;
    this.sample = sample;
    this.dtype = dtype;
    this.effort = effort;
    this.base = sample.slack() * (dtype == DType.FLOAT64 ? 1e-14 : 1e-6);
    this.random = new SplittableRandom(sample.name().hashCode() * 31L + dtype.ordinal());
  }

  /**
   * {@return the outcome of all checks of a row, in the element types that the device supports}
   *
   * @param device what is checked
   * @param sample the row
   * @param effort how many variants are tried
   */
  public static List<CheckResult> run(Device device, OpSample sample, Effort effort) {
    List<CheckResult> out = new ArrayList<>();
    for (DType dtype : sample.dtypes()) {
      if (device.supports(dtype)) {
        out.addAll(new DeviceChecks(device, sample, dtype, effort).run());
      }
    }
    return out;
  }

  private List<CheckResult> run() {
    boolean full = effort == Effort.FULL;
    boolean first = dtype == sample.dtypes().get(0);
    int variants = full ? sample.variants().size() : first ? 2 : 1;
    int transformed = full ? 3 : first ? 1 : 0;
    for (int i = 0; i < Math.min(variants, sample.variants().size()); i++) {
      Variant v = sample.variants().get(i);
      boolean all = i < transformed;
      attempt("trace", v.label(), () -> add(v, all));
    }
    if (dtype.isFloat() && !sample.specials().isEmpty()) {
      attempt("special values", "", this::special);
    }
    List<Case> lacking = cases.stream().filter(c -> !supported(c)).toList();
    lacking.forEach(c -> attempt(c.check(), c.label(), () -> refused(c)));
    cases.removeAll(lacking);
    runAll("", cases);
    if (full && !Settings.FUSE.is("off")) {
      unfused();
    }
    return results;
  }

  /** Whether the device has every element type of a case, such as float64 in a cast to it. */
  private boolean supported(Case c) {
    return Stream.concat(
            c.tape().inputs().stream(), c.tape().eqns().stream().flatMap(e -> e.outs().stream()))
        .allMatch(v -> device.supports(v.aval().dtype()));
  }

  /** A device says that it lacks a type, or does without it and is right. */
  private void refused(Case c) {
    CheckResult r;
    try {
      r = c.compare(sample.name(), dtype, DeviceRunner.run(device, c.tape(), c.inputs()));
    } catch (DTypeException e) {
      r = new CheckResult(sample.name(), c.check(), dtype, c.label(), 0, "");
    }
    add(c, " refused", r);
  }

  /** Repeats every third case with fusion off. */
  private void unfused() {
    String before = System.getProperty(Settings.FUSE.key());
    System.setProperty(Settings.FUSE.key(), "off");
    try {
      List<Case> some = new ArrayList<>();
      for (int i = 0; i < cases.size(); i += 3) {
        some.add(cases.get(i));
      }
      runAll(" unfused", some);
    } finally {
      if (before == null) {
        System.clearProperty(Settings.FUSE.key());
      } else {
        System.setProperty(Settings.FUSE.key(), before);
      }
    }
  }

  private void attempt(String check, String label, Runnable body) {
    try {
      body.run();
    } catch (RuntimeException | LinkageError e) {
      results.add(
          new CheckResult(
              sample.name(), check, dtype, label, Double.POSITIVE_INFINITY, e.toString()));
    }
  }

  private void add(Variant v, boolean transformed) {
    Tapes.Traced traced = Tapes.of(v, dtype);
    List<double[]> in = traced.inputs(Inputs.draw(v, dtype, random));
    Tape tape = traced.tape();
    cases.add(Case.of("value", v.label(), tape, in, 4 * base, smallest(1e-2)));
    if (dtype.isFloat() && sample.order() > 0) {
      Tape gradient = Tapes.vjp(tape);
      List<double[]> all = withRandom(in, tape.outputAvals());
      cases.add(Case.of("gradient", v.label(), gradient, all, 16 * base, 1));
      if (transformed) {
        cases.add(
            Case.of(
                "tangent",
                v.label(),
                Tapes.jvp(tape),
                withRandom(in, Tapes.floatInputs(tape)),
                16 * base,
                1));
        if (sample.order() > 1) {
          Tape second = Tapes.jvp(gradient);
          cases.add(
              Case.of(
                  "second derivative",
                  v.label(),
                  second,
                  withRandom(all, Tapes.floatInputs(gradient)),
                  64 * base,
                  1));
        }
      }
    }
    if (transformed) {
      views(v);
      batches(v, traced, in);
    }
  }

  /** A floor for the size of errors' reference: integers are compared exactly anyway. */
  private double smallest(double floor) {
    return dtype.isFloat() ? floor : 1;
  }

  private List<double[]> withRandom(List<double[]> in, List<Aval> more) {
    List<double[]> out = new ArrayList<>(in);
    for (Aval a : more) {
      out.add(Domain.of(-1, 1).draw(random, DType.FLOAT64, Math.toIntExact(a.shape().size())));
    }
    return out;
  }

  /**
   * Operands that arrive transposed, reversed and with every other element along their last axis.
   */
  private void views(Variant v) {
    List<Operand> stored = new ArrayList<>();
    for (Operand o : v.operands()) {
      int[] d = o.shape().dims();
      int[] r = new int[d.length];
      for (int i = 0; i < d.length; i++) {
        r[d.length - 1 - i] = d[i] * (i == 0 ? 2 : 1);
      }
      stored.add(new Operand(o.domain(), o.fixed(), Shape.of(r)));
    }
    Variant viewed =
        new Variant(
            v.label(),
            x -> {
              Tensor[] y = new Tensor[x.length];
              for (int i = 0; i < y.length; i++) {
                y[i] =
                    x[i].rank() == 0 ? x[i] : x[i].slice(-1, 1, x[i].dim(-1), 2).flip().transpose();
              }
              return v.fn().apply(y);
            },
            stored);
    Tapes.Traced traced = Tapes.of(viewed, dtype);
    List<double[]> in = traced.inputs(Inputs.draw(viewed, dtype, random));
    cases.add(Case.of("views", v.label(), traced.tape(), in, 4 * base, smallest(1e-2)));
    if (dtype.isFloat() && sample.order() > 0) {
      Tape gradient = Tapes.vjp(traced.tape());
      cases.add(
          Case.of(
              "gradient of views",
              v.label(),
              gradient,
              withRandom(in, traced.tape().outputAvals()),
              16 * base,
              1));
    }
  }

  /** Each operand batched alone, and all of them. */
  private void batches(Variant v, Tapes.Traced traced, List<double[]> in) {
    int consts = traced.consts().size();
    int n = in.size() - consts;
    for (int choice = n == 1 ? 1 : 0; choice <= n; choice++) {
      boolean[] batched = new boolean[in.size()];
      List<double[]> stacked = new ArrayList<>(in);
      for (int i = 0; i < n; i++) {
        batched[consts + i] = choice == n || choice == i;
        if (batched[consts + i]) {
          Operand o = v.operands().get(i);
          int size = Math.toIntExact(o.shape().size()) * BATCH;
          stacked.set(consts + i, o.domain().draw(random, o.fixed().orElse(dtype), size));
        }
      }
      Tape mapped = Tapes.vmap(traced.tape(), batched, BATCH);
      cases.add(Case.of("vmap", v.label(), mapped, stacked, 8 * base, smallest(1e-2)));
      if (choice == n && dtype.isFloat() && sample.order() > 0) {
        cases.add(
            Case.of(
                "gradient of vmap",
                v.label(),
                Tapes.vjp(mapped),
                withRandom(stacked, mapped.outputAvals()),
                16 * base,
                1));
      }
    }
  }

  private void special() {
    List<double[]> tuples = sample.specials();
    int n = tuples.size();
    List<double[]> in = new ArrayList<>();
    List<Aval> avals = new ArrayList<>();
    for (int k = 0; k < tuples.get(0).length; k++) {
      double[] x = new double[n];
      for (int i = 0; i < n; i++) {
        x[i] = dtype.round(tuples.get(i)[k]);
      }
      in.add(x);
      avals.add(Aval.of(dtype, n));
    }
    OpSample.Fn fn = sample.variants().get(0).fn();
    Tape tape = Trace.closed(x -> List.of(fn.apply(x.toArray(Tensor[]::new))), avals);
    cases.add(Case.of("special values", "(" + n + ")", tape, in, 8 * base, 0));
  }

  private void runAll(String suffix, List<Case> some) {
    List<Tape> tapes = some.stream().map(Case::tape).toList();
    List<double[]> inputs = new ArrayList<>();
    some.forEach(c -> inputs.addAll(c.inputs()));
    List<double[]> outputs;
    try {
      outputs = DeviceRunner.run(device, Tapes.merge(tapes), inputs);
    } catch (TapedeckException
        | IllegalArgumentException
        | IllegalStateException
        | NullPointerException
        | IndexOutOfBoundsException
        | ArithmeticException
        | ClassCastException
        | LinkageError e) {
      alone(suffix, some, e);
      return;
    }
    int at = 0;
    for (Case c : some) {
      int n = c.expected().size();
      add(c, suffix, c.compare(sample.name(), dtype, outputs.subList(at, at + n)));
      at += n;
    }
  }

  private void alone(String suffix, List<Case> some, Throwable together) {
    int before = results.size();
    for (Case c : some) {
      attempt(
          c.check() + suffix,
          c.label(),
          () ->
              add(
                  c,
                  suffix,
                  c.compare(sample.name(), dtype, DeviceRunner.run(device, c.tape(), c.inputs()))));
    }
    if (results.subList(before, results.size()).stream().allMatch(CheckResult::passed)) {
      results.add(
          new CheckResult(
              sample.name(),
              "all cases in one tape" + suffix,
              dtype,
              "",
              Double.POSITIVE_INFINITY,
              together.toString()));
    }
  }

  private void add(Case c, String suffix, CheckResult r) {
    results.add(
        new CheckResult(r.op(), c.check() + suffix, r.dtype(), r.label(), r.error(), r.detail()));
  }
}
