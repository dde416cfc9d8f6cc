package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.tornado.render.Uses;

/** Kernels of more buffers than a task may have. */
class SplitterTest {
  private static final int N = 5;

  /**
   * {@code out[o] = in[0] + 2 in[1] + ... + o} for every output; every third input is int32.
   *
   * @param donated how many outputs take the slot of an input, in place
   */
  private static Schedule sums(int inputs, int outputs, int donated) {
    Loop i = new Loop(0, N);
    List<Schedule.Slot> slots = new ArrayList<>();
    List<Kernel.Param> params = new ArrayList<>();
    Expr sum = Expr.constant(DType.FLOAT32, 0);
    for (int p = 0; p < inputs; p++) {
      DType t = type(p);
      params.add(new Kernel.Param(t, N, true, false));
      slots.add(new Schedule.Slot(t, N, new Schedule.Place.Input(p)));
      Expr v = new Expr.Load(p, t, Index.of(i));
      v = t == DType.FLOAT32 ? v : Expr.apply(ScalarOp.CAST, DType.FLOAT32, v);
      Expr scaled = Expr.apply(ScalarOp.MUL, DType.FLOAT32, v, Expr.constant(DType.FLOAT32, p + 1));
      sum = Expr.apply(ScalarOp.ADD, DType.FLOAT32, sum, scaled);
    }
    List<Phase.Store> stores = new ArrayList<>();
    List<Integer> bound = new ArrayList<>();
    List<Integer> results = new ArrayList<>();
    for (int p = 0; p < inputs; p++) {
      bound.add(p);
    }
    for (int o = 0; o < outputs; o++) {
      params.add(new Kernel.Param(DType.FLOAT32, N, false, true));
      int slot = o < donated ? 3 * o : slots.size();
      if (o >= donated) {
        slots.add(new Schedule.Slot(DType.FLOAT32, N, new Schedule.Place.Output(o)));
      }
      bound.add(slot);
      results.add(slot);
      stores.add(
          new Phase.Store(
              inputs + o,
              Index.of(i),
              Expr.apply(ScalarOp.ADD, DType.FLOAT32, sum, Expr.constant(DType.FLOAT32, o))));
    }
    Kernel k =
        new Kernel(
            params, List.of(i), List.of(new Phase.Emit(List.of(), stores)), Optional.empty());
    List<Integer> given = bound.subList(0, inputs);
    return new Schedule(
        slots, List.of(new Schedule.Launch(k, "sums", "", bound)), given, results, 0, 0);
  }

  private static DType type(int input) {
    return input % 3 == 1 ? DType.INT32 : DType.FLOAT32;
  }

  private static void check(int inputs, int outputs, int donated) {
    Schedule schedule = sums(inputs, outputs, donated);
    for (Schedule.Launch l : Splitter.split(schedule).launches()) {
      assertTrue(Uses.params(l.kernel()).size() <= Splitter.MOST_PARAMS, l.kernel().toString());
    }
    BackendProvider.Discovery found = new TornadoProvider().discover();
    Assumptions.assumeFalse(
        found.devices().isEmpty(), () -> "not tested, no TornadoVM: " + found.rejections());
    try (Device device = found.devices().getFirst().open();
        Executable x = device.compile(schedule)) {
      List<Buffer> in = new ArrayList<>();
      float[] sum = new float[N];
      for (int p = 0; p < inputs; p++) {
        Buffer b = device.allocate(4L * N);
        int[] whole = new int[N];
        float[] values = new float[N];
        for (int e = 0; e < N; e++) {
          whole[e] = (p * 7 + e * 3) % 11;
          values[e] = whole[e];
          sum[e] += values[e] * (p + 1);
        }
        device.write(
            b,
            type(p) == DType.INT32 ? MemorySegment.ofArray(whole) : MemorySegment.ofArray(values));
        in.add(b);
      }
      List<Buffer> out = new ArrayList<>();
      for (int o = 0; o < outputs; o++) {
        out.add(o < donated ? in.get(3 * o) : device.allocate(4L * N));
      }
      x.run(in, out);
      for (int o = 0; o < outputs; o++) {
        float[] back = new float[N];
        device.read(out.get(o), MemorySegment.ofArray(back));
        float[] expected = sum.clone();
        for (int e = 0; e < N; e++) {
          expected[e] += o;
        }
        assertArrayEquals(expected, back, "output " + o);
      }
    }
  }

  @Test
  void whatFitsStaysAsItIs() {
    Schedule s = sums(18, 1, 0);
    assertSame(s, Splitter.split(s));
  }

  @Test
  void oneValueOfManyBuffersReadsCopies() {
    Schedule s = Splitter.split(sums(40, 1, 0));
    assertEquals("sums", s.launches().getLast().label());
    check(40, 1, 0);
    check(19, 1, 0);
  }

  @Test
  void manyResultsAreSpreadOverKernels() {
    check(4, 40, 0);
  }

  @Test
  void manyOfBothInPlace() {
    check(30, 25, 8);
  }
}
