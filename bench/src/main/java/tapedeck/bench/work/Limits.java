package tapedeck.bench.work;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.function.IntConsumer;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * What a device can do at most, as measured: the best of some probes. Where the device is the
 * processor itself, loops of this class and plain copies are probes too, on as many threads.
 *
 * @param bytesPerSecond copying, bytes read and written together
 * @param operations separate float32 operations per second
 * @param fused float32 operations per second where an addition fuses with a multiplication
 * @param operations64 as {@code operations}, in float64
 * @param fused64 as {@code fused}, in float64
 */
public record Limits(
    double bytesPerSecond, double operations, double fused, double operations64, double fused64) {
  private static final int COPY_ELEMENTS = 1 << 24;
  private static final int SQUARE = 1024;
  private static final int CHAIN = 64;
  private static final int CHAIN_ELEMENTS = 1 << 18;

  /**
   * A GPU's second-level cache holds what a processor's does not, and submitting takes its time.
   */
  private static final int GPU_FACTOR = 4;

  private static final int GPU_REPETITIONS = 10;
  private static final int LOOP = 4096;
  private static final int LOOP_ROUNDS = 2000;
  private static final int PROBES = 9;

  /** Keeps the JVM from leaving out loops whose result nobody reads. */
  static volatile double sink;

  /** The least time in which a kernel of this cost can be done. */
  public double seconds(KernelCost c) {
    double rate =
        c.product() ? (c.float64() ? fused64 : fused) : (c.float64() ? operations64 : operations);
    return Math.max(c.bytes() / bytesPerSecond, c.operations() / rate);
  }

  /** For a report. */
  public Map<String, Object> toMap() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("copy_bytes_per_second", bytesPerSecond);
    m.put("float32_operations_per_second", operations);
    m.put("float32_fused_operations_per_second", fused);
    m.put("float64_operations_per_second", operations64);
    m.put("float64_fused_operations_per_second", fused64);
    return m;
  }

  /**
   * Measures devices. Those that are the processor itself share one set of limits.
   *
   * @param threads of the host's probes
   */
  public static Map<String, Limits> measure(List<String> devices, int threads) {
    Map<String, Limits> each = new LinkedHashMap<>();
    devices.forEach(d -> each.put(d, measure(d, threads)));
    List<String> hosts =
        devices.stream().filter(d -> Devices.open(d).info().kind().equals("cpu")).toList();
    hosts.stream()
        .map(each::get)
        .reduce(Limits::best)
        .ifPresent(best -> hosts.forEach(h -> each.put(h, best)));
    return each;
  }

  /** The better of two measurements of the same devices, figure by figure. */
  public static Map<String, Limits> best(Map<String, Limits> a, Map<String, Limits> b) {
    Map<String, Limits> out = new LinkedHashMap<>();
    a.forEach((d, l) -> out.put(d, l.best(Objects.requireNonNull(b.get(d)))));
    return out;
  }

  private Limits best(Limits o) {
    return new Limits(
        Math.max(bytesPerSecond, o.bytesPerSecond),
        Math.max(operations, o.operations),
        Math.max(fused, o.fused),
        Math.max(operations64, o.operations64),
        Math.max(fused64, o.fused64));
  }

  private static Limits measure(String deviceName, int threads) {
    Device device = Devices.open(deviceName);
    boolean host = device.info().kind().equals("cpu");
    boolean wide = device.supports(DType.FLOAT64);
    double copy = copy(device);
    double plain = chain(device, DType.FLOAT32);
    double fused = Math.max(plain, product(device, DType.FLOAT32));
    double plain64 = wide ? chain(device, DType.FLOAT64) : 0;
    double fused64 = wide ? Math.max(plain64, product(device, DType.FLOAT64)) : 0;
    if (host) {
      copy = Math.max(copy, hostCopy(threads));
      plain = Math.max(plain, hostRate(threads, Limits::plainFloats));
      fused = Math.max(fused, hostRate(threads, Limits::fusedFloats));
      plain64 = Math.max(plain64, hostRate(threads, Limits::plainDoubles));
      fused64 = Math.max(fused64, hostRate(threads, Limits::fusedDoubles));
    }
    return new Limits(copy, plain, fused, plain64, fused64);
  }

  // ---- probes that are kernels ---------------------------------------------------------------

  private static double best(Device device, Fn1<Tensor, Tensor> f, Tensor x) {
    JitFn1<Tensor, Tensor> jit = Ad.jit(f);
    double best = Double.MAX_VALUE;
    boolean gpu = factor(device) > 1;
    // The JVM compiles a kernel while the first ones run.
    long warm = System.nanoTime() + (gpu ? 100_000_000L : 700_000_000L);
    int repetitions = gpu ? GPU_REPETITIONS : 1;
    for (int i = 0; i < PROBES || System.nanoTime() < warm; i++) {
      long start = System.nanoTime();
      for (int r = 0; r < repetitions; r++) {
        jit.apply(x).close();
      }
      device.synchronize();
      best = Math.min(best, (System.nanoTime() - start) * 1e-9 / repetitions);
    }
    return best;
  }

  private static int factor(Device device) {
    return device.info().kind().equals("gpu") ? GPU_FACTOR : 1;
  }

  private static double copy(Device device) {
    return Ad.onDevice(
        device.name(),
        () -> {
          int n = COPY_ELEMENTS * factor(device);
          try (Tensor x = Tensor.ones(DType.FLOAT32, n).add(1)) {
            return 2.0 * n * Float.BYTES / best(device, Tensor::neg, x);
          }
        });
  }

  private static double chain(Device device, DType type) {
    return Ad.onDevice(
        device.name(),
        () -> {
          int n = CHAIN_ELEMENTS * factor(device) * factor(device) * factor(device);
          try (Tensor x = Tensor.full(type, 0.5, n).add(0.25)) {
            double s =
                best(
                    device,
                    v -> {
                      Tensor y = v;
                      for (int i = 0; i < CHAIN; i++) {
                        y = y.mul(v).add(0.25);
                      }
                      return y;
                    },
                    x);
            return 2.0 * CHAIN * n / s;
          }
        });
  }

  private static double product(Device device, DType type) {
    return Ad.onDevice(
        device.name(),
        () -> {
          // Some GPUs have a sixty-fourth of the rate in float64.
          int n = SQUARE * (type == DType.FLOAT32 ? factor(device) : 1);
          try (Tensor x = Tensor.full(type, 0.5, n, n).add(0.25)) {
            return 2.0 * n * n * n / best(device, v -> v.matmul(v), x);
          }
        });
  }

  // ---- probes on the host --------------------------------------------------------------------

  /** Seconds from the first start to the last end of {@code threads} threads that do the work. */
  private static double together(int threads, IntConsumer work) {
    CyclicBarrier start = new CyclicBarrier(threads);
    long[] begin = new long[threads];
    long[] end = new long[threads];
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int id = i;
      all.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    await(start);
                    begin[id] = System.nanoTime();
                    work.accept(id);
                    end[id] = System.nanoTime();
                  }));
    }
    for (Thread thread : all) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return (Arrays.stream(end).max().orElseThrow() - Arrays.stream(begin).min().orElseThrow())
        * 1e-9;
  }

  private static void await(CyclicBarrier b) {
    try {
      b.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double hostCopy(int threads) {
    float[] from = new float[COPY_ELEMENTS];
    float[] to = new float[COPY_ELEMENTS];
    long part = (long) COPY_ELEMENTS * Float.BYTES / threads;
    MemorySegment a = MemorySegment.ofArray(from);
    MemorySegment b = MemorySegment.ofArray(to);
    double best = Double.MAX_VALUE;
    for (int i = 0; i < PROBES; i++) {
      best =
          Math.min(
              best, together(threads, id -> MemorySegment.copy(a, id * part, b, id * part, part)));
    }
    return 2.0 * part * threads / best;
  }

  /** A loop on the host; returns the operations that it does per call. */
  @FunctionalInterface
  private interface HostLoop {
    double run(int rounds);
  }

  private static double hostRate(int threads, HostLoop loop) {
    loop.run(LOOP_ROUNDS);
    double best = 0;
    for (int i = 0; i < PROBES; i++) {
      double[] done = new double[threads];
      double s = together(threads, id -> done[id] = loop.run(LOOP_ROUNDS));
      best = Math.max(best, Arrays.stream(done).sum() / s);
    }
    return best;
  }

  // Sixteen dependent steps on each of many independent elements: C2 makes vectors of the elements
  // and the processor overlaps them. Values converge, so that none becomes denormal.

  private static double fusedFloats(int rounds) {
    float[] a = new float[LOOP];
    for (int r = 0; r < rounds; r++) {
      fused(a, 0.5f, 0.25f);
    }
    sink = a[rounds % LOOP];
    return 2.0 * 16 * LOOP * rounds;
  }

  private static void fused(float[] a, float m, float c) {
    for (int i = 0; i < a.length; i++) {
      float v = a[i];
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      a[i] = v;
    }
  }

  private static double plainFloats(int rounds) {
    float[] a = new float[LOOP];
    for (int r = 0; r < rounds; r++) {
      plain(a, 0.5f, 0.25f);
    }
    sink = a[rounds % LOOP];
    return 2.0 * 8 * LOOP * rounds;
  }

  private static void plain(float[] a, float m, float c) {
    for (int i = 0; i < a.length; i++) {
      float v = a[i];
      v = (((v * m + c) * m + c) * m + c) * m + c;
      v = (((v * m + c) * m + c) * m + c) * m + c;
      a[i] = v;
    }
  }

  private static double fusedDoubles(int rounds) {
    double[] a = new double[LOOP];
    for (int r = 0; r < rounds; r++) {
      fused(a, 0.5, 0.25);
    }
    sink = a[rounds % LOOP];
    return 2.0 * 16 * LOOP * rounds;
  }

  private static void fused(double[] a, double m, double c) {
    for (int i = 0; i < a.length; i++) {
      double v = a[i];
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      v = Math.fma(Math.fma(Math.fma(Math.fma(v, m, c), m, c), m, c), m, c);
      a[i] = v;
    }
  }

  private static double plainDoubles(int rounds) {
    double[] a = new double[LOOP];
    for (int r = 0; r < rounds; r++) {
      plain(a, 0.5, 0.25);
    }
    sink = a[rounds % LOOP];
    return 2.0 * 8 * LOOP * rounds;
  }

  private static void plain(double[] a, double m, double c) {
    for (int i = 0; i < a.length; i++) {
      double v = a[i];
      v = (((v * m + c) * m + c) * m + c) * m + c;
      v = (((v * m + c) * m + c) * m + c) * m + c;
      a[i] = v;
    }
  }
}
