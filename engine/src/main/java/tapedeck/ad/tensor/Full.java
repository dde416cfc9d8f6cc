package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Shape;

/**
 * One value everywhere. Takes no operands.
 *
 * @param dtype element type
 * @param shape shape of the result
 * @param value a value that the type represents; bool is 0 or 1
 */
public record Full(DType dtype, Shape shape, double value) implements Op {
  @Override
  public String label() {
    return "full<" + value + ">";
  }

  @Override
  public Aval result(List<Aval> in) {
    return new Aval(dtype, shape);
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return null;
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return List.of();
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    return Tensor.full(dtype, shape.with(0, size), value);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map((in, result, index) -> Expr.constant(dtype, value), 0);
  }
}
