package tapedeck.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.tornado.render.JavaKernel;
import tapedeck.tornado.render.KernelTask;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.common.TaskPackage;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task3;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** TornadoVM runs in Java what it cannot compile; here that is an error, whichever way it comes. */
class FallBackTest {
  private TapedeckDevice device;

  /** A task with a system call, which no device has. */
  static final class Uncompilable extends KernelTask
      implements Task3<KernelContext, FloatArray, FloatArray> {
    static void clockKernel(KernelContext context, FloatArray in, FloatArray out) {
      out.set(context.globalIdx, in.get(context.globalIdx) + System.nanoTime());
    }

    @Override
    public void apply(KernelContext context, FloatArray in, FloatArray out) {
      clockKernel(context, in, out);
    }

    @Override
    public TaskPackage pack(String id, Object[] args) {
      return TaskPackage.createPackage(
          id, this, (KernelContext) args[0], (FloatArray) args[1], (FloatArray) args[2]);
    }
  }

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

  /** out = in + in, over 4 elements. */
  private static Schedule doubled() {
    Loop i = new Loop(0, 4);
    Expr in = new Expr.Load(0, DType.FLOAT32, Index.of(i));
    Kernel k =
        new Kernel(
            List.of(
                new Kernel.Param(DType.FLOAT32, 4, true, false),
                new Kernel.Param(DType.FLOAT32, 4, false, true)),
            List.of(i),
            List.of(
                new Phase.Emit(
                    List.of(),
                    List.of(
                        new Phase.Store(
                            1, Index.of(i), Expr.apply(ScalarOp.ADD, DType.FLOAT32, in, in))))),
            java.util.Optional.empty());
    return new Schedule(
        List.of(
            new Schedule.Slot(DType.FLOAT32, 4, new Schedule.Place.Input(0)),
            new Schedule.Slot(DType.FLOAT32, 4, new Schedule.Place.Output(0))),
        List.of(new Schedule.Launch(k, "double", "", List.of(0, 1))),
        List.of(0),
        List.of(1),
        0,
        0);
  }

  private DeviceException runWhatDoesNotCompile() {
    Kernels.Loaded bad =
        new Kernels.Loaded(
            new JavaKernel("clockKernel", new byte[0], List.of(0, 1), 4, 4, "test"),
            new Uncompilable());
    return assertThrows(
        DeviceException.class,
        () -> {
          try (Executable x = TornadoExecutable.compile(device, doubled(), k -> bad);
              Buffer in = device.allocate(16);
              Buffer out = device.allocate(16)) {
            x.run(List.of(in), List.of(out));
          }
        });
  }

  @Test
  void aKernelThatDoesNotCompileIsAnError() {
    long before = device.memory().liveBuffers();
    DeviceException e = runWhatDoesNotCompile();
    assertTrue(e.getMessage().contains("double"), e.getMessage());
    assertEquals(before, device.memory().liveBuffers());
  }

  @Test
  @SuppressWarnings("unchecked")
  void runningAKernelsTaskInJavaIsAnError() {
    Kernel k = doubled().launches().getFirst().kernel();
    KernelTask task = device.kernels().get(k).task();
    FloatArray one = new FloatArray(1);
    assertThrows(
        DeviceException.class,
        () ->
            ((Task3<KernelContext, FloatArray, FloatArray>) task)
                .apply(new KernelContext(), one, one));
  }

  @Test
  void theDeviceStillComputesAfterwards() {
    runWhatDoesNotCompile();
    try (Executable x = device.compile(doubled());
        Buffer in = device.allocate(16);
        Buffer out = device.allocate(16)) {
      device.write(in, MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
      x.run(List.of(in), List.of(out));
      float[] back = new float[4];
      device.read(out, MemorySegment.ofArray(back));
      assertEquals(List.of(2f, 4f, 6f, 8f), List.of(back[0], back[1], back[2], back[3]));
    }
  }
}
