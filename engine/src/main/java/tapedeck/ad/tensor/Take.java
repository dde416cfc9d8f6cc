package tapedeck.ad.tensor;

import java.util.Arrays;
import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.ShapeException;

/**
 * Slices of operand 0 along {@code axis}, picked by the int32 vector of operand 1. Indices are
 * clamped into [0, extent), because a device cannot raise an error for one.
 *
 * @param axis axis of operand 0 that the picked slices replace, in [0, rank)
 */
public record Take(int axis) implements Op {
  @Override
  public String label() {
    return "take<" + axis + ">";
  }

  /** Checks that an operand is an int32 vector. */
  static void checkIndices(String op, Aval indices) {
    if (indices.dtype() != DType.INT32) {
      throw new DTypeException("[" + op + "] indices must be i32, not " + indices);
    }
    if (indices.rank() != 1) {
      throw new ShapeException("[" + op + "] indices must be a vector, not " + indices);
    }
  }

  /**
   * {@return an index value kept within [0, extent)}
   *
   * @param value int32 expression
   * @param extent at least 1
   */
  public static Index clamped(Expr value, int extent) {
    Expr low = Expr.apply(ScalarOp.MAX, DType.INT32, value, Expr.constant(DType.INT32, 0));
    return Index.of(
        Expr.apply(ScalarOp.MIN, DType.INT32, low, Expr.constant(DType.INT32, extent - 1)), extent);
  }

  @Override
  public Aval result(List<Aval> in) {
    checkIndices("take", in.get(1));
    int n = in.get(0).shape().dim(in.get(0).shape().axis("take", axis));
    if (n == 0 && in.get(1).shape().size() > 0) {
      throw new ShapeException(
          "[take] cannot take from the empty axis " + axis + " of " + in.get(0));
    }
    return in.get(0)
        .withShape(in.get(0).shape().without(axis).with(axis, in.get(1).shape().dim(0)));
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return t.get(0) == null ? null : Tensor.apply(this, t.get(0), x.get(1));
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return Arrays.asList(
        wanted[0] ? Tensor.apply(new ScatterAdd(axis, x.get(0).dim(axis)), ct, x.get(1)) : null,
        null);
  }

  /** Row numbers into a (size * extent) axis, for a (size, n) matrix of indices. */
  static Tensor flatIndices(Tensor indices, int size, int extent) {
    // Row number times extent, on the tape: the row comes from the indices, which a trace knows.
    Tensor row = indices.mul(0).add(Tensor.iota(DType.INT32, indices.shape(), 0));
    return indices.clamp(0, Math.max(0, extent - 1)).add(row.mul(extent)).reshape(-1);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    Tensor a = x.get(0);
    Tensor idx = x.get(1);
    if (!batched[1]) {
      return Tensor.apply(new Take(axis + 1), a, idx);
    }
    int count = idx.dim(1);
    if (!batched[0]) {
      Tensor all = Tensor.apply(this, a, idx.reshape(size * count));
      int[] split = all.shape().without(axis).with(axis, count).with(axis, size).dims();
      return all.reshape(split).moveAxis(axis, 0);
    }
    Tensor front = a.moveAxis(axis + 1, 1);
    int n = front.dim(1);
    int[] joined = front.shape().without(0).dims();
    joined[0] = size * n;
    Tensor rows = Tensor.apply(new Take(0), front.reshape(joined), flatIndices(idx, size, n));
    int[] split = front.shape().dims();
    split[1] = count;
    return rows.reshape(split).moveAxis(1, axis + 1);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map(
        (in, result, index) -> {
          Index[] source = index.toArray(Index[]::new);
          Expr at = in.at(1, List.of(index.get(axis)));
          source[axis] = clamped(at, in.aval(0).shape().dim(axis));
          return in.at(0, List.of(source));
        },
        4);
  }
}
