package tapedeck.cpu.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.run.Engine;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.testkit.DeviceTests;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.ValidationException;
import tapedeck.cpu.selfcheck.CheckResult;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;

/** What the engine does when a device fails: a clear error, nothing lost, and it stays usable. */
class FaultInjectionTest extends DeviceTests {
  @Override
  protected String device() {
    return "faulty";
  }

  @AfterEach
  void heal() {
    FaultyProvider.reset();
  }

  /** Several kernels with an arena. */
  private static final Fn1<Tensor, Tensor> LOSS =
      a -> a.matmul(a.t()).tanh().matmul(a).softmax(1).square().sum();

  @Test
  void validationNamesTheFirstKernelThatDiffers() {
    Tensor x = floats(1, 4, 6);
    Fn1<Tensor, Tensor> f = a -> a.matmul(a.t()).tanh().matmul(a).sum();
    with(
        Settings.VALIDATE,
        "cpu",
        () -> {
          double right = Ad.jit(f).apply(x).item();
          FaultyProvider.wrong = "matmul";
          ValidationException e = assertThrows(ValidationException.class, () -> Ad.jit(f).apply(x));
          assertTrue(e.getMessage().contains("matmul"), e.getMessage());
          assertTrue(e.getMessage().contains("12345"), e.getMessage());
          assertTrue(e.getMessage().contains("FaultInjectionTest.java:"), e.getMessage());
          FaultyProvider.reset();
          assertEquals(right, Ad.jit(f).apply(x).item(), 0);
        });
  }

  @Test
  void aTypeThatTheDeviceLacksIsNotAFailureOfTheSelfCheck() {
    FaultyProvider.lacking = DType.FLOAT64;
    List<CheckResult> results =
        SelfCheck.run(
            Devices.open("faulty"),
            Effort.QUICK,
            Set.of("cast", "iota", "exp")::contains,
            name -> {});
    assertEquals(List.of(), results.stream().filter(r -> !r.passed()).toList());
    assertTrue(
        results.stream().anyMatch(r -> r.op().equals("cast") && r.check().equals("value refused")));
  }

  @Test
  void aKernelThatDoesNotBuildIsReportedAndNotKept() {
    Tensor x = floats(1, 4, 6);
    FaultyProvider.broken = "matmul";
    JitFn1<Tensor, Tensor> f = Ad.jit(Ad.grad(LOSS));
    DeviceException e = assertThrows(DeviceException.class, () -> f.apply(x));
    assertTrue(e.getMessage().contains("does not build: line 1: error"), e.getMessage());
    assertClose(new double[] {1, 2}, Tensor.of(0f, 1f).add(1), 0);
    FaultyProvider.reset();
    assertEquals(Ad.grad(LOSS).apply(x).aval(), f.apply(x).aval());
  }

  @Test
  void memoryThatRunsOutAnywhereLosesNothing() {
    Tensor x = floats(1, 4, 6);
    double[] right = Ad.grad(LOSS).apply(x).toDoubleArray();
    long before = settled();
    int failures = 0;
    for (int k = 0; k < 100; k++) {
      settled();
      FaultyProvider.allocations = k;
      boolean done = false;
      try (var scope = Ad.scope()) {
        assertArrayEquals(right, Ad.jit(Ad.grad(LOSS)).apply(x).toDoubleArray(), 1e-6);
        done = true;
      } catch (OutOfDeviceMemoryException e) {
        assertTrue(e.getMessage().contains("out of memory"), e.getMessage());
        failures++;
      }
      FaultyProvider.allocations = -1;
      Engine.collect(open());
      assertTrue(settled() <= before, "allocation " + k + " left a buffer");
      if (done) {
        assertTrue(failures > 0, "the first allocations failed");
        assertArrayEquals(right, Ad.grad(LOSS).apply(x).toDoubleArray(), 1e-6);
        return;
      }
    }
    throw new AssertionError("100 allocations are not enough");
  }

  @Test
  void aRunThatFailsLosesNothing() {
    Tensor x = floats(1, 4, 6);
    JitFn1<Tensor, Tensor> f = Ad.jit(LOSS);
    double right = f.apply(x).item();
    FaultyProvider.runs = 0;
    DeviceException e = assertThrows(DeviceException.class, () -> f.apply(x));
    assertTrue(e.getMessage().contains("the device was lost"), e.getMessage());
    FaultyProvider.reset();
    assertEquals(right, f.apply(x).item());
  }

  @Test
  void aDonationThatFailsLeavesMemoryCounted() {
    JitFn1<Tensor, Tensor> step = Ad.jit((Tensor a) -> a.mul(0.5), Donate.FIRST);
    step.apply(floats(1, 8));
    Tensor p = floats(1, 8);
    FaultyProvider.runs = 0;
    assertThrows(DeviceException.class, () -> step.apply(p));
    FaultyProvider.reset();
    Tensor q = floats(2, 8);
    assertFalse(step.apply(q).isClosed());
  }

  @Test
  void rejectedDevicesSayWhy() {
    assertTrue(
        Devices.list().rejections().contains("faulty:1: is missing on purpose"),
        () -> Devices.list().rejections().toString());
    DeviceException e = assertThrows(DeviceException.class, () -> Devices.open("faulty:1"));
    assertTrue(
        e.getMessage().contains("rejected: faulty:1: is missing on purpose"), e.getMessage());
  }
}
