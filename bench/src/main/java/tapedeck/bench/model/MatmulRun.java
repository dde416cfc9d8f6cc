package tapedeck.bench.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn2;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;
import tapedeck.bench.report.Samples;

/**
 * One matrix product by a device's compiled schedule and by a BLAS, in turns. Both have their
 * operands and their result in memory of their own that is there before.
 */
public final class MatmulRun implements AutoCloseable {
  private static final double TARGET_SECONDS = 0.005;
  private static final int MOST_REPETITIONS = 20_000;

  /** Elements of a result that are checked, in each of its dimensions. */
  private static final int CHECKED = 64;

  /**
   * An m x k by a k x n matrix, either of them the transpose of what lies in memory by rows.
   *
   * @param f64 whether elements are float64, otherwise float32
   */
  public record Shape(boolean f64, int m, int n, int k, boolean transA, boolean transB) {
    /** Floating-point operations: multiplications and additions. */
    public double flops() {
      return 2.0 * m * n * k;
    }

    private DType dtype() {
      return f64 ? DType.FLOAT64 : DType.FLOAT32;
    }
  }

  /** What samples are taken of. */
  public enum Clock {
    /** Elapsed time. */
    wall,
    /** Processor time of the calling thread, which other programs take nothing from. */
    cpu;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private long nanos() {
      return this == wall ? System.nanoTime() : THREADS.getCurrentThreadCpuTime();
    }
  }

  /** Who multiplies. */
  private interface Multiplier {
    void run();
  }

  private final Shape shape;
  private final Clock clock;
  private final Device device;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment a;
  private final MemorySegment b;
  private final MemorySegment c;
  private final List<Buffer> inputs;
  private final List<Buffer> outputs;
  private final Executable executable;
  private final Multiplier own;
  private final Optional<Multiplier> peer;
  private final Samples ownSamples = new Samples();
  private final Samples peerSamples = new Samples();
  private int ownRepetitions = 1;
  private int peerRepetitions = 1;

  /** Compiles the product and fills the operands with random numbers in [-1, 1). */
  public MatmulRun(Device device, Shape shape, Optional<Blas> blas, Clock clock) {
    this.shape = shape;
    this.clock = clock;
    this.device = device;
    long m = shape.m();
    this.a = random(m * shape.k(), 1);
    this.b = random((long) shape.k() * shape.n(), 2);
    this.c = arena.allocate(m * shape.n() * size(), 64);
    this.inputs = List.of(device.allocate(a.byteSize()), device.allocate(b.byteSize()));
    this.outputs = List.of(device.allocate(c.byteSize()));
    device.write(inputs.get(0), a);
    device.write(inputs.get(1), b);
    Fn2<Tensor, Tensor, Tensor> product =
        (x, y) -> (shape.transA() ? x.t() : x).matmul(shape.transB() ? y.t() : y);
    this.executable =
        device.compile(
            Scheduler.schedule(
                Ad.tape(
                        product,
                        zeros(shape.m(), shape.k(), shape.transA()),
                        zeros(shape.k(), shape.n(), shape.transB()))
                    .closed(),
                Set.of()));
    this.own = () -> executable.run(inputs, outputs);
    this.peer = blas.map(p -> () -> p.multiply(shape, a, b, c));
  }

  private Tensor zeros(int rows, int cols, boolean transposed) {
    return Tensor.zeros(shape.dtype(), transposed ? cols : rows, transposed ? rows : cols);
  }

  private long size() {
    return shape.dtype().bytes();
  }

  private MemorySegment random(long elements, long seed) {
    MemorySegment s = arena.allocate(elements * size(), 64);
    Random random = new Random(seed);
    for (long i = 0; i < elements; i++) {
      double v = 2 * random.nextDouble() - 1;
      if (shape.f64()) {
        s.setAtIndex(ValueLayout.JAVA_DOUBLE, i, v);
      } else {
        s.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) v);
      }
    }
    return s;
  }

  private double get(MemorySegment s, long i) {
    return shape.f64()
        ? s.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
        : s.getAtIndex(ValueLayout.JAVA_FLOAT, i);
  }

  /**
   * Multiplies once each and compares rows and columns throughout the results with float64 sums.
   *
   * @return the largest error of the device's elements, over the sum of their terms' magnitudes
   * @throws TapedeckException if an element is further off than rounding explains
   */
  public double check() {
    if (peer.isPresent()) {
      peer.get().run();
      compare(c, "the peer's");
    }
    own.run();
    MemorySegment result = arena.allocate(c.byteSize(), 64);
    device.read(outputs.get(0), result);
    return compare(result, "the device's");
  }

  private double compare(MemorySegment result, String whose) {
    double unit = shape.f64() ? 0x1p-53 : 0x1p-24;
    double worst = 0;
    int rows = Math.min(shape.m(), CHECKED);
    int cols = Math.min(shape.n(), CHECKED);
    for (int r = 0; r < rows; r++) {
      // evenly spread, the first and the last among them
      long i = rows == 1 ? 0 : (long) r * (shape.m() - 1) / (rows - 1);
      for (int s = 0; s < cols; s++) {
        long j = cols == 1 ? 0 : (long) s * (shape.n() - 1) / (cols - 1);
        double sum = 0;
        double magnitude = 0;
        for (long p = 0; p < shape.k(); p++) {
          double x = get(a, shape.transA() ? p * shape.m() + i : i * shape.k() + p);
          double y = get(b, shape.transB() ? j * shape.k() + p : p * shape.n() + j);
          sum += x * y;
          magnitude += Math.abs(x * y);
        }
        double error = Math.abs(get(result, i * shape.n() + j) - sum) / magnitude;
        if (!(error <= 2 * (shape.k() + 1) * unit)) {
          throw new TapedeckException(
              "[matmul] %s element %d,%d of %s is off by %.1e"
                  .formatted(whose, i, j, shape, error));
        }
        worst = Math.max(worst, error);
      }
    }
    return worst;
  }

  /**
   * Repeats until the time has not fallen for half of the seconds, and decides how often samples
   * repeat.
   */
  public void warmUp(double seconds) {
    ownRepetitions = warmUp(own, seconds);
    if (peer.isPresent()) {
      peerRepetitions = warmUp(peer.get(), seconds / 4);
    }
  }

  private int warmUp(Multiplier by, double seconds) {
    double least = WarmUp.least(seconds / 2, TARGET_SECONDS, n -> repeat(by, n));
    return Math.clamp((long) (TARGET_SECONDS / least), 1, MOST_REPETITIONS);
  }

  /** Takes a sample of both, one after the other, each after a run that does not count. */
  public void sample() {
    own.run();
    ownSamples.add(repeat(own, ownRepetitions));
    if (peer.isPresent()) {
      peer.get().run();
      peerSamples.add(repeat(peer.get(), peerRepetitions));
      Spinning.waitOut();
    }
  }

  private double repeat(Multiplier by, int n) {
    long start = clock.nanos();
    for (int i = 0; i < n; i++) {
      by.run();
    }
    device.synchronize();
    return (clock.nanos() - start) * 1e-9 / n;
  }

  /** Seconds of one product on the device. */
  public Samples samples() {
    return ownSamples;
  }

  /** Seconds of one product by the BLAS; none if there is none. */
  public Samples peerSamples() {
    return peerSamples;
  }

  @Override
  public void close() {
    executable.close();
    inputs.forEach(Buffer::close);
    outputs.forEach(Buffer::close);
    arena.close();
  }
}
