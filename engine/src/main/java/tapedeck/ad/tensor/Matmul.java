package tapedeck.ad.tensor;

import java.util.Arrays;
import java.util.List;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.ShapeException;

/**
 * Product of (batch..., m, k) and (batch..., k, n), giving (batch..., m, n). Ranks and batch axes
 * are equal; transposed and broadcast operands are views, so they cost no copy.
 *
 * @param precision of float32 products; those of derivatives and batches have the same
 */
public record Matmul(Precision precision) implements Op {
  @Override
  public String label() {
    return precision == Precision.HIGHEST ? "matmul" : "matmul[" + precision + "]";
  }

  @Override
  public Aval result(List<Aval> in) {
    Aval a = in.get(0);
    Aval b = in.get(1);
    if (a.dtype() != b.dtype() || !a.dtype().isFloat()) {
      throw new DTypeException(
          "[matmul] takes two operands of one float type, not " + a + " and " + b);
    }
    int r = a.rank();
    if (r < 2 || b.rank() != r) {
      throw new ShapeException("[matmul] ranks do not fit: " + a.shape() + " x " + b.shape());
    }
    if (a.shape().dim(-1) != b.shape().dim(-2)) {
      throw new ShapeException(
          "[matmul] inner dimensions must match: "
              + a.shape()
              + " x "
              + b.shape()
              + ", "
              + a.shape().dim(-1)
              + " != "
              + b.shape().dim(-2));
    }
    for (int i = 0; i < r - 2; i++) {
      if (a.shape().dim(i) != b.shape().dim(i)) {
        throw new ShapeException(
            "[matmul] batch axes must match: " + a.shape() + " x " + b.shape());
      }
    }
    return a.withShape(a.shape().without(r - 1).with(r - 1, b.shape().dim(-1)));
  }

  private Tensor product(Tensor a, Tensor b) {
    return Tensor.apply(this, a, b);
  }

  private static Tensor transposed(Tensor x) {
    return x.swapAxes(-1, -2);
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    Tensor left = t.get(0) == null ? null : product(t.get(0), x.get(1));
    Tensor right = t.get(1) == null ? null : product(x.get(0), t.get(1));
    return left == null ? right : right == null ? left : left.add(right);
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return Arrays.asList(
        wanted[0] ? product(ct, transposed(x.get(1))) : null,
        wanted[1] ? product(transposed(x.get(0)), ct) : null);
  }

  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    Tensor a = x.get(0);
    Tensor b = x.get(1);
    if (batched[0] && batched[1]) {
      return product(a, b);
    }
    // One shared matrix: fold the batch into the rows of one large product.
    if (batched[0] && b.rank() == 2) {
      int m = a.dim(1);
      return product(a.reshape(size * m, a.dim(2)), b).reshape(size, m, b.dim(1));
    }
    if (batched[1] && a.rank() == 2) {
      int n = b.dim(2);
      Tensor rows = transposed(b).reshape(size * n, b.dim(1));
      return transposed(product(rows, transposed(a)).reshape(size, n, a.dim(0)));
    }
    return batched[0]
        ? product(a, b.broadcastTo(b.shape().with(0, size)))
        : product(a.broadcastTo(a.shape().with(0, size)), b);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Product(precision);
  }
}
