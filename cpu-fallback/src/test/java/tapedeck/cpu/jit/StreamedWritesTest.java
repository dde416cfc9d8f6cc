package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.run.TensorScope;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/** Results that are written around the caches. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class StreamedWritesTest {
  private static final DType F32 = DType.FLOAT32;

  /** One loop and a store of the negative of each element. */
  private static Kernel negative(List<Loop> grid, Index from, Index to, long elements) {
    Expr x = new Expr.Load(0, F32, from);
    return new Kernel(
        List.of(
            new Kernel.Param(F32, elements, true, false),
            new Kernel.Param(F32, elements, false, true)),
        grid,
        List.of(
            new Phase.Emit(
                List.of(), List.of(new Phase.Store(1, to, Expr.apply(ScalarOp.NEG, F32, x))))),
        Optional.empty());
  }

  private static StreamedWrites streams(Kernel k, long large) {
    return StreamedWrites.of(k, KernelGen.generate(k, KernelGen.Code.VECTORS).work(), large);
  }

  private static void compare(String what, Kernel k, long seed) {
    KernelGen.Generated g = KernelGen.generate(k, KernelGen.Code.VECTORS);
    StreamedWrites streams = StreamedWrites.of(k, g.work(), 0);
    assertNotNull(streams, what);
    List<byte[]> data = Runs.data(k, seed);
    List<byte[]> plain = Runs.run(new CpuKernel.Loops(k, g, 1, null), k, data);
    List<byte[]> streamed = Runs.run(new CpuKernel.Loops(k, g, 1, streams), k, data);
    for (int p = 0; p < data.size(); p++) {
      assertArrayEquals(plain.get(p), streamed.get(p), what + " parameter " + p);
    }
  }

  @Test
  void randomKernelsHaveTheSameBits() {
    Set<KernelGen.Mode> seen = new TreeSet<>();
    int tried = 0;
    for (long seed = 0; seed < 400; seed++) {
      Kernel k = RandomKernels.make(seed);
      if (streams(k, 0) != null) {
        compare("seed " + seed, k, seed);
        seen.add(new KernelShape(k).mode(4));
        tried++;
      }
    }
    assertEquals(Set.of(KernelGen.Mode.values()), seen, "forms of kernels that were tested");
    assertTrue(tried > 50, tried + " kernels");
  }

  @Test
  void longAndShortRowsAndSeveralResults() {
    for (long d : new long[] {2, 5, 20, 50}) {
      compare("rows of " + d, ShortRowsTest.distances(F32, 40, 700, d), d);
    }
    for (long columns : new long[] {5, 113, 4096, 4097, 10_000}) {
      Loop i = new Loop(0, 123);
      Loop j = new Loop(1, columns);
      Index at = Index.of(i).times(columns).plus(Index.of(j));
      compare(columns + " columns", negative(List.of(i, j), at, at, 123 * columns), columns);
    }
  }

  @Test
  void whatIsSmallOrReadOrNotInOrderIsLeftAlone() {
    Loop i = new Loop(0, 64);
    Loop j = new Loop(1, 128);
    Index rows = Index.of(i).times(128).plus(Index.of(j));
    Index columns = Index.of(j).times(64).plus(Index.of(i));
    Kernel inOrder = negative(List.of(i, j), rows, rows, 64 * 128);
    assertNotNull(streams(inOrder, 64 * 128 * 4));
    assertNull(streams(inOrder, 64 * 128 * 4 + 1), "small");
    assertNull(streams(negative(List.of(i, j), rows, columns, 64 * 128), 0), "turned");
    Index halves = rows.times(2);
    assertNull(streams(negative(List.of(i, j), rows, halves, 2 * 64 * 128), 0), "gaps");
    Kernel updated =
        new Kernel(
            List.of(new Kernel.Param(F32, 64 * 128, true, true)),
            List.of(i, j),
            List.of(
                new Phase.Emit(
                    List.of(),
                    List.of(
                        new Phase.Store(
                            0, rows, Expr.apply(ScalarOp.NEG, F32, new Expr.Load(0, F32, rows)))))),
            Optional.empty());
    assertNull(streams(updated, 0), "read");
  }

  @Test
  void whatIsReadAgainOrInThePlaceOfAnOperandIsWrittenAsUsual() {
    StreamedWrites s = streams(ShortRowsTest.distances(F32, 40, 700, 20), 0);
    assertNotNull(s);
    assertEquals(List.of(3, 4), s.targets().stream().map(StreamedWrites.Target::param).toList());
    long[] apart = {4096, 8192, 16384, 65536, 131072};
    assertSame(s, s.in(apart, null));
    assertSame(s, s.in(apart, new boolean[] {false, false, false, true, true}));
    StreamedWrites last = s.in(apart, new boolean[] {false, false, false, false, true});
    assertNotNull(last);
    assertEquals(List.of(s.targets().get(1)), last.targets());
    assertNull(s.in(apart, new boolean[5]));
    StreamedWrites first = s.in(new long[] {4096, 8192, 16384, 65536, 16384}, null);
    assertNotNull(first);
    assertEquals(List.of(s.targets().get(0)), first.targets());
  }

  /** Through a device, with a value that is a result and an operand too. */
  @Test
  void largeResultsOfASchedule() {
    int n = (int) (StreamedWrites.LARGE / Float.BYTES) + 12_345;
    Fn1<Tensor, List<Tensor>> f =
        t -> {
          Tensor y = t.mul(3).add(1);
          return List.of(y, y.sum(), y.neg());
        };
    Ad.onDevice(
        "cpu",
        () -> {
          try (TensorScope _ = Ad.scope()) {
            Tensor x = Tensor.arange(DType.INT32, n).rem(1000).cast(F32);
            List<Tensor> r = Ad.jit(f).apply(x);
            double sum = 0;
            double[] y = r.get(0).toDoubleArray();
            double[] negative = r.get(2).toDoubleArray();
            for (int i = 0; i < n; i++) {
              assertEquals(3 * (i % 1000) + 1, y[i]);
              assertEquals(-y[i], negative[i]);
              sum += y[i];
            }
            assertEquals(sum, r.get(1).item(), 1e-5 * sum);
          }
          return null;
        });
  }
}
