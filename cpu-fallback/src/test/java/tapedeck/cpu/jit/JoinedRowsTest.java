package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn3;
import tapedeck.ad.JitFn3;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.run.TensorScope;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/** Functions that are applied to many short rows at once. */
class JoinedRowsTest extends KernelForms {
  @AfterEach
  void usual() {
    System.clearProperty(Settings.WITHOUT.key());
  }

  /** tanh(x + bias) and exp(x * weight of the row + table at (row, column) in steps of 7). */
  private static Kernel layer(DType t, long batch, long n, long columns) {
    Loop b = new Loop(0, batch);
    Loop i = new Loop(1, n);
    Loop j = new Loop(2, columns);
    Index row = Index.of(b).times(n).plus(Index.of(i));
    Index at = row.times(columns).plus(Index.of(j));
    Expr x = new Expr.Load(0, t, at);
    Expr bias = new Expr.Load(1, t, Index.of(b).times(columns).plus(Index.of(j)));
    Expr weight = new Expr.Load(2, t, row);
    Expr table = new Expr.Load(3, t, Index.of(i).times(7).plus(Index.of(j).times(3)));
    Expr scaled = Expr.apply(ScalarOp.MUL, t, x, weight);
    return new Kernel(
        List.of(
            new Kernel.Param(t, batch * n * columns, true, false),
            new Kernel.Param(t, batch * columns, true, false),
            new Kernel.Param(t, batch * n, true, false),
            new Kernel.Param(t, 7 * n + 3 * columns, true, false),
            new Kernel.Param(t, batch * n * columns, false, true),
            new Kernel.Param(t, batch * n * columns, false, true)),
        List.of(b, i, j),
        List.of(
            new Phase.Emit(
                List.of(),
                List.of(
                    new Phase.Store(
                        4, at, Expr.apply(ScalarOp.TANH, t, Expr.apply(ScalarOp.ADD, t, x, bias))),
                    new Phase.Store(
                        5,
                        at,
                        Expr.apply(ScalarOp.EXP, t, Expr.apply(ScalarOp.ADD, t, scaled, table)))))),
        Optional.empty());
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void resultsAreTheInterpretersAndTheSameBitsAsOfRowsApart(DType t) {
    for (long columns : new long[] {2, 3, 5, 8, 16, 17, 64, 200}) {
      long n = 5000 / columns + 3;
      Kernel k = layer(t, 2, n, columns);
      String what = t + " rows of " + columns;
      assertNotNull(JoinedRows.of(k, 512), what);
      List<byte[]> data = Runs.data(k, columns);
      List<byte[]> joined = Runs.run(code(k), k, data);
      Runs.compare(what, k, Runs.run(interp, k, data), joined);
      System.setProperty(Settings.WITHOUT.key(), Optimisation.JOINED_ROWS.label());
      assertNull(JoinedRows.of(k, 512));
      List<byte[]> apart = Runs.run(code(k), k, data);
      System.clearProperty(Settings.WITHOUT.key());
      for (int p = 4; p < 6; p++) {
        assertArrayEquals(apart.get(p), joined.get(p), what + " parameter " + p);
      }
    }
  }

  private static CpuKernel code(Kernel k) {
    return new CpuKernel.Loops(k, KernelGen.generate(k, KernelGen.Code.VECTORS), 1);
  }

  @Test
  void longRowsAndFewElementsAreLeftAlone() {
    assertNull(JoinedRows.of(layer(DType.FLOAT32, 2, 3000, 256), 512), "long");
    assertNull(JoinedRows.of(layer(DType.FLOAT32, 1, 100, 8), 512), "few");
    assertNull(
        JoinedRows.of(ShortRowsTest.distances(DType.FLOAT32, 300, 20, 8), 512), "a reduction");
  }

  @Test
  void anOperandIsSpreadAsItsPatternSays() {
    Random random = new Random(5);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment src = arena.allocate(8 * 4096, 64);
      for (int i = 0; i < src.byteSize(); i++) {
        src.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
      }
      MemorySegment dst = arena.allocate(8 * (600 + 64), 64);
      for (int trial = 0; trial < 3000; trial++) {
        long by = 1L + random.nextInt(random.nextBoolean() ? 9 : 300);
        long[][] kinds = {{0, 1}, {1, 0}, {3, 0}, {7, 2}, {2, 1}};
        long[] kind = kinds[random.nextInt(kinds.length)];
        long first = random.nextInt(600);
        int count = 1 + random.nextInt(512);
        int size = new int[] {1, 4, 8}[random.nextInt(3)];
        Woven.Pattern p = new Woven.Pattern(by, kind[0], kind[1]);
        long last = 0;
        for (int i = 0; i < count; i++) {
          last = Math.max(last, p.element(first + i));
        }
        if (last >= 4096) {
          continue;
        }
        JoinedRows.spread(src.address(), dst.address(), first, count, by, kind[0], kind[1], size);
        for (int i = 0; i < count; i++) {
          byte[] expected =
              src.asSlice(p.element(first + i) * size, size).toArray(ValueLayout.JAVA_BYTE);
          byte[] actual = dst.asSlice((long) i * size, size).toArray(ValueLayout.JAVA_BYTE);
          assertArrayEquals(expected, actual, p + " " + first + " " + count + " at " + i);
        }
      }
    }
  }

  private static Tensor layer(Tensor x, Tensor w, Tensor b) {
    return x.matmul(w).add(b).tanh();
  }

  @Test
  void aNarrowLayerIsAProductAndAFunctionOfManyRows() {
    Random random = new Random(9);
    for (DType t : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
      for (int[] s : new int[][] {{20_011, 16, 5}, {9000, 8, 2}, {70_001, 2, 3}, {5000, 96, 40}}) {
        double[] x = random.doubles((long) s[0] * s[2], -1, 1).toArray();
        double[] w = random.doubles((long) s[1] * s[2], -1, 1).toArray();
        double[] b = random.doubles(s[1], -1, 1).toArray();
        JitFn3<Tensor, Tensor, Tensor, Tensor> f =
            Ad.jit((Fn3<Tensor, Tensor, Tensor, Tensor>) JoinedRowsTest::layer);
        double[] y =
            Ad.onDevice(
                "cpu",
                () -> {
                  try (TensorScope _ = Ad.scope()) {
                    return f.apply(
                            Tensor.of(x, s[0], s[2]).cast(t),
                            Tensor.of(w, s[2], s[1]).cast(t),
                            Tensor.of(b, s[1]).cast(t))
                        .toDoubleArray();
                  }
                });
        assertNotNull(NarrowProduct.of(f.schedule().launches().getFirst().kernel()));
        for (int i = 0; i < s[0]; i++) {
          for (int j = 0; j < s[1]; j++) {
            double sum = b[j];
            for (int k = 0; k < s[2]; k++) {
              sum += x[i * s[2] + k] * w[k * s[1] + j];
            }
            assertEquals(Math.tanh(sum), y[i * s[1] + j], t == DType.FLOAT32 ? 2e-5 : 1e-13);
          }
        }
      }
    }
  }
}
