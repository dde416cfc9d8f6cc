package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;

/** Recorded replays compute what kernels enqueued one by one do, also when buffers change. */
class CommandBufferTest {
  private static final String SWITCH = "tapedeck.opencl.command-buffer";
  private static final int KERNELS = 12;

  private final List<Buffer> all = new ArrayList<>();
  private OpenClDevice device;
  private Schedule schedule;
  private List<double[]> inputs;
  private List<double[]> expected;

  @BeforeEach
  void open() {
    String before = System.setProperty(SWITCH, "on");
    try {
      device = (OpenClDevice) TestDevices.open("gpu");
    } finally {
      TestDevices.restore(SWITCH, before);
    }
    Assumptions.assumeTrue(
        device.commandBuffers().isPresent(), "not tested, no command buffers on this device");
    List<Runs.Case> cases = new ArrayList<>();
    for (long seed = 1; cases.size() < KERNELS; seed++) {
      cases.add(RandomKernels.make(seed));
    }
    schedule = Runs.schedule(cases);
    inputs = cases.stream().flatMap(c -> c.inputs().stream()).toList();
    expected = Runs.run(device, cases);
  }

  @AfterEach
  void close() {
    all.forEach(Buffer::close);
    assertEquals(0, device.memory().liveBuffers());
    device.close();
  }

  private List<Buffer> inputs() {
    List<Buffer> out = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      Schedule.Slot s = schedule.slots().get(schedule.inputs().get(i));
      out.add(device.allocate(s.bytes()));
      device.write(out.get(i), Runs.segment(s.dtype(), inputs.get(i)));
    }
    all.addAll(out);
    return out;
  }

  /** Buffers for the outputs, which are no inputs here, with values that no kernel gives. */
  private List<Buffer> outputs() {
    List<Buffer> out = new ArrayList<>();
    for (int slot : schedule.outputs()) {
      out.add(device.allocate(schedule.slots().get(slot).bytes()));
    }
    all.addAll(out);
    poison(out);
    return out;
  }

  private void poison(List<Buffer> outputs) {
    for (int i = 0; i < outputs.size(); i++) {
      Schedule.Slot s = schedule.slots().get(schedule.outputs().get(i));
      double[] v = new double[(int) s.elements()];
      Arrays.fill(v, s.dtype() == DType.BOOL ? 1 : -77777);
      device.write(outputs.get(i), Runs.segment(s.dtype(), v));
    }
  }

  private void check(List<Buffer> outputs) {
    for (int i = 0; i < outputs.size(); i++) {
      Schedule.Slot s = schedule.slots().get(schedule.outputs().get(i));
      assertArrayEquals(
          expected.get(i),
          Runs.read(device, outputs.get(i), s.dtype(), (int) s.elements()),
          "output " + i);
    }
  }

  private void runs(OpenClExecutable e, List<Buffer> in, List<Buffer> out, boolean recorded) {
    poison(out);
    e.run(in, out);
    check(out);
    assertEquals(recorded, e.isRecorded());
  }

  @Test
  void replaysAreRecordedOnceBuffersStay() {
    try (OpenClExecutable e = (OpenClExecutable) device.compile(schedule)) {
      List<Buffer> in = inputs();
      List<Buffer> out = outputs();
      List<Buffer> other = outputs();
      runs(e, in, out, false);
      for (int i = 0; i < 4; i++) {
        runs(e, in, out, true);
      }
      // Other buffers must not be written through the old recording.
      runs(e, in, other, false);
      runs(e, in, other, true);
      runs(e, in, out, false);
      runs(e, inputs(), out, false);
      // Several at once, without waiting in between.
      for (int i = 0; i < 100; i++) {
        e.run(in, other);
      }
      assertTrue(e.isRecorded());
      check(other);
    }
  }

  @Test
  void aClosedBufferIsNotKept() {
    try (OpenClExecutable e = (OpenClExecutable) device.compile(schedule)) {
      List<Buffer> in = inputs();
      List<Buffer> out = outputs();
      runs(e, in, out, false);
      runs(e, in, out, true);
      out.getFirst().close();
      assertFalse(e.isRecorded());
      List<Buffer> other = outputs();
      runs(e, in, other, false);
    }
  }

  @Test
  void aRefusedRunLeavesNoStaleRecording() {
    try (OpenClExecutable e = (OpenClExecutable) device.compile(schedule)) {
      List<Buffer> in = inputs();
      List<Buffer> out = outputs();
      runs(e, in, out, false);
      runs(e, in, out, true);
      List<Buffer> wrong = new ArrayList<>(outputs());
      Buffer small = device.allocate(0);
      all.add(small);
      wrong.set(wrong.size() - 1, small);
      assertThrows(DeviceException.class, () -> e.run(inputs(), wrong));
      runs(e, in, out, false);
      runs(e, in, out, true);
    }
  }
}
