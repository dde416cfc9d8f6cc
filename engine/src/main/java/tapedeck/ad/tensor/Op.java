package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.type.Aval;

/**
 * A primitive with one result and explicit rules. Rules are written with tensor methods, so they
 * can themselves be differentiated and batched. A null tangent or cotangent is a symbolic zero.
 */
public sealed interface Op extends Primitive
    permits Elementwise,
        Cast,
        StopGradient,
        Movement,
        Reduce,
        Matmul,
        Take,
        ScatterAdd,
        Iota,
        Full,
        RandomBits {

  /**
   * {@return type and shape of the only result}
   *
   * @param operands types and shapes of the operands
   * @throws tapedeck.ad.type.ShapeException if the operands' shapes do not fit
   * @throws tapedeck.ad.type.DTypeException if the operands' types do not fit
   */
  Aval result(List<Aval> operands);

  @Override
  default List<Aval> infer(List<Aval> operands) {
    return List.of(result(operands));
  }

  /**
   * The forward rule.
   *
   * @param x operands
   * @param y result
   * @param t tangents of the operands, null where zero, not all null
   * @return the tangent of the result, or null if it is zero
   */
  Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t);

  /**
   * The reverse rule.
   *
   * @param x operands
   * @param y result
   * @param ct cotangent of the result
   * @param wanted which operands need a cotangent
   * @return cotangents of the operands, null where zero; those that are not wanted are ignored
   */
  List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted);

  /**
   * Applies the primitive to a batch. Batched operands carry the batch in axis 0; so does the
   * result.
   *
   * @param x operands, at least one of them batched
   * @param batched which operands carry the batch axis
   * @param size extent of the batch axis
   * @return the results of all examples
   */
  Tensor vmap(List<Tensor> x, boolean[] batched, int size);

  /** {@return the primitive as kernel IR} */
  Lowering lower();
}
