package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.In;
import tapedeck.ad.JitFn1;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.TapedeckException;
import tapedeck.ad.type.TracingException;
import tapedeck.ad.type.ValidationException;

/**
 * Every kind of user error: its exception type, and a message with the operation, what is wrong and
 * the caller's line. The base class counts device buffers before and after each.
 */
public abstract class ErrorTests extends DeviceTests {
  private static final String HERE = "; at ErrorTests.java:";

  private static void fails(
      Class<? extends TapedeckException> type, String message, Runnable body) {
    TapedeckException e = assertThrows(type, body::run);
    assertEquals(type, e.getClass());
    assertTrue(e.getMessage().startsWith(message), () -> "message: " + e.getMessage());
    assertTrue(e.getMessage().contains(HERE), () -> "no source line: " + e.getMessage());
  }

  @Test
  void shapes() {
    Tensor a = floats(1, 2, 3);
    Tensor b = floats(2, 4, 5);
    Tensor empty = Tensor.zeros(DType.FLOAT32, 0, 3);
    fails(
        ShapeException.class,
        "[matmul] inner dimensions must match: (2,3) x (4,5), 3 != 4",
        () -> a.matmul(b));
    fails(ShapeException.class, "[add] shapes do not broadcast: (2,3) and (4,5)", () -> a.add(b));
    fails(ShapeException.class, "[where] shapes do not broadcast", () -> a.gt(0).where(b, b));
    fails(
        ShapeException.class,
        "[reshape] sizes must match: (2,3) -> (4), 6 != 4",
        () -> a.reshape(4));
    fails(ShapeException.class, "[reshape] (2,3) does not fit [4, -1]", () -> a.reshape(4, -1));
    fails(
        ShapeException.class,
        "[shape] extents must not be negative: [-1, 3]",
        () -> a.broadcastTo(-1, 3));
    fails(
        ShapeException.class,
        "[broadcastTo] (2,3) does not broadcast to (3,2)",
        () -> a.broadcastTo(3, 2));
    fails(ShapeException.class, "[sum] axis 2 is out of range for shape (2,3)", () -> a.sum(2));
    fails(ShapeException.class, "[sum] an axis occurs twice in [0, -2]", () -> a.sum(0, -2));
    fails(
        ShapeException.class,
        "[transpose] [0] does not permute the axes of (2,3)",
        () -> a.transpose(0));
    fails(ShapeException.class, "[transpose] axis 1 occurs twice", () -> a.transpose(1, 1));
    fails(ShapeException.class, "[squeeze] axis 0 of (2,3) is not 1", () -> a.squeeze(0));
    fails(
        ShapeException.class,
        "[expandDims] axis 4 is out of range for (2,3)",
        () -> a.expandDims(4));
    fails(ShapeException.class, "[get] 2 is out of range for (2,3)", () -> a.get(2));
    fails(ShapeException.class, "[slice] the step must not be 0", () -> a.slice(0, 0, 1, 0));
    fails(
        ShapeException.class,
        "[slice] 0:3:1 is out of range for axis 0 of (2,3)",
        () -> a.slice(new int[] {0, 0}, new int[] {3, 3}, new int[] {1, 1}));
    fails(
        ShapeException.class,
        "[pad] widths must not be negative",
        () -> a.pad(new int[] {-1, 0}, new int[] {0, 0}, 0));
    fails(
        ShapeException.class,
        "[concat] operands must agree but on axis 0",
        () -> Tensor.concat(0, a, b));
    fails(ShapeException.class, "[concat] needs at least one operand", () -> Tensor.concat(0));
    fails(ShapeException.class, "[t] needs a matrix, not (3); use swapAxes", () -> a.get(0).t());
    fails(ShapeException.class, "[dot] needs two vectors: (2,3) and (4,5)", () -> a.dot(b));
    fails(ShapeException.class, "[matmul] a scalar operand", () -> a.matmul(Tensor.scalar(1f)));
    fails(
        ShapeException.class,
        "[matmul] batch axes do not broadcast",
        () -> floats(1, 2, 3, 4).matmul(floats(1, 3, 4, 5)));
    fails(ShapeException.class, "[argmax] axis 0 of (0,3) is empty", () -> empty.argmax(0));
    fails(
        ShapeException.class,
        "[take] cannot take from the empty axis 0",
        () -> empty.take(Tensor.of(0), 0));
    fails(
        ShapeException.class,
        "[scatter_add] one index per slice is needed",
        () -> a.scatterAdd(Tensor.of(1, 2, 3), 0, 4));
    fails(
        ShapeException.class,
        "[crossEntropy] needs logits (n,classes) and labels (n)",
        () -> Tensor.crossEntropy(a, Tensor.of(1)));
    fails(ShapeException.class, "[item] needs one element, not f32(2,3)", () -> a.item());
    fails(
        ShapeException.class,
        "[tensor] f32(2,2) needs 4 elements, the data has 3",
        () -> Tensor.of(new float[3], 2, 2));
    fails(
        ShapeException.class,
        "[tensor] row 1 has 1 elements, row 0 has 2",
        () -> Tensor.of(new float[][] {{1, 2}, {3}}));
  }

  @Test
  void types() {
    Tensor f = floats(1, 3);
    Tensor i = Tensor.of(1, 2, 3);
    Tensor b = Tensor.of(true, false, true);
    fails(
        DTypeException.class,
        "[add] operands must have one type: [f32(3), i32(3)]; use cast",
        () -> f.add(i));
    fails(
        DTypeException.class,
        "[lt] 0.5 is no int32: cast i32(2) to",
        () -> Tensor.of(1, 2).lt(0.5));
    fails(
        DTypeException.class,
        "[reduce_sum[]] takes float or int32",
        () -> Tensor.full(DType.BOOL, 1).sum());
    fails(
        DTypeException.class,
        "[jvp] the tangent is f64(), expected f32()",
        () -> Ad.jvp(Tensor::sin, Tensor.scalar(1f), Tensor.scalar(1.0)));
    fails(DTypeException.class, "[exp] takes float operands, not i32(3)", () -> i.exp());
    fails(DTypeException.class, "[mul] takes float or int32 operands, not bool(3)", () -> b.mul(b));
    fails(DTypeException.class, "[and] takes bool or int32 operands, not f32(3)", () -> f.and(f));
    fails(DTypeException.class, "[where] condition must be bool, not f32(3)", () -> f.where(f, f));
    fails(
        DTypeException.class,
        "[reduce_sum[0]] takes float or int32 operands, not bool(3); use cast",
        () -> b.sum());
    fails(DTypeException.class, "[any] needs bool, not f32", () -> f.any());
    fails(DTypeException.class, "[take] indices must be i32, not f32(3)", () -> f.take(f, 0));
    fails(DTypeException.class, "[oneHot] needs i32, not f32", () -> f.oneHot(3, DType.FLOAT32));
    fails(DTypeException.class, "[matmul] takes two operands of one float type", () -> i.matmul(i));
    fails(
        DTypeException.class, "[toIntArray] needs i32, not f32(3); use cast", () -> f.toIntArray());
    fails(
        DTypeException.class,
        "[toFloatArray] needs f32, not i32(3); use cast",
        () -> i.toFloatArray());
  }

  @Test
  void gradientsOfWhatHasNone() {
    Tensor x = floats(1, 3);
    Tensor i = Tensor.of(1, 2, 3);
    fails(
        ShapeException.class,
        "[grad] the function must return a scalar, not f32(3); reduce it with sum() or mean()",
        () -> Ad.grad((Tensor a) -> a.sin()).apply(x));
    fails(
        DTypeException.class,
        "[grad] argument 1 is i32(3); only f32 and f64 are differentiable",
        () -> Ad.grad((Tensor a) -> a.sum()).apply(i));
    fails(
        DTypeException.class,
        "[grad] the function must return f32 or f64, not i32()",
        () -> Ad.grad((Tensor a) -> a.argmax(0)).apply(x));
    fails(
        ShapeException.class,
        "[jvp] the tangent is f32(2), expected f32(3)",
        () -> Ad.jvp((Tensor a) -> a.sin(), x, floats(1, 2)));
    fails(
        ShapeException.class,
        "[vjp] the cotangent is f32(), expected f32(3)",
        () -> Ad.vjp((Tensor a) -> a.sin(), x).pullback().apply(Tensor.scalar(1f)));
    fails(
        DTypeException.class,
        "[jacrev] the function must return f32 or f64",
        () -> Ad.jacrev((Tensor a) -> a.gt(0)).apply(x));
    record Two(Tensor a, Tensor b) {}
    fails(
        TracingException.class,
        "[jvp] the tangent has another structure",
        () -> Ad.<Object, Tensor>jvp(o -> ((Two) o).a(), new Two(x, x), List.of(x, x)));
  }

  @Test
  void batches() {
    Tensor a = floats(1, 2, 3);
    Tensor b = floats(1, 4, 3);
    Fn2<Tensor, Tensor, Tensor> add = Tensor::add;
    fails(
        ShapeException.class,
        "[vmap] mapped axes have different extents: 2 in argument 1 f32(2,3), 4 in argument 2"
            + " f32(4,3)",
        () -> Ad.vmap(add).apply(a, b));
    fails(
        ShapeException.class,
        "[vmap] argument 1 f32(2,3) has no axis 2",
        () -> Ad.vmap((Tensor x) -> x, In.in(2)).apply(a));
    fails(
        TracingException.class,
        "[vmap] no argument with a tensor is mapped",
        () -> Ad.vmap((Tensor x) -> x, In.none()).apply(a));
    fails(
        TracingException.class,
        "[vmap] the function has 2 arguments, but axes are given for 1",
        () -> Ad.vmap(add, In.in(0)).apply(a, b));
  }

  @Test
  void valuesOfTracedTensors() {
    Tensor x = floats(1, 3);
    for (Fn1<Tensor, Tensor> branch :
        List.<Fn1<Tensor, Tensor>>of(
            a -> a.sum().item() > 0 ? a.sum() : a.sum().neg(),
            a -> a.mul(a.toFloatArray()[0]).sum(),
            a -> a.mul(a.toDoubleArray()[0]).sum())) {
      fails(TracingException.class, "[value] a traced tensor f32(", () -> Ad.grad(branch).apply(x));
      fails(TracingException.class, "[value] a traced tensor f32(", () -> Ad.jit(branch).apply(x));
    }
    TracingException e =
        assertThrows(TracingException.class, () -> Ad.jit((Tensor a) -> a.to("cpu")).apply(x));
    assertTrue(e.getMessage().contains("where("), e.getMessage());
  }

  @Test
  void tracedTensorsThatEscape() {
    List<Tensor> kept = new ArrayList<>();
    Ad.jit(
            (Tensor a) -> {
              kept.add(a.sin());
              return a;
            })
        .apply(floats(1, 3));
    fails(
        TracingException.class,
        "[add] a traced tensor was used after its transform had ended",
        () -> kept.get(0).add(1));
    fails(
        TracingException.class,
        "[trace] a traced tensor f32(3) left the transform that made it",
        () -> Ad.jit((Tensor a) -> a.add(kept.get(0))).apply(floats(1, 3)));
  }

  @Test
  void closedTensors() {
    Tensor x = floats(1, 3);
    Tensor y = x.add(1);
    y.close();
    y.close();
    fails(ClosedException.class, "[add] operand f32(3) is closed", () -> y.add(1));
    fails(ClosedException.class, "[value] tensor f32(3) is closed", () -> y.toFloatArray());
    fails(ClosedException.class, "", () -> Ad.grad((Tensor a) -> a.sum()).apply(y));
    JitFn1<Tensor, Tensor> step = Ad.jit((Tensor a) -> a.mul(2), Donate.FIRST);
    Tensor p = floats(1, 3);
    step.apply(p);
    assertTrue(p.isClosed(), "a donated argument is closed");
    fails(ClosedException.class, "", () -> step.apply(p));
    Tensor c = floats(1, 3);
    JitFn1<Tensor, Tensor> uses = Ad.jit((Tensor a) -> a.mul(c));
    uses.apply(x);
    c.close();
    fails(
        ClosedException.class,
        "[jit] a tensor f32(3) that the function uses from outside was closed",
        () -> uses.apply(x));
  }

  @Test
  void devices() {
    Tensor x = floats(1, 3);
    TapedeckException e = assertThrows(DeviceException.class, () -> x.to("nowhere:7"));
    assertTrue(
        e.getMessage().startsWith("[device] there is no device 'nowhere:7'"), e.getMessage());
    assertTrue(
        e.getMessage().contains(device()), "the message lists what there is: " + e.getMessage());
    with(
        Settings.DEVICE,
        "nowhere",
        () -> assertThrows(DeviceException.class, () -> Tensor.of(1f, 2f)));
  }

  @Test
  void tensorsOfTwoDevices() {
    String other = device().equals("interp") ? "cpu" : "interp";
    Assumptions.assumeTrue(Devices.list().devices().stream().anyMatch(c -> c.name().equals(other)));
    Tensor x = floats(1, 3);
    Tensor y = Ad.onDevice(other, () -> floats(2, 3));
    fails(DeviceException.class, "[device] operands are on different devices", () -> x.add(y));
    assertClose(x.add(y.to(x.device())).toDoubleArray(), y.to(x.device()).add(x), 0);
    y.close();
  }

  @Test
  void outOfMemory() {
    fails(
        OutOfDeviceMemoryException.class,
        "",
        () -> Tensor.zeros(DType.FLOAT32, 1 << 30, 1 << 19).storage());
    assertEquals(6, Tensor.of(1f, 2f, 3f).sum().item(), 0, "the device stays usable");
  }

  @Test
  void notANumberIsAnErrorIfAskedFor() {
    Tensor x = Tensor.of(-1f, 1f);
    with(
        Settings.NANS,
        "error",
        () -> {
          ValidationException e =
              assertThrows(ValidationException.class, () -> Ad.jit((Tensor a) -> a.log()).apply(x));
          assertTrue(e.getMessage().contains("log"), e.getMessage());
          assertTrue(e.getMessage().contains("ErrorTests.java:"), e.getMessage());
          assertEquals(1, Ad.jit((Tensor a) -> a.square().mean()).apply(x).item(), 1e-6);
        });
  }

  @Test
  void badSettings() {
    with(
        Settings.THREADS,
        "many",
        () -> {
          TapedeckException e =
              assertThrows(TapedeckException.class, () -> Settings.THREADS.intValue(1));
          assertEquals(
              "[settings] tapedeck.threads must be an integer, not 'many'", e.getMessage());
        });
  }

  @Test
  void errorsInsideATransformLeaveTheEngineUsable() {
    Tensor x = floats(1, 3);
    for (int i = 0; i < 3; i++) {
      assertThrows(IllegalStateException.class, () -> Ad.grad((Tensor a) -> fail(a)).apply(x));
      assertThrows(
          ShapeException.class, () -> Ad.jit((Tensor a) -> a.matmul(floats(2, 4, 4))).apply(x));
    }
    assertClose(new double[] {1, 1, 1}, Ad.grad((Tensor a) -> a.sum()).apply(x), 0);
  }

  private static Tensor fail(Tensor a) {
    throw new IllegalStateException("the user's own error on " + a.aval());
  }
}
