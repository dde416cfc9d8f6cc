package tapedeck.ad.tensor;

import java.util.Collections;
import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;

/**
 * Conversion of element types; linear between float types, flat otherwise.
 *
 * @param to element type of the result; see {@link ScalarOp#CAST}
 */
public record Cast(DType to) implements Op {
  @Override
  public String label() {
    return "cast<" + to + ">";
  }

  @Override
  public Aval result(List<Aval> in) {
    return in.get(0).withDType(to);
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return to.isFloat() && x.get(0).dtype().isFloat() ? t.get(0).cast(to) : null;
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    DType from = x.get(0).dtype();
    return Collections.singletonList(to.isFloat() && from.isFloat() ? ct.cast(from) : null);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    return Tensor.apply(this, x.get(0));
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map(
        (in, result, index) -> Expr.apply(ScalarOp.CAST, to, in.at(0, index)), 1);
  }
}
