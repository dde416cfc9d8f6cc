package tapedeck.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.tensor.Tensor;

/** Single kernels on square float32 matrices. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// One fork: what differs between JVMs is small against what the machine does. Two seconds are
// enough for the generated kernels to be compiled.
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
  @Param({"256", "1024"})
  public int size;

  private DeviceState on;
  private Tensor a;
  private Tensor b;
  private final Fn2<Tensor, Tensor, Tensor> matmul = Ad.jit((Tensor x, Tensor y) -> x.matmul(y));
  private final Fn2<Tensor, Tensor, Tensor> elementwise =
      Ad.jit((Tensor x, Tensor y) -> x.mul(y).add(x).tanh().mul(0.5).add(1));
  private final Fn1<Tensor, Tensor> softmax = Ad.jit((Tensor x) -> x.softmax(1));
  private final Fn1<Tensor, Tensor> transpose = Ad.jit((Tensor x) -> x.t().add(1));
  private final Fn1<Tensor, Tensor> columnSums = Ad.jit((Tensor x) -> x.sum(0));

  @Setup(Level.Trial)
  public void make(DeviceState state) {
    on = state;
    a = state.normal(1, size, size);
    b = state.normal(2, size, size);
  }

  @Benchmark
  public void matmul() {
    on.finish(on.on(() -> matmul.apply(a, b)));
  }

  @Benchmark
  public void elementwise() {
    on.finish(on.on(() -> elementwise.apply(a, b)));
  }

  @Benchmark
  public void softmax() {
    on.finish(on.on(() -> softmax.apply(a)));
  }

  @Benchmark
  public void transpose() {
    on.finish(on.on(() -> transpose.apply(a)));
  }

  @Benchmark
  public void columnSums() {
    on.finish(on.on(() -> columnSums.apply(a)));
  }
}
