package tapedeck.bench.model;

import java.util.List;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/** A rule that turns gradients into updates. */
public sealed interface Optimizer {

  /** Running means before the first step. */
  List<Mlp> moments(Mlp params);

  /**
   * The state after a step.
   *
   * @param scale factor of the learning rate: a scalar
   */
  TrainState update(TrainState state, Mlp gradient, Tensor scale);

  /** The state before the first step. */
  default TrainState start(Mlp params) {
    DType dtype = params.layers().get(0).w().dtype();
    return new TrainState(params, moments(params), Tensor.scalar(dtype, 0));
  }

  /** Stochastic gradient descent with momentum (0 for none). */
  record Sgd(double rate, double momentum) implements Optimizer {
    @Override
    public List<Mlp> moments(Mlp params) {
      return momentum == 0 ? List.of() : List.of(params.map(Tensor::zerosLike));
    }

    @Override
    public TrainState update(TrainState s, Mlp gradient, Tensor scale) {
      Mlp direction =
          momentum == 0
              ? gradient
              : s.moments().get(0).zip(gradient, (v, g) -> v.mul(momentum).add(g));
      Tensor rate = scale.mul(this.rate);
      return new TrainState(
          s.params().zip(direction, (p, d) -> p.sub(d.mul(rate))),
          momentum == 0 ? List.of() : List.of(direction),
          s.step().add(1));
    }
  }

  /** Kingma, Ba: Adam, a method for stochastic optimization, 2015; with its constants. */
  record Adam(double rate) implements Optimizer {
    private static final double B1 = 0.9;
    private static final double B2 = 0.999;
    private static final double EPS = 1e-8;

    @Override
    public List<Mlp> moments(Mlp params) {
      return List.of(params.map(Tensor::zerosLike), params.map(Tensor::zerosLike));
    }

    @Override
    public TrainState update(TrainState s, Mlp gradient, Tensor scale) {
      Tensor t = s.step().add(1);
      Mlp m = s.moments().get(0).zip(gradient, (a, g) -> a.mul(B1).add(g.mul(1 - B1)));
      Mlp v = s.moments().get(1).zip(gradient, (a, g) -> a.mul(B2).add(g.square().mul(1 - B2)));
      Tensor c1 = t.mul(Math.log(B1)).expm1().neg();
      Tensor c2 = t.mul(Math.log(B2)).expm1().neg();
      Tensor rate = scale.mul(this.rate).div(c1);
      Mlp direction = m.zip(v, (a, b) -> a.div(b.div(c2).sqrt().add(EPS)));
      return new TrainState(
          s.params().zip(direction, (p, d) -> p.sub(d.mul(rate))), List.of(m, v), t);
    }
  }
}
