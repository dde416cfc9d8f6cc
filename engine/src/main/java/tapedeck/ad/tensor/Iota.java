package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;

/**
 * Position along {@code axis}, for every element. Takes no operands.
 *
 * @param dtype float or int32
 * @param shape shape of the result
 * @param axis in [0, rank)
 */
public record Iota(DType dtype, Shape shape, int axis) implements Op {
  @Override
  public String label() {
    return "iota<" + axis + ">";
  }

  @Override
  public Aval result(List<Aval> in) {
    if (dtype == DType.BOOL) {
      throw new DTypeException("[iota] cannot count in bool");
    }
    shape.axis("iota", axis);
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
    return Tensor.iota(dtype, shape.with(0, size), axis + 1);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map(
        (in, result, index) -> {
          Expr at = new Expr.IndexValue(index.get(axis));
          return dtype == DType.INT32 ? at : Expr.apply(ScalarOp.CAST, dtype, at);
        },
        1);
  }
}
