package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import tapedeck.ad.type.DType;

/** Launch frames are written once, and results are those with frames that are written each time. */
class FramesTest {
  private static final DType T = DType.FLOAT32;
  private static final int TASKS = 98;
  private static final String SETTING = "tapedeck.tornado.frames";
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
    System.clearProperty(SETTING);
    if (device != null) {
      device.close();
    }
  }

  /**
   * Tasks with grids of different sizes, more than a task graph has room for: task k adds a half to
   * the first elements of x in place.
   */
  private static Schedule chain(int size) {
    List<Schedule.Launch> launches = new ArrayList<>();
    for (int k = 0; k < TASKS; k++) {
      Loop i = new Loop(0, size - k % 7 * 100);
      Expr x = new Expr.Load(0, T, Index.of(i));
      launches.add(
          new Schedule.Launch(
              new Kernel(
                  List.of(new Kernel.Param(T, size, true, true)),
                  List.of(i),
                  List.of(
                      new Phase.Emit(
                          List.of(),
                          List.of(
                              new Phase.Store(
                                  0,
                                  Index.of(i),
                                  Expr.apply(ScalarOp.ADD, T, x, Expr.constant(T, 0.5)))))),
                  Optional.empty()),
              "test",
              "",
              List.of(0)));
    }
    return new Schedule(
        List.of(new Schedule.Slot(T, size, new Schedule.Place.Output(0))),
        launches,
        List.of(),
        List.of(0),
        0,
        0);
  }

  private float[] run(int size, boolean once) {
    float[] back = new float[size];
    try (TornadoExecutable x = TornadoExecutable.compile(device, chain(size));
        Buffer buffer = device.allocate(4L * size)) {
      device.write(buffer, MemorySegment.ofArray(back));
      for (int run = 0; run < 3; run++) {
        x.run(List.of(), List.of(buffer));
        // One for each graph, and these are too many tasks for one graph.
        int frames = x.frames().inUse();
        assertTrue(once ? frames >= 2 : frames == 0, frames + " frames after run " + run);
      }
      device.read(buffer, MemorySegment.ofArray(back));
    }
    return back;
  }

  @Test
  void framesAreWrittenOnceAndResultsAreTheSame() {
    int size = 1000;
    boolean opencl = device.info().details().get("driver").equals("OPENCL");
    float[] own = run(size, opencl);
    System.setProperty(SETTING, "rewritten");
    assertArrayEquals(run(size, false), own);
    float[] expected = new float[size];
    for (int k = 0; k < TASKS; k++) {
      for (int i = 0; i < size - k % 7 * 100; i++) {
        expected[i] += 3 * 0.5f;
      }
    }
    assertArrayEquals(expected, own);
  }
}
