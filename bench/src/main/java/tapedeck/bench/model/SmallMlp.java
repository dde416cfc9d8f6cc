package tapedeck.bench.model;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.RandomKey;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * The network 5-16-1 of the lecture: tanh(x W1ᵀ + b1) · W2 + b2.
 *
 * @param w1 (16, 5)
 * @param b1 (16)
 * @param w2 (16)
 * @param b2 scalar
 */
public record SmallMlp(Tensor w1, Tensor b1, Tensor w2, Tensor b2) {
  public static final int INPUTS = 5;
  public static final int HIDDEN = 16;

  /** All parameters: 80 + 16 + 16 + 1. */
  public static final int SIZE = HIDDEN * INPUTS + HIDDEN + HIDDEN + 1;

  /**
   * Examples with their targets.
   *
   * @param x (batch, 5)
   * @param y (batch)
   */
  public record Examples(Tensor x, Tensor y) {}

  /** Small random parameters. */
  public static SmallMlp init(DType dtype, long seed) {
    RandomKey key = RandomKey.of(seed);
    return new SmallMlp(
        key.fold(0).normal(dtype, HIDDEN, INPUTS).mul(1 / Math.sqrt(INPUTS)),
        key.fold(1).normal(dtype, HIDDEN).mul(0.1),
        key.fold(2).normal(dtype, HIDDEN).mul(1 / Math.sqrt(HIDDEN)),
        key.fold(3).normal(dtype).mul(0.1));
  }

  /** A batch of random points whose target is the sine of their sum. */
  public static Examples examples(DType dtype, int batch, long seed) {
    Tensor x = RandomKey.of(seed).normal(dtype, batch, INPUTS);
    return new Examples(x, x.sum(1).sin());
  }

  /** Mean squared error over the batch: a scalar. */
  public Tensor loss(Examples e) {
    Tensor y = e.x().matmul(w1.t()).add(b1).tanh().matmul(w2).add(b2);
    return y.sub(e.y()).square().mean();
  }

  public List<Tensor> parameters() {
    return List.of(w1, b1, w2, b2);
  }

  /** The parameters from one vector. */
  public static SmallMlp fromVector(Tensor v) {
    int weights = HIDDEN * INPUTS;
    return new SmallMlp(
        v.slice(0, 0, weights).reshape(HIDDEN, INPUTS),
        v.slice(0, weights, weights + HIDDEN),
        v.slice(0, weights + HIDDEN, weights + 2 * HIDDEN),
        v.slice(0, weights + 2 * HIDDEN, SIZE).reshape());
  }

  /** The parameters as one vector of 113. */
  public Tensor toVector() {
    List<Tensor> flat = new ArrayList<>();
    parameters().forEach(t -> flat.add(t.flatten()));
    return Tensor.concat(0, flat.toArray(Tensor[]::new));
  }
}
