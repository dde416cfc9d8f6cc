package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
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
                List.of(new Phase.Store(2, out, add(new Expr.Acc(0, T), Expr.constant(T, 1))))));
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
    for (boolean gpu : new boolean[] {false, true}) {
      Kernels kernels = new Kernels(new Target(gpu, 2, 256, 1 << 18));
      String form = kernels.get(kernel).kernel().form();
      assertTrue(form.startsWith("product"), form);
      float[] z = run(kernel, kernels, x, y);
      for (int e = 0; e < z.length; e++) {
        int ib = e / (m * n);
        int im = e / n % m;
        int in = e % n;
        double expected = 1;
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
    Kernels kernels = new Kernels(new Target(false, 2, 256, 1 << 18));
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
}
