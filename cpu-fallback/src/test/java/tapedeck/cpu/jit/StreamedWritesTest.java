package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
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
  void aResultInThePlaceOfAnOperandIsWrittenAsUsual() {
    Loop i = new Loop(0, 5000);
    StreamedWrites s = streams(negative(List.of(i), Index.of(i), Index.of(i), 5000), 0);
    assertNotNull(s);
    assertTrue(s.suits(new long[] {4096, 65536}));
    assertFalse(s.suits(new long[] {4096, 4096}));
  }
}
