package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tape.Trace;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.TapedeckException;

/** The rules of {@link Device} and {@link Executable}, and all operations, on one backend. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
  private Device device;

  /** The backend to test. */
  protected abstract BackendProvider provider();

  /** Checks of all operations on the device: names, and for each the failures that it finds. */
  protected abstract Map<String, Supplier<List<String>>> operations(Device device);

  @BeforeAll
  void open() {
    BackendProvider.Discovery found = provider().discover();
    Assumptions.assumeFalse(
        found.devices().isEmpty(),
        () -> "no device of " + provider().name() + ": " + found.rejections());
    device = found.devices().get(0).open();
  }

  @AfterAll
  void close() {
    if (device != null) {
      long leaked = device.memory().liveBuffers();
      device.close();
      assertEquals(0, leaked, "buffers left when all tests had ended");
    }
  }

  @TestFactory
  Stream<DynamicTest> everyOperation() {
    return operations(device).entrySet().stream()
        .map(
            e ->
                DynamicTest.dynamicTest(
                    e.getKey(),
                    () -> {
                      List<String> failures = e.getValue().get();
                      assertTrue(
                          failures.isEmpty(),
                          () ->
                              failures.size()
                                  + " failures\n"
                                  + String.join(
                                      "\n", failures.subList(0, Math.min(failures.size(), 8))));
                    }));
  }

  @Test
  void namesItsDevices() {
    for (BackendProvider.Candidate c : provider().discover().devices()) {
      assertTrue(c.name().split(":")[0].equals(provider().name()), c.name());
      assertTrue(
          !c.info().kind().isEmpty() && !c.info().description().isEmpty(), c.info().toString());
      assertTrue(c.info().computeUnits() > 0, c.info().toString());
    }
    assertEquals(provider().discover().devices().get(0).name(), device.name());
  }

  @Test
  void copiesBytesAndCountsMemory() {
    MemoryStats before = device.memory();
    byte[] data = new byte[1027];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 31);
    }
    try (Buffer b = device.allocate(data.length)) {
      assertTrue(b.bytes() >= data.length);
      MemoryStats during = device.memory();
      assertEquals(before.liveBuffers() + 1, during.liveBuffers());
      assertEquals(before.allocations() + 1, during.allocations());
      assertTrue(during.liveBytes() >= before.liveBytes() + data.length);
      assertTrue(during.peakBytes() >= during.liveBytes());
      device.write(b, MemorySegment.ofArray(data.clone()));
      byte[] back = new byte[data.length];
      device.read(b, MemorySegment.ofArray(back));
      assertArrayEquals(data, back);
      byte[] part = new byte[5];
      device.read(b, MemorySegment.ofArray(part));
      assertArrayEquals(Arrays.copyOf(data, 5), part);
    }
    assertEquals(before.liveBytes(), device.memory().liveBytes());
    assertEquals(before.liveBuffers(), device.memory().liveBuffers());
  }

  @Test
  void zeroBytesAreABuffer() {
    try (Buffer b = device.allocate(0)) {
      device.write(b, MemorySegment.ofArray(new byte[0]));
      device.read(b, MemorySegment.ofArray(new byte[0]));
    }
  }

  @Test
  void closingTwiceDoesNothing() {
    MemoryStats before = device.memory();
    Buffer b = device.allocate(64);
    b.close();
    b.close();
    assertEquals(before.liveBuffers(), device.memory().liveBuffers());
    assertEquals(before.liveBytes(), device.memory().liveBytes());
  }

  @Test
  void aClosedBufferIsRefused() {
    Buffer b = device.allocate(64);
    b.close();
    assertThrows(ClosedException.class, () -> device.write(b, MemorySegment.ofArray(new byte[64])));
    assertThrows(ClosedException.class, () -> device.read(b, MemorySegment.ofArray(new byte[64])));
  }

  @Test
  void tooMuchMemoryIsRefusedAndNothingIsLost() {
    MemoryStats before = device.memory();
    assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(1L << 50));
    assertEquals(before.liveBuffers(), device.memory().liveBuffers());
    assertEquals(before.liveBytes(), device.memory().liveBytes());
    try (Buffer b = device.allocate(1024)) {
      assertTrue(b.bytes() >= 1024);
    }
  }

  /** sum(tanh(x @ w)) with its gradient for w: several kernels and an arena. */
  private static Tape model() {
    return Trace.closed(
        in -> {
          Tensor h = in.get(0).matmul(in.get(1)).tanh();
          Tensor g = h.square().rsub(1);
          return List.of(h.sum(), in.get(0).t().matmul(g));
        },
        List.of(Aval.of(DType.FLOAT32, 5, 7), Aval.of(DType.FLOAT32, 7, 3)));
  }

  private static MemorySegment floats(int n, float scale) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = scale * ((i * 37 % 19) - 9) / 9;
    }
    return MemorySegment.ofArray(x);
  }

  private byte[] bytes(Buffer b) {
    byte[] out = new byte[Math.toIntExact(b.bytes())];
    device.read(b, MemorySegment.ofArray(out));
    return out;
  }

  @Test
  void replayingAllocatesNothingAndGivesTheSameBits() {
    MemoryStats before = device.memory();
    try (Executable e = device.compile(Scheduler.schedule(model(), Set.of()));
        Buffer x = device.allocate(4 * 35);
        Buffer w = device.allocate(4 * 21);
        Buffer loss = device.allocate(4);
        Buffer grad = device.allocate(4 * 21)) {
      device.write(x, floats(35, 1));
      device.write(w, floats(21, 0.5f));
      e.run(List.of(x, w), List.of(loss, grad));
      byte[] first = bytes(grad);
      MemoryStats warm = device.memory();
      for (int i = 0; i < 100; i++) {
        e.run(List.of(x, w), List.of(loss, grad));
      }
      device.synchronize();
      assertEquals(warm, device.memory());
      assertArrayEquals(first, bytes(grad));
    }
    assertEquals(before.liveBuffers(), device.memory().liveBuffers());
    assertEquals(before.liveBytes(), device.memory().liveBytes());
  }

  @Test
  void workIsDoneInOrder() {
    Tape twice = Trace.closed(in -> List.of(in.get(0).mul(2)), List.of(Aval.of(DType.FLOAT32, 33)));
    try (Executable e = device.compile(Scheduler.schedule(twice, Set.of()));
        Buffer a = device.allocate(132);
        Buffer b = device.allocate(132)) {
      device.write(a, MemorySegment.ofArray(ones(33)));
      for (int i = 0; i < 5; i++) {
        e.run(List.of(a), List.of(b));
        e.run(List.of(b), List.of(a));
      }
      float[] out = new float[33];
      device.read(a, MemorySegment.ofArray(out));
      for (float v : out) {
        assertEquals(1024f, v);
      }
    }
  }

  private static float[] ones(int n) {
    float[] x = new float[n];
    Arrays.fill(x, 1);
    return x;
  }

  @Test
  void aDonatedInputIsUpdatedInPlace() {
    Tape step =
        Trace.closed(
            in -> List.of(in.get(0).sub(in.get(1).mul(0.5))),
            List.of(Aval.of(DType.FLOAT32, 4, 9), Aval.of(DType.FLOAT32, 4, 9)));
    Schedule s = Scheduler.schedule(step, Set.of(0));
    assertEquals(s.inputs().get(0), s.outputs().get(0), "the output has the donated input's slot");
    try (Executable e = device.compile(s);
        Buffer p = device.allocate(144);
        Buffer g = device.allocate(144)) {
      device.write(p, MemorySegment.ofArray(ones(36)));
      device.write(g, MemorySegment.ofArray(ones(36)));
      e.run(List.of(p, g), List.of(p));
      float[] out = new float[36];
      device.read(p, MemorySegment.ofArray(out));
      for (float v : out) {
        assertEquals(0.5f, v);
      }
    }
  }

  @Test
  void equalKernelsAreRunWithDifferentBuffers() {
    Aval v = Aval.of(DType.FLOAT32, 17);
    Tape t =
        Trace.closed(
            in -> List.of(in.get(0).exp(), in.get(1).exp(), in.get(2).exp()), List.of(v, v, v));
    List<Buffer> in = new ArrayList<>();
    List<Buffer> out = new ArrayList<>();
    try (Executable e = device.compile(Scheduler.schedule(t, Set.of()))) {
      for (int i = 0; i < 3; i++) {
        in.add(device.allocate(68));
        out.add(device.allocate(68));
        device.write(in.get(i), floats(17, i));
      }
      e.run(in, out);
      for (int i = 0; i < 3; i++) {
        float[] y = new float[17];
        device.read(out.get(i), MemorySegment.ofArray(y));
        for (int j = 0; j < 17; j++) {
          double x = floats(17, i).getAtIndex(ValueLayout.JAVA_FLOAT, j);
          assertEquals(Math.exp(x), y[j], 1e-5 * Math.exp(x));
        }
      }
    } finally {
      in.forEach(Buffer::close);
      out.forEach(Buffer::close);
    }
  }

  @Test
  void severalThreadsMayRunOneExecutable() throws InterruptedException {
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    try (Executable e = device.compile(Scheduler.schedule(model(), Set.of()));
        Buffer x = device.allocate(4 * 35);
        Buffer w = device.allocate(4 * 21)) {
      device.write(x, floats(35, 1));
      device.write(w, floats(21, 0.5f));
      List<Thread> threads = new ArrayList<>();
      List<byte[]> results = Collections.synchronizedList(new ArrayList<>());
      for (int k = 0; k < 3; k++) {
        Thread t =
            new Thread(
                () -> {
                  try (Buffer loss = device.allocate(4);
                      Buffer grad = device.allocate(4 * 21)) {
                    for (int i = 0; i < 20; i++) {
                      e.run(List.of(x, w), List.of(loss, grad));
                      results.add(bytes(grad));
                    }
                  }
                });
        t.setUncaughtExceptionHandler((thread, error) -> failures.add(error));
        threads.add(t);
        t.start();
      }
      for (Thread t : threads) {
        t.join();
      }
      assertTrue(failures.isEmpty(), failures::toString);
      for (byte[] r : results) {
        assertArrayEquals(results.get(0), r);
      }
    }
  }

  @Test
  void aClosedExecutableIsRefused() {
    Tape t = Trace.closed(in -> List.of(in.get(0).exp()), List.of(Aval.of(DType.FLOAT32, 4)));
    Executable e = device.compile(Scheduler.schedule(t, Set.of()));
    e.close();
    e.close();
    try (Buffer a = device.allocate(16);
        Buffer b = device.allocate(16)) {
      assertThrows(ClosedException.class, () -> e.run(List.of(a), List.of(b)));
    }
  }

  @Test
  void aClosedDeviceIsRefused() {
    Optional<Device> other = reopen();
    Assumptions.assumeTrue(other.isPresent());
    Device d = other.get();
    d.allocate(64);
    d.close();
    d.close();
    assertThrows(TapedeckException.class, () -> d.allocate(64));
  }

  /** A second instance of the device, which a test may close. */
  protected Optional<Device> reopen() {
    return Optional.of(provider().discover().devices().get(0).open());
  }
}
