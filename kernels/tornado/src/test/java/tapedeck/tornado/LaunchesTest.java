package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;

/** Runs without TornadoVM's interpreter, and in aligned memory, do what runs with it do. */
class LaunchesTest {
  private static final DType T = DType.FLOAT32;
  private static final String REPLAY = "tapedeck.tornado.replay";
  private static final String ALIGNED = "tapedeck.tornado.aligned";

  /** More than a task graph has room for. */
  private static final int LAUNCHES = 70;

  private static final int SIZE = 1003;
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
    System.clearProperty(REPLAY);
    System.clearProperty(ALIGNED);
    if (device != null) {
      device.close();
    }
  }

  private void reopen() {
    device.close();
    open();
  }

  private static Schedule.Launch addition(int from, int to, int size, double plus) {
    Loop i = new Loop(0, size);
    Expr sum =
        Expr.apply(ScalarOp.ADD, T, new Expr.Load(0, T, Index.of(i)), Expr.constant(T, plus));
    Kernel k =
        new Kernel(
            List.of(new Kernel.Param(T, SIZE, true, false), new Kernel.Param(T, SIZE, false, true)),
            List.of(i),
            List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i), sum)))),
            Optional.empty());
    return new Schedule.Launch(k, "test", "", List.of(from, to));
  }

  /** Out = in + 1 + 2 + ..., by way of two intermediates. */
  private static Schedule chain() {
    List<Schedule.Launch> all = new ArrayList<>();
    for (int k = 1; k <= LAUNCHES; k++) {
      int from = k == 1 ? 0 : 2 + k % 2;
      int to = k == LAUNCHES ? 1 : 2 + (k + 1) % 2;
      all.add(addition(from, to, SIZE, k));
    }
    long bytes = 4L * SIZE;
    return new Schedule(
        List.of(
            new Schedule.Slot(T, SIZE, new Schedule.Place.Input(0)),
            new Schedule.Slot(T, SIZE, new Schedule.Place.Output(0)),
            new Schedule.Slot(T, SIZE, new Schedule.Place.Arena(0)),
            new Schedule.Slot(T, SIZE, new Schedule.Place.Arena(4096))),
        all,
        List.of(0),
        List.of(1),
        4096 + bytes,
        2 * bytes);
  }

  private static float[] input(int seed) {
    float[] out = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      out[i] = seed * 100 + i;
    }
    return out;
  }

  /**
   * Two executables in turns, with other buffers in each run, some closed while they are in use.
   */
  private List<float[]> results(boolean itself) {
    List<float[]> out = new ArrayList<>();
    try (TornadoExecutable x = TornadoExecutable.compile(device, chain());
        TornadoExecutable y = TornadoExecutable.compile(device, chain())) {
      Buffer between = device.allocate(4L * SIZE);
      for (int run = 0; run < 5; run++) {
        Buffer in = device.allocate(4L * SIZE);
        device.write(in, MemorySegment.ofArray(input(run)));
        Buffer end = run % 2 == 0 ? device.allocate(4L * SIZE) : in;
        x.run(List.of(in), List.of(between));
        y.run(List.of(between), List.of(end));
        assertEquals(itself, x.launchesItself());
        assertEquals(itself, y.launchesItself());
        if (end != in) {
          in.close();
        }
        float[] back = new float[SIZE];
        device.read(end, MemorySegment.ofArray(back));
        out.add(back);
        end.close();
      }
      between.close();
      assertThrows(ClosedException.class, () -> x.run(List.of(between), List.of(between)));
    }
    assertEquals(0, device.memory().liveBuffers());
    assertEquals(0, device.memory().liveBytes());
    return out;
  }

  private boolean opencl() {
    return device.info().details().get("driver").equals("OPENCL");
  }

  private static void check(List<float[]> results) {
    for (int run = 0; run < results.size(); run++) {
      float[] expected = input(run);
      for (int i = 0; i < SIZE; i++) {
        expected[i] += LAUNCHES * (LAUNCHES + 1);
      }
      assertArrayEquals(expected, results.get(run));
    }
  }

  @Test
  void replaysLaunchThemselves() {
    check(results(opencl()));
  }

  @Test
  void orTornadoInterpretsThem() {
    System.setProperty(REPLAY, "interpreted");
    reopen();
    check(results(false));
  }

  @Test
  void memoryIsTheHostsWithPoclAlone() {
    boolean pocl =
        device.info().details().get("platform").contains("Portable Computing") && opencl();
    assertEquals(pocl, device.allocator().isReleasedAtOnce());
    System.setProperty(ALIGNED, "off");
    reopen();
    assertFalse(device.allocator().isReleasedAtOnce());
    check(results(opencl()));
  }

  /** What is waiting in the queue still reads a buffer that its owner has closed. */
  @Test
  void closingABufferWaitsForItsReaders() {
    int size = 1 << 20;
    Loop i = new Loop(0, size);
    Expr e = new Expr.Load(0, T, Index.of(i));
    for (int k = 0; k < 20; k++) {
      e = Expr.apply(ScalarOp.SQRT, T, Expr.apply(ScalarOp.EXP, T, e));
    }
    Kernel slow =
        new Kernel(
            List.of(new Kernel.Param(T, size, true, false), new Kernel.Param(T, size, false, true)),
            List.of(i),
            List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i), e)))),
            Optional.empty());
    Schedule s =
        new Schedule(
            List.of(
                new Schedule.Slot(T, size, new Schedule.Place.Input(0)),
                new Schedule.Slot(T, size, new Schedule.Place.Output(0))),
            List.of(new Schedule.Launch(slow, "slow", "", List.of(0, 1))),
            List.of(0),
            List.of(1),
            0,
            0);
    float[] first = new float[size];
    float[] again = new float[size];
    try (TornadoExecutable x = TornadoExecutable.compile(device, s);
        Buffer out = device.allocate(4L * size)) {
      for (float[] back : List.of(first, again)) {
        Buffer in = device.allocate(4L * size);
        device.write(in, MemorySegment.ofArray(new float[size]));
        x.run(List.of(in), List.of(out));
        in.close();
        device.read(out, MemorySegment.ofArray(back));
      }
    }
    float fixed = first[0];
    for (int k = 0; k < size; k++) {
      assertEquals(fixed, first[k]);
      assertEquals(fixed, again[k]);
    }
  }
}
