package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
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
import tapedeck.tornado.render.Target;

/** The forms of products and reductions, those for GPUs too, on whatever device there is. */
class FormsTest {
  private static final DType T = DType.FLOAT32;
  private TapedeckDevice device;

  @BeforeEach
  void open() {
    BackendProvider.Discovery found = new TornadoProvider().discover();
    Assumptions.assumeFalse(
        found.devices().isEmpty(), () -> "not tested, no TornadoVM: " + found.rejections());
    device = (TapedeckDevice) found.devices().getFirst().open();
  }

  @AfterEach
  void close() {
    if (device != null) {
      device.close();
    }
  }

  private static Target target(boolean gpu, boolean extended, int vectorBytes, long small) {
    return new Target(gpu, extended, extended, vectorBytes, 2, 256, 1 << 18, small);
  }

  private static Index at(Loop row, Loop column, long stride, boolean transposed) {
    return transposed
        ? Index.of(column).times(stride).plus(Index.of(row))
        : Index.of(row).times(stride).plus(Index.of(column));
  }

  private static Expr add(Expr a, Expr b) {
    return Expr.apply(ScalarOp.ADD, T, a, b);
  }

  /** A kernel with two operands and a result. */
  private static Schedule schedule(Kernel k) {
    return new Schedule(
        List.of(
            new Schedule.Slot(T, k.params().get(0).elements(), new Schedule.Place.Input(0)),
            new Schedule.Slot(T, k.params().get(1).elements(), new Schedule.Place.Input(1)),
            new Schedule.Slot(T, k.params().get(2).elements(), new Schedule.Place.Output(0))),
        List.of(new Schedule.Launch(k, "test", "", List.of(0, 1, 2))),
        List.of(0, 1),
        List.of(2),
        0,
        0);
  }

  private static Kernel kernel(
      long a, long b, long out, List<Loop> grid, List<Phase> phases, Contraction c) {
    return new Kernel(
        List.of(
            new Kernel.Param(T, a, true, false),
            new Kernel.Param(T, b, true, false),
            new Kernel.Param(T, out, false, true)),
        grid,
        phases,
        Optional.ofNullable(c));
  }

  private static float[] values(int n, int seed) {
    float[] v = new float[n];
    for (int i = 0; i < n; i++) {
      v[i] = ((i * 37 + seed * 11) % 23 - 11) / 8f;
    }
    return v;
  }

  private float[] run(Kernel k, Kernels kernels, float[] a, float[] b) {
    float[] back = new float[(int) k.params().get(2).elements()];
    try (Executable x = TornadoExecutable.compile(device, schedule(k), kernels::get);
        Buffer p = device.allocate(4L * a.length);
        Buffer q = device.allocate(4L * b.length);
        Buffer r = device.allocate(4L * back.length)) {
      device.write(p, MemorySegment.ofArray(a));
      device.write(q, MemorySegment.ofArray(b));
      x.run(List.of(p, q), List.of(r));
      device.read(r, MemorySegment.ofArray(back));
    }
    return back;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 64, 128, 256, false, false",
    "1, 67, 45, 141, false, false",
    "1, 67, 45, 141, true, false",
    "1, 66, 131, 35, false, true",
    "3, 18, 20, 130, true, true",
    "1, 700, 10, 8, false, false",
  })
  void productsAreRightInBothForms(int b, int m, int n, int k, boolean lt, boolean rt) {
    Loop lb = new Loop(0, b);
    Loop lm = new Loop(1, m);
    Loop ln = new Loop(2, n);
    Loop lk = new Loop(3, k);
    Expr left =
        new Expr.Load(0, T, at(lm, lk, lt ? m : k, lt).plus(Index.of(lb).times((long) m * k)));
    Expr right =
        new Expr.Load(1, T, at(lk, ln, rt ? k : n, rt).plus(Index.of(lb).times((long) k * n)));
    Index out = at(lm, ln, n, false).plus(Index.of(lb).times((long) m * n));
    Expr sum = Expr.apply(ScalarOp.MUL, T, left, right);
    List<Phase> phases =
        List.of(
            new Phase.Reduce(List.of(lk), List.of(new Phase.Accumulator(0, Reducer.SUM, T, sum))),
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        2, out, add(new Expr.Acc(0, T), new Expr.Load(1, T, Index.of(ln)))))));
    Kernel kernel =
        kernel(
            (long) b * m * k,
            (long) b * k * n,
            (long) b * m * n,
            List.of(lb, lm, ln),
            phases,
            new Contraction(
                List.of(lb),
                List.of(lm),
                List.of(ln),
                List.of(lk),
                left,
                right,
                Precision.HIGHEST));
    float[] x = values(b * m * k, 1);
    float[] y = values(b * k * n, 2);
    boolean extended = device.target().extended();
    for (Target target :
        List.of(
            target(false, false, 64, Target.SMALL),
            target(false, extended, 64, Target.SMALL),
            target(false, extended, 32, Target.SMALL),
            target(false, extended, 16, Target.SMALL),
            target(true, extended, 16, Target.SMALL))) {
      Kernels kernels = new Kernels(target);
      String form = kernels.get(kernel).kernel().form();
      assertTrue(form.startsWith("product"), form);
      float[] z = run(kernel, kernels, x, y);
      for (int e = 0; e < z.length; e++) {
        int ib = e / (m * n);
        int im = e / n % m;
        int in = e % n;
        double expected = y[in];
        for (int ik = 0; ik < k; ik++) {
          double p = x[ib * m * k + (lt ? ik * m + im : im * k + ik)];
          double q = y[ib * k * n + (rt ? in * k + ik : ik * n + in)];
          expected += p * q;
        }
        assertEquals(expected, z[e], 1e-3, form + ", element " + e);
      }
    }
  }

  @Test
  void columnsAreReducedSideBySide() {
    int rows = 33;
    int columns = 301;
    Loop lm = new Loop(0, rows);
    Loop ln = new Loop(1, columns);
    Expr load = new Expr.Load(0, T, at(lm, ln, columns, false));
    List<Phase> phases =
        List.of(
            new Phase.Reduce(
                List.of(lm),
                List.of(
                    new Phase.Accumulator(0, Reducer.SUM, T, load),
                    new Phase.Accumulator(1, Reducer.MAX, T, load))),
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        2,
                        Index.of(ln),
                        add(
                            add(new Expr.Acc(0, T), new Expr.Acc(1, T)),
                            new Expr.Load(1, T, Index.of(ln)))))));
    Kernel k = kernel((long) rows * columns, columns, columns, List.of(ln), phases, null);
    Kernels kernels = new Kernels(target(false, device.target().extended(), 64, Target.SMALL));
    assertTrue(kernels.get(k).kernel().form().startsWith("columns"));
    float[] x = values(rows * columns, 1);
    float[] y = values(columns, 2);
    float[] z = run(k, kernels, x, y);
    for (int j = 0; j < columns; j++) {
      float sum = 0;
      float max = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < rows; i++) {
        sum += x[i * columns + j];
        max = Math.max(max, x[i * columns + j]);
      }
      assertEquals(sum + max + y[j], z[j], 1e-4, "column " + j);
    }
  }

  @ParameterizedTest
  @CsvSource({"31", "32", "77", "1000"})
  void longRowsAreReducedInChains(int n) {
    int rows = 3;
    Loop lm = new Loop(0, rows);
    Loop ln = new Loop(1, n);
    Expr load = new Expr.Load(0, T, at(lm, ln, n, false));
    List<Phase> phases =
        List.of(
            new Phase.Reduce(List.of(ln), List.of(new Phase.Accumulator(0, Reducer.SUM, T, load))),
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        2,
                        Index.of(lm),
                        add(new Expr.Acc(0, T), new Expr.Load(1, T, Index.of(lm)))))));
    Kernel k = kernel((long) rows * n, rows, rows, List.of(lm), phases, null);
    float[] x = values(rows * n, 1);
    float[] y = values(rows, 2);
    float[] z = run(k, device.kernels(), x, y);
    for (int i = 0; i < rows; i++) {
      double sum = y[i];
      for (int j = 0; j < n; j++) {
        sum += x[i * n + j];
      }
      assertEquals(sum, z[i], 1e-3, "row " + i);
    }
  }

  /** z[i, j] = sum over k of x[i, k] + max over k of x[i, k] + y[i], and y's row after it. */
  @ParameterizedTest
  @CsvSource({"5, 33", "3, 64", "2, 1000", "1, 4097"})
  void rowsAreReducedByGroups(int rows, int n) {
    Loop lm = new Loop(0, rows);
    Loop ln = new Loop(1, n);
    Loop le = new Loop(2, n);
    Expr load = new Expr.Load(0, T, at(lm, ln, n, false));
    Expr sum = add(new Expr.Acc(0, T), new Expr.Acc(1, T));
    List<Phase> phases =
        List.of(
            new Phase.Reduce(List.of(ln), List.of(new Phase.Accumulator(1, Reducer.MAX, T, load))),
            new Phase.Reduce(
                List.of(ln),
                List.of(
                    new Phase.Accumulator(
                        0, Reducer.SUM, T, Expr.apply(ScalarOp.SUB, T, load, new Expr.Acc(1, T))))),
            new Phase.Emit(
                List.of(le),
                List.of(
                    new Phase.Store(
                        2,
                        at(lm, le, n, false),
                        add(sum, new Expr.Load(1, T, at(lm, le, n, false)))))));
    long size = (long) rows * n;
    Kernel k = kernel(size, size, size, List.of(lm), phases, null);
    Kernels kernels = new Kernels(target(true, device.target().extended(), 64, 1));
    assertTrue(kernels.get(k).kernel().form().startsWith("group"));
    float[] x = values(rows * n, 1);
    float[] y = values(rows * n, 2);
    float[] z = run(k, kernels, x, y);
    for (int i = 0; i < rows; i++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int j = 0; j < n; j++) {
        max = Math.max(max, x[i * n + j]);
      }
      double s = 0;
      for (int j = 0; j < n; j++) {
        s += x[i * n + j] - max;
      }
      for (int j = 0; j < n; j++) {
        assertEquals(s + max + y[i * n + j], z[i * n + j], 1e-2, "row " + i + ", column " + j);
      }
    }
  }

  /** Whole vectors, what is left over, rows that no vector fits, and reads out of order. */
  @ParameterizedTest
  @CsvSource({
    "1, 4096, 0, 0",
    "1, 1000, 0, 0",
    "1, 1003, 5, 0",
    "3, 256, 16, 0",
    "3, 100, 4, 8",
    "7, 77, 1, 3",
    "2, 515, 0, 1",
    "1, 3, 0, 0"
  })
  void elementsAreComputedInBlocks(int rows, int n, int before, int after) {
    Loop lm = new Loop(0, rows);
    Loop ln = new Loop(1, n);
    long stride = (long) before + n + after;
    Index inside = at(lm, ln, stride, false).plus(before);
    Expr x = new Expr.Load(0, T, inside);
    Expr back = new Expr.Load(0, T, Index.of(ln).times(-1).plus(n - 1));
    Expr row = new Expr.Load(1, T, Index.of(lm));
    Expr guarded =
        new Expr.Guarded(
            List.of(new Expr.Bound(Index.of(ln), 1, n)),
            new Expr.Load(0, T, inside.plus(-1)),
            Expr.constant(T, 2));
    List<Phase> phases =
        List.of(
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        2, inside, add(add(Expr.apply(ScalarOp.MUL, T, x, row), back), guarded)))));
    long size = rows * stride;
    Kernel k = kernel(size, rows, size, List.of(lm, ln), phases, null);
    Kernels kernels = new Kernels(target(false, device.target().extended(), 64, 1));
    assertTrue(kernels.get(k).kernel().form().startsWith("blocks"));
    float[] a = values((int) size, 1);
    float[] b = values(rows, 2);
    float[] z = run(k, kernels, a, b);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < n; j++) {
        int e = (int) (i * stride) + before + j;
        float g = j == 0 ? 2 : a[e - 1];
        assertEquals(a[e] * b[i] + a[n - 1 - j] + g, z[e], 1e-6, i + ", " + j);
      }
    }
  }

  /** The same bits as Java's, with vectors of any width and where they do not fit. */
  @ParameterizedTest
  @CsvSource({"1, 4096, 64", "3, 272, 64", "5, 80, 32", "7, 20, 16", "2, 1003, 64", "3, 100, 32"})
  void arithmeticIsComputedInVectors(int rows, int n, int vectorBytes) {
    Loop lm = new Loop(0, rows);
    Loop ln = new Loop(1, n);
    Index place = at(lm, ln, n, false);
    Expr x = new Expr.Load(0, T, place);
    Expr row = new Expr.Load(1, T, Index.of(lm));
    Expr root = Expr.apply(ScalarOp.SQRT, T, Expr.apply(ScalarOp.MUL, T, x, x));
    Expr quotient = Expr.apply(ScalarOp.DIV, T, row, add(root, Expr.constant(T, 0.3)));
    Expr value = Expr.apply(ScalarOp.SUB, T, Expr.apply(ScalarOp.NEG, T, x), quotient);
    Kernel k =
        kernel(
            (long) rows * n,
            rows,
            (long) rows * n,
            List.of(lm, ln),
            List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(2, place, value)))),
            null);
    Kernels kernels = new Kernels(target(false, device.target().extended(), vectorBytes, 1));
    int lanes = vectorBytes / Float.BYTES;
    String form = kernels.get(k).kernel().form();
    assertEquals(n % lanes == 0, form.endsWith("in vectors of " + lanes), form);
    float[] a = values(rows * n, 1);
    float[] special = {0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, -0.3f};
    System.arraycopy(special, 0, a, 0, special.length);
    float[] b = values(rows, 2);
    b[0] = 0;
    float[] z = run(k, kernels, a, b);
    for (int e = 0; e < z.length; e++) {
      float expected = -a[e] - b[e / n] / ((float) Math.sqrt(a[e] * a[e]) + 0.3f);
      assertEquals(expected, z[e], form + ", of " + a[e]);
    }
  }

  /** A device without fused multiply-add gets none, and no functions that rely on it. */
  @Test
  void fusedInstructionsAreLeftToDevicesThatHaveThem() {
    assertEquals(
        device.target().fused() ? "yes" : "no", device.info().details().get("fused multiply-add"));
    int n = 64;
    long size = 64 * 64;
    Loop lm = new Loop(0, n);
    Loop ln = new Loop(1, n);
    Loop lk = new Loop(2, n);
    Expr left = new Expr.Load(0, T, at(lm, lk, n, false));
    Expr right = new Expr.Load(1, T, at(lk, ln, n, false));
    Expr term = Expr.apply(ScalarOp.MUL, T, left, right);
    Expr value = Expr.apply(ScalarOp.TANH, T, new Expr.Acc(0, T));
    Kernel k =
        kernel(
            size,
            size,
            size,
            List.of(lm, ln),
            List.of(
                new Phase.Reduce(
                    List.of(lk), List.of(new Phase.Accumulator(0, Reducer.SUM, T, term))),
                new Phase.Emit(
                    List.of(), List.of(new Phase.Store(2, at(lm, ln, n, false), value)))),
            new Contraction(
                List.of(), List.of(lm), List.of(ln), List.of(lk), left, right, Precision.HIGHEST));
    float[] x = values(n * n, 1);
    float[] y = values(n * n, 2);
    boolean extended = device.target().extended();
    for (boolean fused : new boolean[] {true, false}) {
      Kernels kernels =
          new Kernels(new Target(false, extended, fused, 64, 2, 256, 1 << 18, Target.SMALL));
      String text = new String(kernels.get(k).kernel().classFile(), StandardCharsets.ISO_8859_1);
      assertEquals(fused && extended, text.contains("CpuMath"));
      float[] z = run(k, kernels, x, y);
      for (int e = 0; e < z.length; e++) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
          sum += (double) x[e / n * n + i] * y[i * n + e % n];
        }
        assertEquals(Math.tanh(sum), z[e], 1e-5, "element " + e);
      }
    }
  }

  /** What OpenCL's compiler is told of the width of vectors changes no bit. */
  @Test
  void wideVectorsGiveTheSameBits() {
    Loop l = new Loop(0, 5000);
    Expr x = new Expr.Load(0, T, Index.of(l));
    Expr y = new Expr.Load(1, T, Index.of(l));
    Expr value =
        add(
            Expr.apply(ScalarOp.LOG1P, T, Expr.apply(ScalarOp.EXP, T, x)),
            Expr.apply(ScalarOp.TANH, T, y));
    Phase store = new Phase.Emit(List.of(), List.of(new Phase.Store(2, Index.of(l), value)));
    Kernel k = kernel(5000, 5000, 5000, List.of(l), List.of(store), null);
    float[] a = values(5000, 1);
    float[] b = values(5000, 2);
    boolean pocl = device.info().details().get("platform").contains("Portable Computing");
    assertEquals(pocl && device.target().vectorBytes() == 64, isTold("tune="));
    assertEquals(pocl, isTold("aligned"));
    float[] told = run(k, device.kernels(), a, b);
    for (String setting : List.of("tapedeck.tornado.wide", "tapedeck.tornado.aligned")) {
      System.setProperty(setting, "off");
      try {
        assertFalse(isTold(setting.endsWith("wide") ? "tune=" : "aligned"));
        assertArrayEquals(run(k, device.kernels(), a, b), told);
      } finally {
        System.clearProperty(setting);
      }
    }
  }

  private boolean isTold(String flag) {
    return device.compilerFlags().orElse("").contains(flag);
  }

  /** Against float64, at special values too. */
  @Test
  void cpuFunctionsAreAccurate() {
    int n = 100_000;
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (i % 2 == 0 ? (i - n / 2) * 4e-4 : Math.pow(2, (i - n / 2.0) / 340));
    }
    float[] special = {
      0f,
      -0f,
      1f,
      -1f,
      9f,
      -9f,
      88f,
      -88f,
      1e-40f,
      -1e-40f,
      Float.MIN_VALUE,
      Float.MAX_VALUE,
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      0.70710677f,
      0.7071068f,
      1.4142135f,
      1.4142137f,
      0.99999994f,
      1.0000001f
    };
    System.arraycopy(special, 0, x, 0, special.length);
    // Powers: small ones, of which some are integers, and every pair of special values.
    float[] y = new float[n];
    for (int i = 0; i < n; i++) {
      y[i] = i % 3 == 0 ? i % 13 - 6 : (i % 1009 - 504) / 32f;
    }
    for (int i = 0; i < special.length * special.length; i++) {
      x[n / 2 + i] = special[i / special.length];
      y[n / 2 + i] = special[i % special.length];
    }
    Map<ScalarOp, DoubleBinaryOperator> functions = new EnumMap<>(ScalarOp.class);
    functions.put(ScalarOp.EXP, (a, b) -> Math.exp(a));
    functions.put(ScalarOp.EXPM1, (a, b) -> Math.expm1(a));
    functions.put(ScalarOp.LOG, (a, b) -> Math.log(a));
    functions.put(ScalarOp.LOG1P, (a, b) -> Math.log1p(a));
    functions.put(ScalarOp.SIGMOID, (a, b) -> 1 / (1 + Math.exp(-a)));
    functions.put(ScalarOp.TANH, (a, b) -> Math.tanh(a));
    functions.put(ScalarOp.SINH, (a, b) -> Math.sinh(a));
    functions.put(ScalarOp.COSH, (a, b) -> Math.cosh(a));
    functions.put(ScalarOp.SIN, (a, b) -> Math.sin(a));
    functions.put(ScalarOp.COS, (a, b) -> Math.cos(a));
    functions.put(ScalarOp.TAN, (a, b) -> Math.tan(a));
    // Where Java gives NaN, any power of 1 and infinite ones of -1 are 1.
    functions.put(
        ScalarOp.POW, (a, b) -> a == 1 || (a == -1 && Double.isInfinite(b)) ? 1 : Math.pow(a, b));
    boolean extended = device.target().extended();
    functions.forEach((op, f) -> functionIsAccurate(op, x, y, extended, f));
    // A formula without the extended instructions too.
    functionIsAccurate(ScalarOp.TANH, x, y, false, functions.get(ScalarOp.TANH));
  }

  /** TornadoVM cannot write a NaN that its compiler works out, so it must not get to know one. */
  @Test
  void functionsOfKnownOperandsMayBeNaN() {
    int n = 64;
    float[] x = values(n, 3);
    Loop l = new Loop(0, n);
    Expr a = new Expr.Load(0, T, Index.of(l));
    Expr negative = Expr.constant(T, -2);
    Expr broken = Expr.constant(T, 2.5);
    Map<Expr, DoubleUnaryOperator> some =
        Map.of(
            Expr.apply(ScalarOp.POW, T, a, broken), v -> Math.pow(v, 2.5),
            Expr.apply(ScalarOp.POW, T, negative, a), v -> Math.pow(-2, v),
            Expr.apply(ScalarOp.POW, T, negative, broken), v -> Double.NaN,
            Expr.apply(ScalarOp.LOG, T, negative), v -> Double.NaN,
            Expr.apply(ScalarOp.LOG1P, T, negative), v -> Double.NaN);
    some.forEach(
        (value, reference) -> {
          Phase store = new Phase.Emit(List.of(), List.of(new Phase.Store(2, Index.of(l), value)));
          Kernel k = kernel(n, n, n, List.of(l), List.of(store), null);
          for (boolean gpu : new boolean[] {false, true}) {
            Target t = target(gpu, device.target().extended(), 64, Target.SMALL);
            float[] z = run(k, new Kernels(t), x, x);
            for (int i = 0; i < n; i++) {
              isNear(reference.applyAsDouble(x[i]), z[i], value + " of " + x[i]);
            }
          }
        });
  }

  /** Bits and fused multiply-add, where the driver lets them in, are what Java says they are. */
  @Test
  void extendedInstructionsAreInstalledWhereTheDriverIsOpenCl() {
    boolean opencl = device.info().details().get("driver").equals("OPENCL");
    assertEquals(opencl, device.target().extended());
    assertEquals(opencl ? "yes" : "no", device.info().details().get("extended instructions"));
  }

  private void functionIsAccurate(
      ScalarOp op, float[] x, float[] y, boolean extended, DoubleBinaryOperator reference) {
    Loop l = new Loop(0, x.length);
    Expr a = new Expr.Load(0, T, Index.of(l));
    Expr b = new Expr.Load(1, T, Index.of(l));
    Expr value = op == ScalarOp.POW ? Expr.apply(op, T, a, b) : Expr.apply(op, T, a);
    List<Phase> phases =
        List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(2, Index.of(l), value))));
    Kernel k = kernel(x.length, y.length, x.length, List.of(l), phases, null);
    Kernels kernels = new Kernels(target(false, extended, 64, Target.SMALL));
    float[] z = run(k, kernels, x, y);
    for (int i = 0; i < x.length; i++) {
      String what = op + " of " + x[i] + (op == ScalarOp.POW ? " and " + y[i] : "");
      isNear(reference.applyAsDouble(x[i], y[i]), z[i], what);
    }
  }

  private static void isNear(double expected, float found, String what) {
    float exact = (float) expected;
    if (exact == 0 || Float.isNaN(exact) || Float.isInfinite(exact)) {
      assertEquals(exact, found, what);
    } else {
      assertEquals(exact, found, 6e-7 * Math.abs(exact) + 2 * Float.MIN_VALUE, what);
    }
  }
}
