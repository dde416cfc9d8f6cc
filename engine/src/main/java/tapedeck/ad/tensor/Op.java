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

  /** Shape rule for the only result. */
  Aval result(List<Aval> operands);

  @Override
  default List<Aval> infer(List<Aval> operands) {
    return List.of(result(operands));
  }

  /**
   * Tangent of the result, or null if it is zero.
   *
   * @param x operands
   * @param y result
   * @param t tangents of the operands, null where zero, not all null
   */
  Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t);

  /**
   * Cotangents of the operands, null where zero or not wanted.
   *
   * @param x operands
   * @param y result
   * @param ct cotangent of the result
   * @param wanted which operands need a cotangent
   */
  List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted);

  /**
   * Applies the primitive to a batch. Batched operands carry the batch in axis 0; so does the
   * result.
   *
   * @param x operands, at least one of them batched
   * @param batched which operands carry the batch axis
   * @param size extent of the batch axis
   */
  Tensor vmap(List<Tensor> x, boolean[] batched, int size);

  Lowering lower();
}
