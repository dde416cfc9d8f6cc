package tapedeck.bench.model;

import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.bench.data.Dataset;

/**
 * Images with labels.
 *
 * @param images (batch, features), float
 * @param labels (batch), int32
 */
public record Batch(Tensor images, Tensor labels) implements AutoCloseable {

  /** The chosen rows of a data set. */
  public static Batch of(Dataset data, int[] rows, DType dtype) {
    Tensor x = Tensor.of(data.images(rows), rows.length, data.features());
    return new Batch(dtype == DType.FLOAT32 ? x : x.cast(dtype), Tensor.of(data.labels(rows)));
  }

  @Override
  public void close() {
    images.close();
    labels.close();
  }
}
