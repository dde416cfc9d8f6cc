package tapedeck.bench.model;

import java.util.List;
import tapedeck.ad.Ad;
import tapedeck.ad.Donate;
import tapedeck.ad.JitFn2;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.TapedeckException;
import tapedeck.bench.data.Batches;
import tapedeck.bench.data.Dataset;
import tapedeck.bench.data.ImageData;

/**
 * Trains a network on the default device. The learning rate falls to 0 along half a cosine
 * (Loshchilov, Hutter: SGDR, 2017). A step is one call of a compiled function that updates its
 * state in place.
 */
public final class Trainer implements AutoCloseable {
  private static final int EVALUATION_BATCH = 500;

  /** Told what happens. */
  public interface Progress {
    /** A step is done; {@code loss} is that of its batch, or NaN where it was not read. */
    void step(int epoch, double loss);

    /** An epoch is done. */
    void epoch(int epoch, double loss, double accuracy);
  }

  /**
   * How to train.
   *
   * @param seed decides the order of the images
   */
  public record Plan(Optimizer optimizer, int epochs, int batch, long seed) {}

  private record Stepped(TrainState state, Tensor loss) {}

  private static final int READ_EVERY = 20;

  private final ImageData data;
  private final Plan plan;
  private final JitFn2<TrainState, Batch, Stepped> step;
  private final JitFn2<Mlp, Batch, Tensor> hits;
  private TrainState state;

  public Trainer(ImageData data, Plan plan, Mlp start) {
    this.data = data;
    this.plan = plan;
    this.state = plan.optimizer.start(start);
    int steps = Math.max(1, stepsPerEpoch() * plan.epochs);
    this.step =
        Ad.jit(
            (TrainState s, Batch b) -> {
              ValueAndGrad<Mlp> r = Ad.valueAndGrad(Mlp::loss).apply(s.params(), b);
              Tensor scale = s.step().mul(Math.PI / steps).cos().add(1).mul(0.5);
              return new Stepped(plan.optimizer.update(s, r.grad(), scale), r.value());
            },
            Donate.FIRST);
    this.hits = Ad.jit(Mlp::hits);
  }

  /** Whole batches of an epoch. */
  public int stepsPerEpoch() {
    return data.train().size() / plan.batch;
  }

  /**
   * Trains for all epochs and returns the accuracy on the held-out images.
   *
   * @throws TapedeckException if the loss is not finite at the end of an epoch
   */
  public double train(Progress progress) {
    double accuracy = Double.NaN;
    for (int epoch = 0; epoch < plan.epochs; epoch++) {
      double loss = Double.NaN;
      List<int[]> batches = Batches.shuffled(data.train().size(), plan.batch, plan.seed, epoch);
      for (int i = 0; i < batches.size(); i++) {
        boolean read = i % READ_EVERY == 0 || i + 1 == batches.size();
        try (Batch b = Batch.of(data.train(), batches.get(i), DType.FLOAT32)) {
          Stepped s = step.apply(state, b);
          state = s.state();
          try (Tensor l = s.loss()) {
            loss = read ? l.item() : loss;
          }
        }
        progress.step(epoch, read ? loss : Double.NaN);
      }
      if (!Double.isFinite(loss)) {
        throw new TapedeckException(
            "[train] the loss is %s in epoch %d: the parameters are of no use; a smaller learning rate may help"
                .formatted(loss, epoch + 1));
      }
      accuracy = accuracy(data.test());
      progress.epoch(epoch, loss, accuracy);
    }
    return plan.epochs == 0 ? accuracy(data.test()) : accuracy;
  }

  /** Share of images whose highest score is at their label. */
  public double accuracy(Dataset images) {
    long right = 0;
    for (int[] rows : Batches.inOrder(images.size(), EVALUATION_BATCH)) {
      try (Batch b = Batch.of(images, rows, DType.FLOAT32);
          Tensor n = hits.apply(state.params(), b)) {
        right += (long) n.item();
      }
    }
    return right / (double) images.size();
  }

  /** The parameters as they are now; they belong to this trainer. */
  public Mlp params() {
    return state.params();
  }

  /** Kernels that one step launches. */
  public int kernels() {
    return step.kernels();
  }

  @Override
  public void close() {
    state.close();
  }
}
