package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.render.SplitProducts;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/**
 * Matrix products against the interpreter: odd sizes, transposed and batched operands, prologues,
 * epilogues, several k loops. Operands are small integers, so results are exact.
 */
class ProductTest {

  /** One product; {@code inner} splits k in two loops where it is more than 1. */
  private record Shape(int b, int m, int n, int k, int inner) {}

  private static final List<Shape> SHAPES =
      List.of(
          new Shape(1, 64, 64, 64, 1),
          new Shape(1, 131, 67, 45, 1),
          new Shape(1, 9, 10, 333, 1),
          new Shape(3, 33, 20, 19, 1),
          new Shape(2, 11, 130, 600, 1),
          new Shape(1, 130, 129, 24, 3),
          new Shape(1, 8, 8, 300, 1),
          new Shape(1, 100, 60, 40, 1),
          new Shape(1, 260, 132, 9, 1));

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  /** A float32 product of one batch in a variant of operand orders and fused operations. */
  static Kernel product(int m, int n, int k, int variant) {
    return kernel(new Shape(1, m, n, k, 1), DType.FLOAT32, variant);
  }

  /** The same with a precision. */
  static Kernel product(int m, int n, int k, int variant, Precision precision) {
    return kernel(new Shape(1, m, n, k, 1), DType.FLOAT32, variant, precision);
  }

  private static Kernel kernel(Shape s, DType t, int variant) {
    return kernel(s, t, variant, Precision.HIGHEST);
  }

  private static Kernel kernel(Shape s, DType t, int variant, Precision precision) {
    Loop b = new Loop(0, s.b());
    Loop m = new Loop(1, s.m());
    Loop n = new Loop(2, s.n());
    Loop k0 = new Loop(3, s.k() / s.inner());
    Loop k1 = new Loop(4, s.inner());
    List<Loop> k = s.inner() > 1 ? List.of(k0, k1) : List.of(k0);
    // With two loops, k runs over them in the other order on the left side, so that they cannot be
    // one.
    Index kr = s.inner() > 1 ? Index.of(k0).times(s.inner()).plus(Index.of(k1)) : Index.of(k0);
    Index kl = s.inner() > 1 ? Index.of(k1).times(k0.extent()).plus(Index.of(k0)) : Index.of(k0);
    List<Loop> batch = s.b() > 1 ? List.of(b) : List.of();
    boolean leftTransposed = variant % 2 == 1;
    boolean rightTransposed = variant / 2 % 2 == 1;
    boolean fused = variant / 4 == 1;
    Index left =
        leftTransposed ? kl.times(s.m()).plus(Index.of(m)) : Index.of(m).times(s.k()).plus(kl);
    Index right =
        rightTransposed ? Index.of(n).times(s.k()).plus(kr) : kr.times(s.n()).plus(Index.of(n));
    left = left.plus(Index.of(b).times((long) s.m() * s.k()));
    right = right.plus(Index.of(b).times((long) s.n() * s.k()));
    Index out = Index.of(b).times(s.m()).plus(Index.of(m)).times(s.n()).plus(Index.of(n));
    Expr lhs = new Expr.Load(0, t, left);
    Expr rhs = new Expr.Load(1, t, right);
    Expr value = new Expr.Acc(0, t);
    if (fused) {
      lhs = Expr.apply(ScalarOp.SUB, t, Expr.apply(ScalarOp.MUL, t, lhs, lhs), Expr.constant(t, 2));
      rhs = Expr.apply(ScalarOp.MAX, t, rhs, Expr.constant(t, 0));
      value = Expr.apply(ScalarOp.ADD, t, value, new Expr.Load(2, t, Index.of(n)));
      value = Expr.apply(ScalarOp.MAX, t, value, Expr.constant(t, -5));
    }
    List<Loop> grid = new ArrayList<>(batch);
    grid.addAll(List.of(m, n));
    return new Kernel(
        List.of(
            new Kernel.Param(t, (long) s.b() * s.m() * s.k(), true, false),
            new Kernel.Param(t, (long) s.b() * s.n() * s.k(), true, false),
            new Kernel.Param(t, s.n(), true, false),
            new Kernel.Param(t, (long) s.b() * s.m() * s.n(), false, true)),
        grid,
        List.of(
            new Phase.Reduce(
                k,
                List.of(
                    new Phase.Accumulator(
                        0, Reducer.SUM, t, Expr.apply(ScalarOp.MUL, t, lhs, rhs)))),
            new Phase.Emit(List.of(), List.of(new Phase.Store(3, out, value)))),
        Optional.of(new Contraction(batch, List.of(m), List.of(n), k, lhs, rhs, precision)));
  }

  /** Columns of a tile in this device's parameters. */
  private static int wide(Device cl, int lanes) {
    return lanes * ((Tunable) cl).tuning().get(Template.PRODUCT_BLOCKS).get("vectors");
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void agreesWithInterpreter(String profile) {
    Random random = new Random(5);
    try (Device cl = TestDevices.open(profile);
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      Target target = ((OpenClDevice) cl).description().target();
      Renderer renderer = new Renderer(target, ((Tunable) cl).tuning());
      List<Runs.Case> cases = new ArrayList<>();
      List<String> names = new ArrayList<>();
      for (int i = 0; i < SHAPES.size(); i++) {
        // Every variant of one shape on CPU devices; else one plain and one fused.
        boolean all = i == 1 && profile.equals("cpu");
        for (int variant = all ? 0 : i % 4; variant < 8; variant += all ? 1 : 4) {
          DType t = variant == 5 && cl.supports(DType.FLOAT64) ? DType.FLOAT64 : DType.FLOAT32;
          Kernel k = kernel(SHAPES.get(i), t, variant);
          String strategy = renderer.render(k, Runs.distinct(k)).strategy();
          names.add(profile + " " + SHAPES.get(i) + " variant " + variant + " " + strategy);
          assertTrue(strategy.startsWith("product"), names.getLast());
          List<double[]> inputs = new ArrayList<>();
          for (int p = 0; p < 3; p++) {
            inputs.add(random.ints(k.params().get(p).elements(), -3, 4).asDoubleStream().toArray());
          }
          cases.add(new Runs.Case(k, Runs.distinct(k), inputs));
        }
      }
      int lanes = target.vectorBytes() / DType.FLOAT32.bytes();
      List<String> forms =
          profile.equals("cpu")
              ? List.of("packed", "tile 8x" + wide(cl, lanes), "tile 8x" + lanes)
              : List.of("128x128x8", "64x64x16", "sliced");
      for (String form : forms) {
        assertTrue(
            names.stream().anyMatch(n -> n.contains(form)), form + " was not tested: " + names);
      }
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> actual = Runs.run(cl, cases);
      for (int i = 0; i < names.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i), names.get(i));
      }
    }
  }

  /**
   * The form for tensor cores, where the multiply-add of a warp is plain OpenCL C with the
   * documented layout of operands: every index, prologue, epilogue, rounding and split of the
   * kernel. What remains unproved without such a device is the text of the PTX instruction and its
   * speed.
   */
  @Test
  void tensorCoreFormAgreesWithInterpreter() {
    Random random = new Random(6);
    String before = System.getProperty("tapedeck.opencl.tensor");
    System.setProperty("tapedeck.opencl.tensor", "emulated");
    try (Device cl = TestDevices.open("gpu");
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      Tuning tuning =
          ((Tunable) cl)
              .tuning()
              .with(new Parameters(Template.PRODUCT_TF32, List.of(64, 32, 16, 32, 16, 1)))
              .with(new Parameters(Template.PRODUCT_3XTF32, List.of(128, 128, 16, 64, 32, 1)))
              .with(new Parameters(Template.PRODUCT_BF16, List.of(64, 128, 32, 32, 32, 1)));
      Renderer renderer = new Renderer(((OpenClDevice) cl).description().target(), tuning);
      List<Runs.Case> cases = new ArrayList<>();
      List<String> names = new ArrayList<>();
      List<Double> tolerances = new ArrayList<>();
      for (Precision precision : List.of(Precision.DEFAULT, Precision.HIGH, Precision.BFLOAT16)) {
        for (int i = 0; i < SHAPES.size(); i++) {
          Shape s = SHAPES.get(i);
          if (Math.min(s.m(), s.n()) < 16) {
            continue;
          }
          // Words of bfloat16 are packed in another way for each order of the operands.
          boolean all = precision == Precision.BFLOAT16 && i < 2;
          for (int variant = all ? 0 : i % 4; variant < 8; variant += all ? 1 : 4) {
            Kernel k = kernel(s, DType.FLOAT32, variant, precision);
            String strategy = renderer.render(k, Runs.distinct(k)).strategy();
            boolean integers = i % 2 == 0;
            names.add(precision + " " + s + " variant " + variant + " " + strategy);
            String type = precision == Precision.BFLOAT16 ? "bf16" : "tf32";
            assertTrue(strategy.contains(type), names.getLast());
            List<double[]> inputs = new ArrayList<>();
            for (int p = 0; p < 3; p++) {
              long n = k.params().get(p).elements();
              inputs.add(
                  integers
                      ? random.ints(n, -3, 4).asDoubleStream().toArray()
                      : random.doubles(n, -1, 1).map(v -> (float) v).toArray());
            }
            cases.add(new Runs.Case(k, Runs.distinct(k), inputs));
            // Of the sum of the terms' absolute values, which is below 4 k here.
            double each =
                switch (precision) {
                  case BFLOAT16 -> 0x1p-7;
                  case DEFAULT -> 0x1p-10;
                  case HIGH, HIGHEST -> 0x1p-20;
                };
            tolerances.add(integers ? 0 : 4 * s.k() * each);
          }
        }
      }
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> actual = Runs.run(cl, cases, s -> ((Tunable) cl).compile(s, tuning));
      double rounding = 0;
      double coarse = 0;
      for (int i = 0; i < names.size(); i++) {
        double worst = 0;
        for (int j = 0; j < expected.get(i).length; j++) {
          worst = Math.max(worst, Math.abs(expected.get(i)[j] - actual.get(i)[j]));
        }
        assertTrue(worst <= tolerances.get(i), names.get(i) + ": error " + worst);
        rounding = names.get(i).startsWith("default") ? Math.max(rounding, worst) : rounding;
        coarse = names.get(i).startsWith("bfloat16") ? Math.max(coarse, worst) : coarse;
      }
      assertTrue(rounding > 1e-4, "operands were not rounded to TF32: error " + rounding);
      assertTrue(coarse > 1e-3, "operands were not rounded to bfloat16: error " + coarse);
      for (String form : List.of("64x32x16", "128x128x16", "64x64x16", "64x128x32")) {
        assertTrue(names.stream().anyMatch(n -> n.contains(form)), form + " is not in " + names);
      }
    } finally {
      TestDevices.restore("tapedeck.opencl.tensor", before);
    }
  }

  /** Few results and a long k: in parts, with the rest of the kernel after their sum. */
  @Test
  void splitProductsAgreeWithInterpreter() {
    Random random = new Random(7);
    List<Shape> shapes =
        List.of(
            new Shape(1, 33, 20, 600, 1),
            new Shape(2, 16, 24, 512, 1),
            new Shape(1, 64, 64, 768, 3),
            new Shape(1, 20, 9, 1031, 1));
    try (Device cl = TestDevices.open("gpu");
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      Target real = ((OpenClDevice) cl).description().target();
      Target many =
          new Target(
              real.profile(),
              64,
              real.maxGroup(),
              real.localBytes(),
              real.vectorBytes(),
              real.fma32(),
              real.tensorCores());
      Tuning tuning =
          ((Tunable) cl).tuning().with(new Parameters(Template.PRODUCT_SPLIT, List.of(64, 8)));
      Tuning whole = tuning.with(new Parameters(Template.PRODUCT_SPLIT, List.of(64, 1)));
      List<Runs.Case> cases = new ArrayList<>();
      for (Shape s : shapes) {
        for (int variant = 0; variant < 8; variant++) {
          DType t = variant == 5 && cl.supports(DType.FLOAT64) ? DType.FLOAT64 : DType.FLOAT32;
          Kernel k = kernel(s, t, variant);
          List<double[]> inputs = new ArrayList<>();
          for (int p = 0; p < 3; p++) {
            inputs.add(random.ints(k.params().get(p).elements(), -3, 4).asDoubleStream().toArray());
          }
          cases.add(new Runs.Case(k, Runs.distinct(k), inputs));
        }
      }
      // The last shape's k is prime, so it stays whole.
      Schedule planned = Runs.schedule(cases);
      SplitProducts split = SplitProducts.of(planned, many, tuning);
      assertEquals(cases.size() + 24, split.schedule().launches().size());
      assertEquals(
          cases.size(), SplitProducts.of(planned, many, whole).schedule().launches().size());
      System.setProperty("tapedeck.opencl.split", "off");
      assertEquals(
          cases.size(), SplitProducts.of(planned, many, tuning).schedule().launches().size());
      System.clearProperty("tapedeck.opencl.split");
      List<double[]> expected = Runs.run(oracle, cases);
      List<double[]> actual =
          Runs.run(
              cl,
              cases,
              s -> ((Tunable) cl).compile(SplitProducts.of(s, many, tuning).schedule(), whole));
      for (int i = 0; i < cases.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i), shapes.get(i / 8) + " variant " + i % 8);
      }
    }
  }

  /** The device itself splits where it has more compute units than tiles. */
  @Test
  void aSplitLaunchIsOneForProfiles() {
    String before = System.getProperty("tapedeck.opencl.profiling");
    System.setProperty("tapedeck.opencl.profiling", "on");
    try (Device cl = TestDevices.open("gpu")) {
      Assumptions.assumeTrue(
          cl.info().computeUnits() > 1, "not tested, the device has one compute unit");
      Kernel k = product(32, 32, 4096, 4);
      Schedule s = Runs.schedule(List.of(new Runs.Case(k, Runs.distinct(k), List.of())));
      assertEquals(2, ((Tunable) cl).kernels(s, ((Tunable) cl).tuning()).size());
      Runs.Case c =
          new Runs.Case(
              k,
              Runs.distinct(k),
              List.of(new double[32 * 4096], new double[32 * 4096], new double[32]));
      List<Profiled.KernelTime> times = new ArrayList<>();
      Runs.run(
          cl,
          List.of(c),
          x -> {
            Executable e = cl.compile(x);
            return new Executable() {
              @Override
              public void run(List<Buffer> inputs, List<Buffer> outputs) {
                e.run(inputs, outputs);
                times.addAll(((Profiled) e).kernelTimes());
              }

              @Override
              public void close() {
                e.close();
              }
            };
          });
      assertEquals(1, times.size());
      assertTrue(times.getFirst().endNanos() > times.getFirst().startNanos());
    } finally {
      TestDevices.restore("tapedeck.opencl.profiling", before);
    }
  }
}
