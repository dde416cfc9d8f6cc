package tapedeck.ad.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.JitFn1;
import tapedeck.ad.JitFn2;
import tapedeck.ad.Vjp;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.run.Engine;
import tapedeck.ad.run.Leaks;
import tapedeck.ad.run.TensorScope;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.ClosedException;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Settings;
import tapedeck.ad.type.TapedeckException;

/** Who owns memory, what is compiled when, and what threads may do, on one device. */
public abstract class RuntimeTests extends DeviceTests {

  @Test
  void aScopeClosesWhatWasMadeInIt() {
    Tensor before = floats(1, 3);
    Tensor constant = Tensor.ones(DType.FLOAT32, 3);
    Tensor made;
    Tensor uploaded;
    Tensor kept;
    try (TensorScope s = Ad.scope()) {
      made = before.add(constant);
      uploaded = floats(2, 3);
      kept = s.keep(List.of(made.mul(2))).get(0);
      constant.toFloatArray();
    }
    assertTrue(made.isClosed());
    assertTrue(uploaded.isClosed());
    assertFalse(kept.isClosed());
    assertFalse(before.isClosed());
    assertFalse(constant.isClosed(), "a constant is older than its memory");
    assertThrows(ClosedException.class, () -> made.add(1));
  }

  @Test
  void whatAnInnerScopeKeepsBelongsToTheOuter() {
    Tensor t;
    try (TensorScope outer = Ad.scope()) {
      try (TensorScope inner = Ad.scope()) {
        t = inner.keep(floats(1, 3));
        assertThrows(TapedeckException.class, outer::close);
      }
      assertFalse(t.isClosed());
    }
    assertTrue(t.isClosed());
  }

  @Test
  void memoryOfClosedTensorsIsUsedAgain() {
    Tensor x = floats(1, 100);
    JitFn1<Tensor, Tensor> f = Ad.jit((Tensor a) -> a.mul(2));
    f.apply(x).close();
    MemoryStats warm = open().memory();
    for (int i = 0; i < 100; i++) {
      f.apply(x).close();
    }
    assertEquals(warm, open().memory());
    Engine.trimPools(open());
    assertTrue(open().memory().liveBuffers() < warm.liveBuffers());
  }

  @Test
  void memoryOfCollectedTensorsComesBack() throws InterruptedException {
    long before = settled();
    // Another thread, because the scope around this test keeps what this one makes.
    Thread t =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < 50; i++) {
                    floats(i, 1000);
                  }
                });
    t.join();
    Engine.collect(open());
    assertEquals(before, open().memory().liveBuffers());
  }

  @Test
  void leaksAreCountedWithTheirOrigin() throws InterruptedException {
    int before = Leaks.count();
    with(
        Settings.LEAKS,
        "on",
        () -> {
          Thread t =
              Thread.ofPlatform()
                  .start(
                      () -> {
                        floats(1, 7, 11);
                        floats(2, 7, 11).close();
                      });
          try {
            t.join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          Engine.collect(open());
        });
    assertEquals(before + 1, Leaks.count());
    assertTrue(
        Leaks.report().stream().anyMatch(l -> l.contains("f32(7,11)") && l.contains(".java:")),
        () -> Leaks.report().toString());
  }

  @Test
  void changingConstantsCompileAFewTimesOnly() {
    Tensor x = floats(1, 5);
    long before = Engine.compilations();
    for (int i = 0; i < 30; i++) {
      double rate = 0.513 + i * 0.01;
      assertClose(scaled(x, rate), x.mul(rate), 1e-6);
      assertClose(
          scaled(x, 2 * rate * rate),
          Ad.grad((Tensor a) -> a.mul(rate).square().sum()).apply(x),
          1e-5);
    }
    long compiled = Engine.compilations() - before;
    assertTrue(compiled <= 10, compiled + " compilations");
  }

  private static double[] scaled(Tensor x, double factor) {
    double[] v = x.toDoubleArray();
    for (int i = 0; i < v.length; i++) {
      v[i] *= factor;
    }
    return v;
  }

  @Test
  void explainSaysWhyACallCompiled() {
    JitFn1<List<Object>, Tensor> f =
        Ad.jit((List<Object> a) -> ((Tensor) a.get(0)).mul((Integer) a.get(1)).sum());
    assertThrows(TapedeckException.class, f::explain);
    assertEquals(3, f.apply(List.of(Tensor.of(1f, 2f), 1)).item());
    assertTrue(f.explain().contains("it was the first call"), f::explain);
    assertEquals(6, f.apply(List.of(Tensor.of(1f, 2f), 2)).item());
    assertTrue(f.explain().contains("static values of argument 1"), f::explain);
    assertEquals(12, f.apply(List.of(Tensor.of(1f, 2f, 3f), 2)).item());
    assertTrue(f.explain().contains("argument 1 [0] changed from f32(2) to f32(3)"), f::explain);
    f.apply(List.of(Tensor.of(1f, 2f), 1));
    assertEquals(3, f.compilations());
    with(Settings.FUSE, "off", () -> f.apply(List.of(Tensor.of(1f, 2f), 1)));
    assertTrue(f.explain().contains("settings changed"), f::explain);
  }

  @Test
  void whatIsPassedTwiceIsNotDonated() {
    JitFn2<Tensor, Tensor, List<Tensor>> f =
        Ad.jit((Tensor a, Tensor b) -> List.of(a.add(b), a), Donate.FIRST);
    Tensor x = Tensor.of(1f, 2f);
    List<Tensor> r = f.apply(x, x);
    assertFalse(x.isClosed());
    assertArrayEquals(new float[] {2, 4}, r.get(0).toFloatArray());
    assertArrayEquals(new float[] {1, 2}, r.get(1).toFloatArray());
    Tensor y = Tensor.of(5f, 6f);
    List<Tensor> s = f.apply(y, x);
    assertTrue(y.isClosed());
    assertArrayEquals(new float[] {6, 8}, s.get(0).toFloatArray());
    assertArrayEquals(new float[] {5, 6}, s.get(1).toFloatArray());
  }

  @Test
  void aCapturedTensorThatWasClosedIsNamed() {
    Tensor outside = Tensor.of(2f);
    JitFn1<Tensor, Tensor> f = Ad.jit((Tensor a) -> a.mul(outside));
    assertEquals(6, f.apply(Tensor.of(3f)).item());
    outside.close();
    ClosedException e = assertThrows(ClosedException.class, () -> f.apply(Tensor.of(3f)));
    assertTrue(
        e.getMessage().contains("[jit]") && e.getMessage().contains("f32(1)"), e::getMessage);
  }

  @Test
  void aPullbackMayBeCalledRepeatedly() {
    Vjp<Tensor, Tensor> v = Ad.vjp((Tensor a) -> a.sin().mul(a), Tensor.of(0.5f, 2f));
    double first = Math.sin(0.5) + 0.5 * Math.cos(0.5);
    double second = Math.sin(2) + 2 * Math.cos(2);
    assertClose(new double[] {first, 0}, v.pullback().apply(Tensor.of(1f, 0f)), 1e-5);
    assertClose(new double[] {0, 3 * second}, v.pullback().apply(Tensor.of(0f, 3f)), 1e-5);
    assertClose(new double[] {0.5 * Math.sin(0.5), 2 * Math.sin(2)}, v.value(), 1e-5);
  }

  @Test
  void resultsThatAreArgumentsOrConstants() {
    JitFn1<Tensor, List<Object>> f =
        Ad.jit((Tensor a) -> List.of(a, a, Tensor.of(7f), Tensor.ones(DType.FLOAT32, 2), "text"));
    Tensor x = Tensor.of(3f);
    List<Object> r = f.apply(x);
    x.close();
    assertEquals(3, ((Tensor) r.get(0)).item());
    ((Tensor) r.get(0)).close();
    assertEquals(3, ((Tensor) r.get(1)).item());
    assertEquals(7, ((Tensor) r.get(2)).item());
    assertArrayEquals(new float[] {1, 1}, ((Tensor) r.get(3)).toFloatArray());
    assertEquals("text", r.get(4));
  }

  @Test
  void threadsMayShareCompiledFunctionsAndTheDevice() throws Exception {
    JitFn1<Tensor, Tensor> f = Ad.jit((Tensor a) -> a.matmul(a).add(a).sum());
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> done = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int thread = t;
        Callable<Integer> work =
            () -> {
              int wrong = 0;
              for (int i = 0; i < 50; i++) {
                float v = thread * 50 + i;
                try (Tensor x = Tensor.of(new float[] {v, 0, 0, v}, 2, 2);
                    Tensor y = f.apply(x)) {
                  wrong += y.item() == 2 * (v * v + v) ? 0 : 1;
                }
                if (i % 10 == thread) {
                  Engine.dropCaches(open());
                }
              }
              return wrong;
            };
        done.add(pool.submit(work));
      }
      for (Future<Integer> d : done) {
        assertEquals(0, d.get());
      }
    }
    assertEquals(1, f.compilations());
  }

  @Test
  void flightRecorderEvents(@TempDir Path folder) throws IOException {
    List<String> names = List.of("Trace", "Compile", "Run", "Allocate", "Upload", "Read");
    Path file = folder.resolve("events.jfr");
    try (Recording r = new Recording()) {
      names.forEach(n -> r.enable("tapedeck." + n).withoutThreshold());
      r.start();
      // An odd size and an odd constant, so that something is compiled and allocated here.
      Ad.grad((Tensor a) -> a.mul(0.7123).exp().sum()).apply(floats(1, 4099)).toFloatArray();
      r.stop();
      r.dump(file);
    }
    List<String> seen =
        RecordingFile.readAllEvents(file).stream()
            .filter(e -> e.getEventType().getName().startsWith("tapedeck."))
            .map(e -> e.getEventType().getName().substring("tapedeck.".length()))
            .distinct()
            .sorted()
            .toList();
    assertEquals(names.stream().sorted().toList(), seen);
  }

  @Test
  void dumpsHoldTapesAndSchedules(@TempDir Path folder) throws IOException {
    with(
        Settings.DUMP,
        folder.toString(),
        () -> Ad.jit((Tensor a) -> a.mul(0.7321).tanh()).apply(floats(1, 13)));
    List<String> tapes = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path f : files.toList()) {
        String name = f.getFileName().toString();
        if (name.startsWith("tape-") && name.endsWith(".txt")) {
          tapes.add(Files.readString(f));
          String number = name.substring("tape-".length(), name.length() - ".txt".length());
          assertTrue(
              Files.readString(folder.resolve("schedule-" + number + ".txt")).contains("1 kernel"));
          assertTrue(
              Files.readString(folder.resolve("tape-" + number + ".dot")).startsWith("digraph"));
        }
      }
    }
    assertTrue(tapes.stream().anyMatch(t -> t.contains("= tanh")), tapes::toString);
  }
}
