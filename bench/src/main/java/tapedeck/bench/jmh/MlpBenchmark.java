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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import tapedeck.bench.data.Batches;
import tapedeck.bench.data.ImageData;
import tapedeck.bench.model.MlpRun;

/**
 * The main job's network on the digits: loss, gradient, and a step of stochastic gradient descent.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class MlpBenchmark {
  @Param({"32", "128"})
  public int batch;

  private MlpRun run;

  @Setup(Level.Trial)
  public void make(DeviceState on) {
    ImageData data = ImageData.digits();
    int[] rows = Batches.first(data.train().size(), batch);
    run = new MlpRun(on.device, data.train(), rows, new int[] {64, 512, 512, 10}, 0);
  }

  @TearDown
  public void close() {
    run.close();
  }

  @Benchmark
  public void forward() {
    run.repeat(MlpRun.Work.FORWARD, 1);
  }

  @Benchmark
  public void gradient() {
    run.repeat(MlpRun.Work.GRADIENT, 1);
  }

  @Benchmark
  public void step() {
    run.repeat(MlpRun.Work.STEP, 1);
  }
}
