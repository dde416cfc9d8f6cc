package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Elementwise kernels that begin in scalar code and go on in vectors. */
class TieredLoopsTest {
  private static final int N = 5003;
  private static final Set<ScalarOp> BITWISE =
      EnumSet.of(
          ScalarOp.AND,
          ScalarOp.OR,
          ScalarOp.XOR,
          ScalarOp.NOT,
          ScalarOp.SHL,
          ScalarOp.SHR,
          ScalarOp.UMULHI);
  private static final Set<ScalarOp> NUMBERS =
      EnumSet.of(
          ScalarOp.ADD,
          ScalarOp.SUB,
          ScalarOp.MUL,
          ScalarOp.DIV,
          ScalarOp.REM,
          ScalarOp.MIN,
          ScalarOp.MAX,
          ScalarOp.NEG,
          ScalarOp.ABS,
          ScalarOp.SIGN,
          ScalarOp.LT,
          ScalarOp.LE,
          ScalarOp.EQ,
          ScalarOp.NE,
          ScalarOp.SELECT,
          ScalarOp.CAST);
  private static final double[] SPECIAL = {
    0,
    -0.0,
    1,
    -1,
    0.5,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    1e-42,
    1e30,
    -1e30,
    88.7,
    -88,
    -103,
    104,
    710,
    -745,
    1e-7,
    2.5,
    -3.5
  };

  private static final Loop LOOP = new Loop(0, N);

  private static Expr load(int param, DType t) {
    return new Expr.Load(param, t, Index.of(LOOP));
  }

  /** One instruction on two parameters of a type. */
  private static Kernel kernel(ScalarOp op, DType in) {
    Expr x = load(0, in);
    Expr y = load(1, in);
    boolean compares =
        switch (op) {
          case LT, LE, EQ, NE -> true;
          default -> false;
        };
    DType out = compares ? DType.BOOL : in;
    Expr value =
        switch (op) {
          case SELECT -> Expr.apply(op, in, Expr.apply(ScalarOp.LT, DType.BOOL, x, y), y, x);
          case CAST -> {
            out = in == DType.INT32 ? DType.FLOAT32 : DType.INT32;
            yield Expr.apply(op, out, x);
          }
          case SHL, SHR ->
              Expr.apply(
                  op, in, x, Expr.apply(ScalarOp.AND, in, y, Expr.constant(DType.INT32, 31)));
          default -> op.arity() == 1 ? Expr.apply(op, out, x) : Expr.apply(op, out, x, y);
        };
    return kernel(value, in);
  }

  private static Kernel kernel(Expr value, DType in) {
    List<Kernel.Param> params =
        List.of(
            new Kernel.Param(in, N, true, false),
            new Kernel.Param(in, N, true, false),
            new Kernel.Param(value.dtype(), N, false, true));
    Phase emit = new Phase.Emit(List.of(), List.of(new Phase.Store(2, Index.of(LOOP), value)));
    return new Kernel(params, List.of(LOOP), List.of(emit), Optional.empty());
  }

  private static byte[] data(DType t, long seed) {
    Random r = new Random(seed);
    byte[] bytes = new byte[N * t.bytes()];
    MemorySegment m = MemorySegment.ofArray(bytes);
    for (int i = 0; i < N; i++) {
      double v =
          r.nextInt(4) == 0
              ? SPECIAL[r.nextInt(SPECIAL.length)]
              : r.nextGaussian() * Math.exp(6 * r.nextGaussian());
      switch (t) {
        case FLOAT32 -> m.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, (float) v);
        case FLOAT64 -> m.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i, v);
        case INT32 -> m.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, r.nextInt());
        case BOOL -> bytes[i] = (byte) r.nextInt(2);
      }
    }
    return bytes;
  }

  /** Buffers of a kernel outside of the heap. */
  private static final class Memory implements AutoCloseable {
    final Arena arena = Arena.ofConfined();
    final long[] addresses;
    final MemorySegment result;

    Memory(Kernel k, DType in) {
      List<MemorySegment> all = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Kernel.Param p = k.params().get(i);
        MemorySegment m = arena.allocate(p.elements() * p.dtype().bytes() + 64, 64);
        if (i < 2) {
          m.copyFrom(MemorySegment.ofArray(data(in, 7 + i)));
        }
        all.add(m);
      }
      addresses = all.stream().mapToLong(MemorySegment::address).toArray();
      result = all.get(2).asSlice(0, k.params().get(2).dtype().bytes() * (long) N);
    }

    byte[] run(CpuKernel k, WorkerPool pool) {
      result.fill((byte) 0x5a);
      k.run(pool, addresses);
      return result.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /** Contents with all NaNs alike. */
  private static byte[] canonical(byte[] bytes, DType t) {
    MemorySegment m = MemorySegment.ofArray(bytes);
    for (int i = 0; t.isFloat() && i < bytes.length / t.bytes(); i++) {
      if (t == DType.FLOAT32) {
        float v = m.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
        m.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, Float.floatToIntBits(v));
      } else {
        double v = m.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i);
        m.set(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i, Double.doubleToLongBits(v));
      }
    }
    return bytes;
  }

  @ParameterizedTest
  @EnumSource(ScalarOp.class)
  void scalarAndVectorCodeGiveTheSameBits(ScalarOp op) {
    for (DType t : List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32)) {
      if (t.isFloat() ? BITWISE.contains(op) : !(BITWISE.contains(op) || NUMBERS.contains(op))) {
        continue;
      }
      Kernel k = kernel(op, t);
      DType out = k.params().get(2).dtype();
      try (WorkerPool pool = new WorkerPool(1);
          Memory memory = new Memory(k, t)) {
        byte[] scalar =
            memory.run(
                new CpuKernel.Loops(k, KernelGen.generate(k, KernelGen.Code.SCALARS), 1), pool);
        byte[] vectors =
            memory.run(
                new CpuKernel.Loops(k, KernelGen.generate(k, KernelGen.Code.VECTORS), 1), pool);
        assertArrayEquals(canonical(scalar, out), canonical(vectors, out), () -> op + " " + t);
      }
    }
  }

  @Test
  void vectorsTakeOverAndNothingChanges() {
    Expr x = load(0, DType.FLOAT32);
    Expr value = x;
    for (int i = 0; i < 6; i++) {
      value = Expr.apply(ScalarOp.TANH, DType.FLOAT32, value);
      value =
          Expr.apply(ScalarOp.ADD, DType.FLOAT32, value, Expr.constant(DType.FLOAT32, 0.125 * i));
    }
    Kernel k = kernel(value, DType.FLOAT32);
    assertTrue(TieredLoops.suits(k));
    for (int threads : new int[] {1, 3}) {
      TieredLoops tiered = new TieredLoops(k, 1L << 40);
      try (WorkerPool pool = new WorkerPool(threads);
          Memory memory = new Memory(k, DType.FLOAT32)) {
        byte[] first = memory.run(tiered, pool);
        assertFalse(tiered.isReady(), "vector code is not made for one run");
        for (int i = 0; i < 60_000 && !tiered.isReady(); i++) {
          assertTrue(Arrays.equals(first, memory.run(tiered, pool)));
        }
        assertTrue(tiered.isReady(), "vector code took over");
        assertTrue(Arrays.equals(first, memory.run(tiered, pool)));
      }
    }
  }

  @Test
  void rowsInScalarsHaveTheBitsOfVectors() {
    int[] lengths = {4, 5, 16, 67, 128, 130, 700, 1500, 4099};
    Random random = new Random(11);
    for (int i = 0; i < 60; i++) {
      DType t = i % 3 == 2 ? DType.FLOAT64 : DType.FLOAT32;
      int n = lengths[i % lengths.length];
      Kernel k = RowFormsTest.rows(random, 1 + random.nextInt(6), n, t);
      assertEquals(Optional.of(KernelGen.Code.LANES), KernelGen.twin(k));
      List<byte[]> data = Runs.data(k, i);
      List<byte[]> scalar = Runs.run(code(k, KernelGen.Code.LANES), k, data);
      List<byte[]> vectors = Runs.run(code(k, KernelGen.Code.VECTORS), k, data);
      for (int p = 0; p < scalar.size(); p++) {
        assertArrayEquals(vectors.get(p), scalar.get(p), "kernel " + i + ", parameter " + p);
      }
    }
  }

  private static CpuKernel code(Kernel k, KernelGen.Code with) {
    return new CpuKernel.Loops(k, KernelGen.generate(k, with), 1);
  }

  /** Of all forms: columns, rows, short rows, transposed operands, several outer loops. */
  @Test
  void scalarTwinsOfRandomKernelsHaveTheBitsOfVectors() {
    Set<KernelGen.Code> seen = EnumSet.noneOf(KernelGen.Code.class);
    for (long seed = 0; seed < 400; seed++) {
      Kernel k = RandomKernels.make(seed);
      Optional<KernelGen.Code> twin = KernelGen.twin(k);
      if (twin.isPresent()) {
        seen.add(twin.get());
        List<byte[]> data = Runs.data(k, seed);
        sameBits("seed " + seed, k, twin.get(), data);
      }
    }
    assertEquals(EnumSet.of(KernelGen.Code.SCALARS, KernelGen.Code.LANES), seen);
  }

  @Test
  void scalarTwinsOfShortRowsHaveTheBitsOfVectors() {
    for (long d : new long[] {8, 17, 20, 50}) {
      for (DType t : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
        Kernel k = ShortRowsTest.distances(t, 7, 25, d);
        sameBits(t + " " + d, k, KernelGen.twin(k).orElseThrow(), Runs.data(k, d));
      }
    }
  }

  private static void sameBits(String what, Kernel k, KernelGen.Code twin, List<byte[]> data) {
    List<byte[]> scalar = Runs.run(code(k, twin), k, data);
    List<byte[]> vectors = Runs.run(code(k, KernelGen.Code.VECTORS), k, data);
    for (int p = 0; p < scalar.size(); p++) {
      DType t = k.params().get(p).dtype();
      assertArrayEquals(
          canonical(vectors.get(p), t),
          canonical(scalar.get(p), t),
          what + " " + twin + ", parameter " + p);
    }
  }

  /** A unit of vector code is any part of the grid, and is one part in scalar code too. */
  @Test
  void unitsOfVectorsCoverEveryPointOnce() {
    for (long seed = 0; seed < 400; seed++) {
      Kernel k = RandomKernels.make(seed);
      WorkUnits work = KernelGen.generate(k, KernelGen.Code.VECTORS).work();
      int[] times = new int[Math.toIntExact(k.points())];
      long points = 0;
      for (long unit = 0; unit < work.count(); unit++) {
        work.forEach(
            unit,
            (from, to) -> {
              for (long p = from; p < to; p++) {
                times[(int) p]++;
              }
            });
        points += work.points(unit);
      }
      assertEquals(k.points(), points, "seed " + seed);
      assertTrue(Arrays.stream(times).allMatch(n -> n == 1), "seed " + seed);
    }
  }

  /** While vectors are tried, some units are theirs and others are done in scalar code. */
  @Test
  void aUnitIsTheSamePartInBothKindsOfCode() {
    for (long seed = 0; seed < 400; seed++) {
      Kernel k = RandomKernels.make(seed);
      Optional<KernelGen.Code> twin = KernelGen.twin(k);
      KernelGen.Generated vectors = KernelGen.generate(k, KernelGen.Code.VECTORS);
      long units = vectors.units();
      if (twin.isEmpty() || units == 1) {
        continue;
      }
      KernelGen.Generated scalar = KernelGen.generate(k, twin.get());
      List<byte[]> data = Runs.data(k, seed);
      for (long unit : new long[] {0, 1, units / 2, units - 1}) {
        long scratch = Scratch.get(Math.max(vectors.scratchBytes(), scalar.scratchBytes()));
        List<byte[]> a =
            Runs.run(data, at -> vectors.code().run(at, unit, unit + 1, scratch, null));
        List<byte[]> b =
            Runs.run(
                data,
                at ->
                    vectors
                        .work()
                        .forEach(unit, (p, end) -> scalar.code().run(at, p, end, scratch, null)));
        for (int p = 0; p < data.size(); p++) {
          DType t = k.params().get(p).dtype();
          assertArrayEquals(
              canonical(a.get(p), t),
              canonical(b.get(p), t),
              "seed " + seed + ", unit " + unit + " of " + units + ", parameter " + p);
        }
      }
    }
  }

  @Test
  void scattersAreNotTiered() {
    Kernel flat = kernel(ScalarOp.ADD, DType.FLOAT32);
    assertTrue(TieredLoops.suits(flat));
    Phase.Emit emit = (Phase.Emit) flat.phases().getFirst();
    Kernel scatter =
        new Kernel(
            flat.params(),
            flat.grid(),
            List.of(new Phase.ScatterAdd(List.of(), List.of(), emit.stores().getFirst())),
            flat.contraction());
    assertFalse(TieredLoops.suits(scatter));
    assertInstanceOf(CpuKernel.Loops.class, CpuKernel.compile(scatter, "scatter", true));
  }
}
