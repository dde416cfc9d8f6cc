package tapedeck.bench.model;

import java.util.List;
import tapedeck.ad.tensor.Tensor;

/**
 * What a training step changes.
 *
 * @param moments the optimiser's running means, each of the shape of the parameters
 * @param step number of steps taken: a scalar
 */
public record TrainState(Mlp params, List<Mlp> moments, Tensor step) implements AutoCloseable {
  @Override
  public void close() {
    params.parameters().forEach(Tensor::close);
    moments.forEach(m -> m.parameters().forEach(Tensor::close));
    step.close();
  }
}
