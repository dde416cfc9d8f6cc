package tapedeck.ad.tensor;

import java.util.Collections;
import java.util.List;
import tapedeck.ad.type.Aval;

/** The identity, with derivative zero. */
public record StopGradient() implements Op {
  @Override
  public String label() {
    return "stop_gradient";
  }

  @Override
  public Aval result(List<Aval> in) {
    return in.get(0);
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return null;
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return Collections.singletonList(null);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    return Tensor.apply(this, x.get(0));
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map((in, result, index) -> in.at(0, index), 0);
  }
}
