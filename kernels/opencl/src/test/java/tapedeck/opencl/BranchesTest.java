package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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
import tapedeck.ad.schedule.Schedule.Place;
import tapedeck.ad.type.DType;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Renderer;

/** Random graphs that overwrite their memory give the same bits on two queues. */
class BranchesTest {
  private static final DType F = DType.FLOAT32;
  private static final String SWITCH = "tapedeck.opencl.queues";
  private static final int ELEMENTS = 5000;
  private static final int SLOTS = 7;
  private static final int LAUNCHES = 40;

  /** out = a / 2 + b + c, so that the order of what is overwritten matters. */
  private static Kernel mix(double c) {
    Loop i = new Loop(0, ELEMENTS);
    Index at = Index.of(i);
    Expr half = Expr.apply(ScalarOp.MUL, F, new Expr.Load(0, F, at), Expr.constant(F, 0.5));
    Expr sum = Expr.apply(ScalarOp.ADD, F, half, new Expr.Load(1, F, at));
    Expr v = Expr.apply(ScalarOp.ADD, F, sum, Expr.constant(F, c));
    Kernel.Param read = new Kernel.Param(F, ELEMENTS, true, false);
    return new Kernel(
        List.of(read, read, new Kernel.Param(F, ELEMENTS, false, true)),
        List.of(i),
        List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(2, at, v)))),
        Optional.empty());
  }

  /** One input, one output and some arena slots that are written again and again. */
  private static Schedule random(long seed) {
    Random random = new Random(seed);
    long stride = (4L * ELEMENTS + Schedule.ALIGN - 1) / Schedule.ALIGN * Schedule.ALIGN;
    List<Schedule.Slot> slots = new ArrayList<>();
    slots.add(new Schedule.Slot(F, ELEMENTS, new Place.Input(0)));
    slots.add(new Schedule.Slot(F, ELEMENTS, new Place.Output(0)));
    for (int s = 0; s < SLOTS; s++) {
      slots.add(new Schedule.Slot(F, ELEMENTS, new Place.Arena(s * stride)));
    }
    List<Schedule.Launch> launches = new ArrayList<>();
    List<Integer> full = new ArrayList<>(List.of(0));
    for (int l = 0; l < LAUNCHES; l++) {
      int a = full.get(random.nextInt(full.size()));
      int b = full.get(random.nextInt(full.size()));
      int out = 2 + random.nextInt(SLOTS);
      while (out == a || out == b) {
        out = 2 + random.nextInt(SLOTS);
      }
      out = l == LAUNCHES - 1 ? 1 : out;
      launches.add(new Schedule.Launch(mix(l), "mix" + l, "", List.of(a, b, out)));
      if (!full.contains(out)) {
        full.add(out);
      }
    }
    return new Schedule(slots, launches, List.of(0), List.of(1), SLOTS * stride, SLOTS * stride);
  }

  private static OpenClDevice open(String queues) {
    String before = System.setProperty(SWITCH, queues);
    try {
      return (OpenClDevice) TestDevices.open("gpu");
    } finally {
      TestDevices.restore(SWITCH, before);
    }
  }

  /** The output after some runs, each of which starts from the output of the one before. */
  private static double[] run(Device d, Schedule s, int runs) {
    double[] start = new double[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) {
      start[i] = i % 97;
    }
    try (Executable e = d.compile(s);
        Buffer a = d.allocate(4L * ELEMENTS);
        Buffer b = d.allocate(4L * ELEMENTS)) {
      d.write(a, Runs.segment(F, start));
      for (int r = 0; r < runs; r++) {
        e.run(List.of(r % 2 == 0 ? a : b), List.of(r % 2 == 0 ? b : a));
      }
      return Runs.read(d, runs % 2 == 0 ? a : b, F, ELEMENTS);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void computesTheSameBits(long seed) {
    Schedule s = random(seed);
    try (Device two = open("2");
        Device oracle = new InterpProvider().discover().devices().getFirst().open()) {
      double[] expected = run(oracle, s, 5);
      for (int i = 0; i < 10; i++) {
        assertArrayEquals(expected, run(two, s, 5));
      }
      assertEquals(0, two.memory().liveBuffers());
    }
  }

  /** Whatever shares memory is on one queue or ordered by what waits for what. */
  @Test
  void everyDependenceIsKept() {
    int aside = 0;
    try (OpenClDevice device = open("1")) {
      Renderer renderer = new Renderer(device.description().target(), device.tuning());
      for (long seed = 1; seed <= 50; seed++) {
        Schedule s = random(seed);
        List<Dispatch> dispatches = renderer.dispatches(s, true);
        Branches b = Branches.of(s, dispatches);
        List<BitSet> before = new ArrayList<>();
        for (int i = 0; i < dispatches.size(); i++) {
          aside += b.second()[i] ? 1 : 0;
          BitSet done = new BitSet();
          for (int j = 0; j < i; j++) {
            if (b.second()[j] == b.second()[i] || b.awaits()[i] == j) {
              done.or(before.get(j));
              done.set(j);
            }
          }
          before.add(done);
          for (int j = 0; j < i; j++) {
            if (conflict(dispatches.get(i).slots(), dispatches.get(j).slots())) {
              assertTrue(done.get(j), "seed " + seed + ": " + i + " does not wait for " + j);
            }
          }
        }
      }
    }
    assertTrue(aside > 100, aside + " dispatches on the second queue");
  }

  private static boolean conflict(List<Integer> a, List<Integer> b) {
    return a.contains(b.get(2)) || b.contains(a.get(2));
  }
}
