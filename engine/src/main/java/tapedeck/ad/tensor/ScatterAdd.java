package tapedeck.ad.tensor;

import java.util.Arrays;
import java.util.List;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.ShapeException;

/**
 * Adjoint of {@link Take}: slices of operand 0 along {@code axis} are added, in order, to an axis
 * of {@code extent} zeros at the clamped indices of operand 1.
 *
 * @param axis axis of operand 0 and of the result, in [0, rank)
 * @param extent extent of that axis in the result; 0 only if there is nothing to add
 */
public record ScatterAdd(int axis, int extent) implements Op {
  @Override
  public String label() {
    return "scatter_add<" + axis + ">";
  }

  @Override
  public Aval result(List<Aval> in) {
    Take.checkIndices("scatter_add", in.get(1));
    Aval a = in.get(0);
    if (a.dtype() == DType.BOOL) {
      throw new DTypeException("[scatter_add] takes float or int32 updates, not " + a);
    }
    int at = a.shape().axis("scatter_add", axis);
    if (a.shape().dim(at) != in.get(1).shape().dim(0)) {
      throw new ShapeException(
          "[scatter_add] one index per slice is needed: "
              + a.shape()
              + " along axis "
              + axis
              + ", indices "
              + in.get(1).shape());
    }
    if (extent < 0 || (extent == 0 && a.shape().dim(at) > 0)) {
      throw new ShapeException("[scatter_add] cannot scatter " + a + " into an axis of " + extent);
    }
    return a.withShape(a.shape().without(at).with(at, extent));
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return t.get(0) == null ? null : Tensor.apply(this, t.get(0), x.get(1));
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return Arrays.asList(wanted[0] ? Tensor.apply(new Take(axis), ct, x.get(1)) : null, null);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    Tensor idx = x.get(1);
    if (!batched[1]) {
      return Tensor.apply(new ScatterAdd(axis + 1, extent), x.get(0), idx);
    }
    Tensor a = batched[0] ? x.get(0) : x.get(0).broadcastTo(x.get(0).shape().with(0, size));
    Tensor front = a.moveAxis(axis + 1, 1);
    int[] joined = front.shape().without(0).dims();
    joined[0] = size * front.dim(1);
    Tensor rows =
        Tensor.apply(
            new ScatterAdd(0, size * extent),
            front.reshape(joined),
            Take.flatIndices(idx, size, extent));
    int[] split = front.shape().dims();
    split[1] = extent;
    return rows.reshape(split).moveAxis(1, axis + 1);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Scatter(axis);
  }
}
