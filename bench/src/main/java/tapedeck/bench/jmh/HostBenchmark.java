package tapedeck.bench.jmh;

import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.schedule.Scheduler;
import tapedeck.ad.tape.Tape;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.data.Batches;
import tapedeck.bench.data.ImageData;
import tapedeck.bench.model.Batch;
import tapedeck.bench.model.Mlp;
import tapedeck.bench.model.Optimizer;
import tapedeck.bench.model.ReplayOverhead;
import tapedeck.bench.model.TrainState;

/**
 * What the host does: tracing, scheduling and compiling the MLP's gradient, and replaying a chain
 * of tiny kernels or the update of many small parameters.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class HostBenchmark {
  private DeviceState on;
  private Mlp mlp;
  private Batch batch;
  private Tape tape;
  private Schedule schedule;
  private Tensor narrow;
  private Mlp gradient;
  private TrainState trained;
  private final Optimizer adam = new Optimizer.Adam(0.001);
  private final JitFn2<TrainState, Mlp, TrainState> update =
      Ad.jit((TrainState s, Mlp g) -> adam.update(s, g, s.step().neg().exp()), Donate.FIRST);
  private final Fn1<Tensor, Tensor> chain = Ad.jit((Fn1<Tensor, Tensor>) ReplayOverhead::chain);

  @Setup(Level.Trial)
  public void make(DeviceState state) {
    on = state;
    ImageData data = ImageData.digits();
    state.on(
        () -> {
          mlp = Mlp.init(DType.FLOAT32, 0, 64, 512, 512, 10);
          batch = Batch.of(data.train(), Batches.first(data.train().size(), 128), DType.FLOAT32);
          tape = trace();
          schedule = schedule();
          int[] widths = {64, 72, 80, 88, 96, 104, 112, 120, 10};
          gradient = Mlp.init(DType.FLOAT32, 1, widths);
          trained = adam.start(Mlp.init(DType.FLOAT32, 0, widths));
          narrow = Tensor.eye(DType.FLOAT32, 4).mul(0.5);
          return null;
        });
  }

  @Benchmark
  public Tape trace() {
    Fn2<Mlp, Batch, ValueAndGrad<Mlp>> f = Ad.valueAndGrad((Fn2<Mlp, Batch, Tensor>) Mlp::loss);
    return Ad.tape(f, mlp, batch);
  }

  @Benchmark
  public Schedule schedule() {
    return Scheduler.schedule(tape.closed(), Set.of());
  }

  @Benchmark
  public void compile() {
    on.open().compile(schedule).close();
  }

  /**
   * Microseconds for all kernels of the chain, the last of which may still run when the call
   * returns.
   */
  @Benchmark
  public void replayChain() {
    on.on(() -> chain.apply(narrow)).close();
  }

  /** Microseconds for Adam's update of sixteen small parameters, until the device has done it. */
  @Benchmark
  public void replayUpdate() {
    trained = on.on(() -> update.apply(trained, gradient));
    on.open().synchronize();
  }
}
