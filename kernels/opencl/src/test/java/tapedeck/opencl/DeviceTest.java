package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Rendered;
import tapedeck.opencl.render.TensorCores;

/**
 * Memory, errors, program cache, profiling and replay of a device. Every case ends with nothing
 * left allocated.
 */
class DeviceTest {
  private static final DType F = DType.FLOAT32;

  private OpenClDevice device;

  @BeforeEach
  void open() {
    device = (OpenClDevice) TestDevices.open("");
  }

  @AfterEach
  void nothingIsLeft() {
    if (device != null) {
      assertEquals(0, device.memory().liveBytes());
      assertEquals(0, device.memory().liveBuffers());
      device.close();
    }
  }

  private static Schedule.Slot slot(int n, Schedule.Place place) {
    return new Schedule.Slot(F, n, place);
  }

  /** out = in + add, elementwise. */
  private static Kernel add(int n, double add) {
    Loop i = new Loop(0, n);
    Expr v = Expr.apply(ScalarOp.ADD, F, new Expr.Load(0, F, Index.of(i)), Expr.constant(F, add));
    return new Kernel(
        List.of(new Kernel.Param(F, n, true, false), new Kernel.Param(F, n, false, true)),
        List.of(i),
        List.of(new Phase.Emit(List.of(), List.of(new Phase.Store(1, Index.of(i), v)))),
        Optional.empty());
  }

  private static Schedule.Launch launch(Kernel k, int... slots) {
    return new Schedule.Launch(
        k, "add", "User.java:7", java.util.Arrays.stream(slots).boxed().toList());
  }

  /** in → arena at 0 → arena at 1024 → arena at 0 again → out, adding 1, 2, 4 and 8. */
  private static Schedule chain(int n) {
    long second = (4L * n + Schedule.ALIGN - 1) / Schedule.ALIGN * Schedule.ALIGN;
    return new Schedule(
        List.of(
            slot(n, new Schedule.Place.Input(0)),
            slot(n, new Schedule.Place.Arena(0)),
            slot(n, new Schedule.Place.Arena(second)),
            slot(n, new Schedule.Place.Arena(0)),
            slot(n, new Schedule.Place.Output(0))),
        List.of(
            launch(add(n, 1), 0, 1),
            launch(add(n, 2), 1, 2),
            launch(add(n, 4), 2, 3),
            launch(add(n, 8), 3, 4)),
        List.of(0),
        List.of(4),
        2 * second,
        2 * second);
  }

  @Test
  void countsBuffersExactly() {
    Buffer a = device.allocate(1000);
    Buffer b = device.allocate(0);
    assertEquals(new MemoryStats(1000, 1000, 2, 2), device.memory());
    a.close();
    a.close();
    assertEquals(new MemoryStats(0, 1000, 1, 2), device.memory());
    b.close();
    assertEquals(new MemoryStats(0, 1000, 0, 2), device.memory());
  }

  @Test
  void copiesHeapAndNativeSegments() {
    float[] v = new float[5_000_001];
    for (int i = 0; i < v.length; i++) {
      v[i] = i;
    }
    float[] back = new float[v.length];
    try (Arena arena = Arena.ofConfined();
        Buffer b = device.allocate(4L * v.length)) {
      device.write(b, MemorySegment.ofArray(v));
      device.read(b, MemorySegment.ofArray(back));
      assertArrayEquals(v, back);
      MemorySegment direct = arena.allocate(4L * v.length);
      device.read(b, direct);
      assertEquals(4_999_999f, direct.getAtIndex(ValueLayout.JAVA_FLOAT, 4_999_999));
      direct.setAtIndex(ValueLayout.JAVA_FLOAT, 3, -1);
      device.write(b, direct.asReadOnly());
      device.read(b, MemorySegment.ofArray(back));
      assertEquals(-1, back[3]);
    }
  }

  @Test
  void emptyBuffersAreRead() {
    try (Buffer b = device.allocate(0)) {
      device.write(b, MemorySegment.ofArray(new float[0]));
      device.read(b, MemorySegment.ofArray(new float[0]));
    }
    assertEquals(0, device.memory().liveBuffers());
  }

  @Test
  void replaysWithoutAllocating() {
    int n = 1000;
    try (Executable e = device.compile(chain(n));
        Buffer in = device.allocate(4L * n);
        Buffer out = device.allocate(4L * n);
        Buffer other = device.allocate(4L * n)) {
      device.write(in, MemorySegment.ofArray(new float[n]));
      long before = device.memory().allocations();
      for (int i = 0; i < 1000; i++) {
        e.run(List.of(in), List.of(i % 2 == 0 ? out : other));
      }
      assertEquals(before, device.memory().allocations());
      for (Buffer b : List.of(out, other)) {
        double[] v = Runs.read(device, b, F, n);
        assertEquals(15, v[0]);
        assertEquals(15, v[n - 1]);
      }
    }
  }

  @Test
  void outputMayShareAnInput() {
    int n = 100;
    Kernel k = add(n, 5);
    Schedule s =
        new Schedule(
            List.of(slot(n, new Schedule.Place.Input(0))),
            List.of(launch(k, 0, 0)),
            List.of(0),
            List.of(0),
            0,
            0);
    try (Executable e = device.compile(s);
        Buffer b = device.allocate(4L * n)) {
      device.write(b, MemorySegment.ofArray(new float[n]));
      e.run(List.of(b), List.of(b));
      e.run(List.of(b), List.of(b));
      assertEquals(10, Runs.read(device, b, F, n)[n - 1]);
    }
  }

  @Test
  void usesFromSeveralThreadsDoNotMix() throws InterruptedException {
    int n = 4096;
    List<String> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
    try (Executable e = device.compile(chain(n))) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        float start = 100 * t;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try (Buffer in = device.allocate(4L * n);
                          Buffer out = device.allocate(4L * n)) {
                        float[] v = new float[n];
                        java.util.Arrays.fill(v, start);
                        device.write(in, MemorySegment.ofArray(v));
                        for (int i = 0; i < 50; i++) {
                          e.run(List.of(in), List.of(out));
                          double got = Runs.read(device, out, F, n)[n - 1];
                          if (got != start + 15) {
                            wrong.add(start + " gave " + got);
                          }
                        }
                      }
                    }));
      }
      for (Thread t : threads) {
        t.join();
      }
    }
    assertTrue(wrong.isEmpty(), wrong::toString);
  }

  @Test
  void outOfMemoryLeavesTheDeviceUsable() {
    System.setProperty("tapedeck.opencl.memory", "100000");
    try (Device small = TestDevices.open("");
        Buffer kept = small.allocate(60_000)) {
      OutOfDeviceMemoryException e =
          assertThrows(OutOfDeviceMemoryException.class, () -> small.allocate(60_000));
      assertTrue(e.getMessage().contains("60000 of 100000 bytes in use"), e.getMessage());
      assertThrows(OutOfDeviceMemoryException.class, () -> small.compile(chain(10_000)));
      assertEquals(1, small.memory().liveBuffers());
      assertEquals(60_000, small.memory().liveBytes());
      // Room again once the buffer is gone.
      kept.close();
      small.compile(chain(10_000)).close();
      assertEquals(0, small.memory().liveBytes());
    } finally {
      System.clearProperty("tapedeck.opencl.memory");
    }
  }

  @Test
  void largerThanTheDeviceIsOutOfMemory() {
    assertThrows(
        OutOfDeviceMemoryException.class, () -> device.allocate(device.info().memoryBytes() + 1));
    long tooLarge = device.description().maxAllocation() + 1;
    if (tooLarge < device.info().memoryBytes()) {
      try (Buffer b = device.allocate(tooLarge)) {
        assertEquals(tooLarge, b.bytes());
      } catch (OutOfDeviceMemoryException e) {
        assertTrue(e.getMessage().contains("CL_"), e.getMessage());
      }
    }
  }

  @Test
  void buildFailureNamesKernelAndLog() {
    Rendered bad =
        new Rendered(
            "td_bad",
            "__kernel void td_bad(__global float *p) { p[0] = nonsense; }\n",
            new long[] {1},
            new long[] {1},
            "bad",
            false);
    Schedule.Launch launch =
        new Schedule.Launch(
            new Kernel(List.of(), List.of(), List.of(), Optional.empty()),
            "matmul+relu",
            "",
            List.of());
    DeviceException e =
        assertThrows(
            DeviceException.class,
            () -> device.programs().kernels(List.of(new Dispatch(bad, List.of(launch)))));
    assertTrue(e.getMessage().contains("CL_BUILD_PROGRAM_FAILURE"), e.getMessage());
    assertTrue(e.getMessage().contains("matmul+relu"), e.getMessage());
    assertTrue(e.getMessage().contains("nonsense"), e.getMessage());
  }

  @Test
  void wrongBuffersAreNamed() {
    try (Executable e = device.compile(chain(100));
        Buffer small = device.allocate(100);
        Buffer right = device.allocate(400);
        Device oracle = new InterpProvider().discover().devices().getFirst().open();
        Buffer foreign = oracle.allocate(400)) {
      assertThrows(DeviceException.class, () -> e.run(List.of(), List.of(right)));
      assertThrows(DeviceException.class, () -> e.run(List.of(right), List.of(small)));
      assertThrows(DeviceException.class, () -> e.run(List.of(foreign), List.of(right)));
      assertThrows(
          DeviceException.class, () -> device.read(small, MemorySegment.ofArray(new float[26])));
    }
  }

  @Test
  void closedThingsAreNamed() {
    Executable e = device.compile(chain(100));
    Buffer a = device.allocate(400);
    Buffer b = device.allocate(400);
    a.close();
    assertThrows(ClosedException.class, () -> e.run(List.of(a), List.of(b)));
    assertThrows(ClosedException.class, () -> device.read(a, MemorySegment.ofArray(new float[1])));
    e.close();
    e.close();
    assertThrows(ClosedException.class, () -> e.run(List.of(b), List.of(b)));
    b.close();
    Device second = TestDevices.open("");
    Buffer left = second.allocate(10);
    second.compile(chain(10));
    second.close();
    second.close();
    assertEquals(0, second.memory().liveBytes());
    left.close();
    assertThrows(ClosedException.class, () -> second.allocate(1));
  }

  @Test
  void float64IsRefusedWhereTheDeviceHasNone() {
    Description d = device.description();
    Description without =
        new Description(
            d.platform(),
            d.id(),
            d.name(),
            d.info(),
            d.target(),
            d.hardware(),
            false,
            d.options(),
            d.identity(),
            d.baseAlign(),
            d.maxAllocation(),
            d.binaries());
    try (Device single = OpenClDevice.open(without)) {
      assertFalse(single.supports(DType.FLOAT64));
      Loop i = new Loop(0, 4);
      Expr wide = Expr.apply(ScalarOp.CAST, DType.FLOAT64, new Expr.Load(0, F, Index.of(i)));
      Kernel k =
          new Kernel(
              List.of(new Kernel.Param(F, 4, true, false), new Kernel.Param(F, 4, false, true)),
              List.of(i),
              List.of(
                  new Phase.Emit(
                      List.of(),
                      List.of(
                          new Phase.Store(1, Index.of(i), Expr.apply(ScalarOp.CAST, F, wide))))),
              Optional.empty());
      Schedule s =
          new Schedule(
              List.of(slot(4, new Schedule.Place.Input(0)), slot(4, new Schedule.Place.Output(0))),
              List.of(launch(k, 0, 1)),
              List.of(0),
              List.of(1),
              0,
              0);
      DTypeException e = assertThrows(DTypeException.class, () -> single.compile(s));
      assertTrue(e.getMessage().startsWith("[add] device " + single.name()), e.getMessage());
      assertTrue(e.getMessage().endsWith("at User.java:7"), e.getMessage());
      assertEquals(0, single.memory().liveBuffers());
    }
  }

  @Test
  void slotsHaveBuffersOfTheirOwnWhereSubBuffersDoNotFit() {
    Description d = device.description();
    Description coarse =
        new Description(
            d.platform(),
            d.id(),
            d.name(),
            d.info(),
            d.target(),
            d.hardware(),
            d.float64(),
            d.options(),
            d.identity(),
            4096,
            d.maxAllocation(),
            d.binaries());
    try (Device other = OpenClDevice.open(coarse);
        Executable e = other.compile(chain(100));
        Buffer in = other.allocate(400)) {
      assertEquals(4, other.memory().liveBuffers());
      other.write(in, MemorySegment.ofArray(new float[100]));
      e.run(List.of(in), List.of(in));
      assertEquals(15, Runs.read(other, in, F, 100)[99]);
    }
  }

  @Test
  void unusedProgramsAreKeptUpToALimitOfKernels() {
    device.programs().keep(2 * 4);
    for (int n = 101; n <= 104; n++) {
      device.compile(chain(n)).close();
    }
    assertEquals(4, device.programs().built());
    device.compile(chain(104)).close();
    device.compile(chain(103)).close();
    assertEquals(4, device.programs().built(), "the last two are kept");
    try (Executable e = device.compile(chain(101));
        Executable same = device.compile(chain(101))) {
      assertEquals(5, device.programs().built(), "the first was dropped");
    }
  }

  @Test
  void profilingTimesEveryKernel() {
    System.setProperty("tapedeck.opencl.profiling", "on");
    try (Device timed = TestDevices.open("");
        Executable e = timed.compile(chain(100_000));
        Buffer in = timed.allocate(400_000);
        Buffer out = timed.allocate(400_000)) {
      assertTrue(((Profiled) e).kernelTimes().isEmpty());
      timed.write(in, MemorySegment.ofArray(new float[100_000]));
      e.run(List.of(in), List.of(out));
      e.run(List.of(in), List.of(out));
      List<Profiled.KernelTime> times = ((Profiled) e).kernelTimes();
      assertEquals(4, times.size());
      for (Profiled.KernelTime t : times) {
        assertEquals("add", t.label());
        assertTrue(t.endNanos() > t.startNanos(), t.toString());
      }
    } finally {
      System.clearProperty("tapedeck.opencl.profiling");
    }
  }

  @Test
  void binariesAreReusedAndDamagedOnesRebuilt(@TempDir Path folder) throws IOException {
    System.setProperty("tapedeck.opencl.binaries", "on");
    String before = System.getProperty("tapedeck.cache.dir");
    System.setProperty("tapedeck.cache.dir", folder.toString());
    try {
      assertEquals(List.of(1, 0), builtAndLoaded());
      assertEquals(List.of(0, 1), builtAndLoaded());
      Path entry;
      try (var files = Files.list(folder.resolve("opencl"))) {
        List<Path> all = files.toList();
        assertEquals(1, all.size(), all.toString());
        entry = all.getFirst();
      }
      byte[] bytes = Files.readAllBytes(entry);
      bytes[bytes.length / 2] ^= 1;
      Files.write(entry, bytes);
      assertEquals(List.of(1, 0), builtAndLoaded());
      assertEquals(List.of(0, 1), builtAndLoaded());
      Files.write(entry, new byte[] {1, 2, 3});
      assertEquals(List.of(1, 0), builtAndLoaded());
      System.setProperty("tapedeck.cache.dir", "off");
      assertEquals(List.of(1, 0), builtAndLoaded());
      System.setProperty("tapedeck.cache.dir", entry + "/not-a-folder");
      assertEquals(List.of(1, 0), builtAndLoaded());
    } finally {
      System.clearProperty("tapedeck.opencl.binaries");
      TestDevices.restore("tapedeck.cache.dir", before);
    }
  }

  /** Programs that a fresh device built and loaded for one schedule, whose result is checked. */
  private static List<Integer> builtAndLoaded() {
    try (OpenClDevice d = (OpenClDevice) TestDevices.open("");
        Executable e = d.compile(chain(100));
        Executable again = d.compile(chain(100));
        Buffer in = d.allocate(400)) {
      d.write(in, MemorySegment.ofArray(new float[100]));
      e.run(List.of(in), List.of(in));
      again.run(List.of(in), List.of(in));
      assertEquals(30, Runs.read(d, in, F, 100)[50]);
      return List.of(d.programs().built(), d.programs().loaded());
    }
  }

  @Test
  void dumpsSourcesWithLabels(@TempDir Path folder) throws IOException {
    System.setProperty("tapedeck.dump", folder.toString());
    try {
      device.compile(chain(100)).close();
    } finally {
      System.clearProperty("tapedeck.dump");
    }
    try (var files = Files.list(folder)) {
      String text = Files.readString(files.findFirst().orElseThrow());
      assertTrue(text.contains("// launch 3: add at User.java:7"), text);
      assertTrue(text.contains("__kernel"), text);
    }
  }

  /** A device is asked for what only some have: it says why not, and computes without. */
  @Test
  void tensorCoresAreUsedOnlyWhereTheProbeSucceeds() {
    String before = System.getProperty("tapedeck.opencl.tensor");
    System.setProperty("tapedeck.opencl.tensor", "ptx");
    try (Device cl = TestDevices.open("gpu")) {
      String found = cl.info().details().get("tensor cores");
      TensorCores used = ((OpenClDevice) cl).description().target().tensorCores();
      if (used == TensorCores.PTX) {
        assertEquals("PTX", found);
      } else {
        assertTrue(found.startsWith("no: the compiler says: "), found);
        assertEquals(TensorCores.NONE, used);
      }
    } finally {
      TestDevices.restore("tapedeck.opencl.tensor", before);
    }
  }
}
