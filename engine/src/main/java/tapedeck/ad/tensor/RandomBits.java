package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;

/**
 * Uniform 32-bit words as int32, from the int32 key (2) of its operand: word {@code lane} of Philox
 * 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) with the
 * element's row-major position as the counter. The same key gives the same bits on every device.
 *
 * @param shape shape of the result, of at most 2^31-1 elements
 * @param lane which of the four words of a block, 0 to 3
 */
public record RandomBits(Shape shape, int lane) implements Op {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;

  @Override
  public String label() {
    return "random_bits<" + lane + ">";
  }

  @Override
  public Aval result(List<Aval> in) {
    if (in.get(0).dtype() != DType.INT32) {
      throw new DTypeException("[random_bits] the key must be i32(2), not " + in.get(0));
    }
    if (!in.get(0).shape().equals(Shape.of(2)) || shape.size() > Integer.MAX_VALUE) {
      throw new ShapeException(
          "[random_bits] needs a key i32(2) and at most 2^31-1 elements: "
              + in.get(0)
              + " "
              + shape);
    }
    return new Aval(DType.INT32, shape);
  }

  @Override
  public Tensor jvp(List<Tensor> x, Tensor y, List<Tensor> t) {
    return null;
  }

  @Override
  public List<Tensor> vjp(List<Tensor> x, Tensor y, Tensor ct, boolean[] wanted) {
    return java.util.Collections.singletonList(null);
  }

  /** A batch of keys (size, 2): each row draws what its key alone would draw. */
  @Override
  public Tensor vmap(List<Tensor> x, boolean[] batched, int size) {
    Tensor[] rows = new Tensor[size];
    for (int i = 0; i < size; i++) {
      rows[i] = Tensor.apply(this, x.get(0).get(i));
    }
    return Tensor.stack(0, rows);
  }

  private static Expr word(int v) {
    return Expr.constant(DType.INT32, v);
  }

  private static Expr op(ScalarOp op, Expr a, Expr b) {
    return Expr.apply(op, DType.INT32, a, b);
  }

  @Override
  public Lowering lower() {
    return new Lowering.Map(
        (in, result, index) -> {
          long[] strides = shape.strides();
          Index linear = Index.ZERO;
          for (int i = 0; i < index.size(); i++) {
            linear = linear.plus(index.get(i).times(strides[i]));
          }
          Expr k0 = in.at(0, List.of(Index.of(0)));
          Expr k1 = in.at(0, List.of(Index.of(1)));
          Expr[] c = {new Expr.IndexValue(linear), word(0), word(0), word(0)};
          for (int round = 0; round < 10; round++) {
            Expr h0 = op(ScalarOp.UMULHI, word(M0), c[0]);
            Expr l0 = op(ScalarOp.MUL, word(M0), c[0]);
            Expr h1 = op(ScalarOp.UMULHI, word(M1), c[2]);
            Expr l1 = op(ScalarOp.MUL, word(M1), c[2]);
            c =
                new Expr[] {
                  op(ScalarOp.XOR, op(ScalarOp.XOR, h1, c[1]), k0), l1,
                  op(ScalarOp.XOR, op(ScalarOp.XOR, h0, c[3]), k1), l0
                };
            k0 = op(ScalarOp.ADD, k0, word(W0));
            k1 = op(ScalarOp.ADD, k1, word(W1));
          }
          return c[lane];
        },
        100);
  }
}
