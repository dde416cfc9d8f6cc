package tapedeck.ad.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DTypeException;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.Shape;
import tapedeck.ad.type.ShapeException;
import tapedeck.ad.type.SourceLine;

/**
 * The reductions of {@link Tensor} and what is composed of other operations: statistics, norms,
 * positions, matrix products, activations, softmax. Axes may be negative and must differ; no axes
 * means all of them. The result no longer has the axes that are reduced over, or has them with
 * extent 1 where a method's first argument {@code keepDims} is true. In the formulas x is this
 * tensor.
 */
public abstract sealed class TensorReductions extends TensorMath permits Tensor {
  TensorReductions() {}

  // ---- reductions -----------------------------------------------------------------------------

  /** Reduces over some axes (none given: all); kept axes have extent 1 if {@code keepDims}. */
  Tensor reduce(Reducer reducer, boolean keepDims, int... axes) {
    List<Integer> a = axesOf(reducer.name().toLowerCase(Locale.ROOT), axes);
    Reduce op = new Reduce(reducer, a);
    Tensor r = self();
    if (a.isEmpty()) {
      op.requireType(r.aval());
    } else {
      r = Tensor.apply(op, r);
    }
    if (!keepDims) {
      return r;
    }
    int[] d = shape().dims();
    a.forEach(i -> d[i] = 1);
    return r.reshape(Shape.of(d));
  }

  /**
   * {@return the sum; 0 of nothing}
   *
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor sum(int... axes) {
    return reduce(Reducer.SUM, false, axes);
  }

  /**
   * {@return the sum; 0 of nothing}
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor sum(boolean keepDims, int... axes) {
    return reduce(Reducer.SUM, keepDims, axes);
  }

  /**
   * {@return the product; 1 of nothing} The derivative is right where factors are 0 too.
   *
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor prod(int... axes) {
    return reduce(Reducer.PROD, false, axes);
  }

  /**
   * {@return the product; 1 of nothing} The derivative is right where factors are 0 too.
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor prod(boolean keepDims, int... axes) {
    return reduce(Reducer.PROD, keepDims, axes);
  }

  /**
   * {@return the largest element, NaN if there is one; of nothing, minus infinity or the smallest
   * int32} Ties share the derivative equally.
   *
   * @param axes of a tensor of any type; none for all
   */
  public Tensor max(int... axes) {
    return reduce(Reducer.MAX, false, axes);
  }

  /**
   * {@return as {@link #max(int...)}}
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a tensor of any type; none for all
   */
  public Tensor max(boolean keepDims, int... axes) {
    return reduce(Reducer.MAX, keepDims, axes);
  }

  /**
   * {@return the smallest element, NaN if there is one; of nothing, infinity or the largest int32}
   * Ties share the derivative equally.
   *
   * @param axes of a tensor of any type; none for all
   */
  public Tensor min(int... axes) {
    return reduce(Reducer.MIN, false, axes);
  }

  /**
   * {@return as {@link #min(int...)}}
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a tensor of any type; none for all
   */
  public Tensor min(boolean keepDims, int... axes) {
    return reduce(Reducer.MIN, keepDims, axes);
  }

  /**
   * {@return the sum divided by the number of elements; NaN of nothing} For int32 towards zero, and
   * 0 of nothing.
   *
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor mean(int... axes) {
    return mean(false, axes);
  }

  /**
   * {@return as {@link #mean(int...)}}
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor mean(boolean keepDims, int... axes) {
    return sum(keepDims, axes).div(count("mean", axes));
  }

  private double count(String op, int... axes) {
    double n = 1;
    for (int a : axesOf(op, axes)) {
      n *= shape().dim(a);
    }
    return n;
  }

  /**
   * {@return whether any element of a bool tensor is true; false of nothing}
   *
   * @param axes which axes; none for all
   */
  public Tensor any(int... axes) {
    return logic("any").max(axes);
  }

  /**
   * {@return whether all elements of a bool tensor are true; true of nothing}
   *
   * @param axes which axes; none for all
   */
  public Tensor all(int... axes) {
    return logic("all").min(axes);
  }

  private Tensor logic(String op) {
    if (dtype() != DType.BOOL) {
      throw SourceLine.at(new DTypeException("[" + op + "] needs bool, not " + dtype()));
    }
    return self();
  }

  /**
   * {@return the int32 position of the first largest element along an axis; the first NaN, if there
   * is one}
   *
   * @param axis an axis of extent 1 or more, which the result no longer has
   */
  public Tensor argmax(int axis) {
    return argExtremum("argmax", Reducer.MAX, axis);
  }

  /**
   * {@return the int32 position of the first smallest element along an axis; the first NaN, if
   * there is one}
   *
   * @param axis an axis of extent 1 or more, which the result no longer has
   */
  public Tensor argmin(int axis) {
    return argExtremum("argmin", Reducer.MIN, axis);
  }

  private Tensor argExtremum(String op, Reducer reducer, int axis) {
    int a = Tensor.axisOf(op, self(), axis);
    int n = shape().dim(a);
    if (n == 0) {
      throw SourceLine.at(
          new ShapeException("[" + op + "] axis " + axis + " of " + shape() + " is empty"));
    }
    Tensor x = self().stopGradient();
    Tensor hit = x.eq(x.reduce(reducer, true, a));
    Tensor found = dtype().isFloat() ? hit.or(x.isNan()) : hit;
    Tensor at = Tensor.iota(DType.INT32, shape(), a);
    return found.where(at, Tensor.full(DType.INT32, shape(), n)).min(a);
  }

  /**
   * {@return log(sum(exp(x))), shifted by the largest element so that nothing overflows}
   *
   * @param axes of a float tensor; none for all
   */
  public Tensor logSumExp(int... axes) {
    return logSumExp(false, axes);
  }

  /**
   * {@return as {@link #logSumExp(int...)}}
   *
   * @param keepDims whether reduced axes stay, with extent 1
   * @param axes of a float tensor; none for all
   */
  public Tensor logSumExp(boolean keepDims, int... axes) {
    Tensor m = self().stopGradient().max(true, axes);
    Tensor shift = m.abs().lt(Double.POSITIVE_INFINITY).where(m, m.zerosLike());
    Tensor sum = sub(shift).exp().sum(keepDims, axes);
    return sum.log().add(shift.reshape(sum.shape()));
  }

  /**
   * {@return the mean squared distance from the mean, divided by n and not by n-1}
   *
   * @param axes of a float tensor; none for all
   */
  public Tensor variance(int... axes) {
    return sub(mean(true, axes)).square().mean(axes);
  }

  /**
   * {@return the square root of {@link #variance}; its derivative is NaN where all elements are
   * equal}
   *
   * @param axes of a float tensor; none for all
   */
  public Tensor std(int... axes) {
    return variance(axes).sqrt();
  }

  /**
   * {@return the Euclidean norm; its derivative at 0 is NaN, as that of sqrt(0) times 0}
   *
   * @param axes of a float tensor; none for all
   */
  public Tensor norm(int... axes) {
    return square().sum(axes).sqrt();
  }

  /**
   * {@return the sum of absolute values; the derivative is 0 where an element is}
   *
   * @param axes of a float or int32 tensor; none for all
   */
  public Tensor norm1(int... axes) {
    return abs().sum(axes);
  }

  // ---- products -------------------------------------------------------------------------------

  /**
   * {@return the matrix product with broadcast batch axes: (..., m, k) x (..., k, n) gives (..., m,
   * n)} A vector is a row on the left or a column on the right, and its axis is dropped from the
   * result. The precision is {@link Precision#current}.
   *
   * @param o a tensor of this float type and of rank 1 or more
   */
  public Tensor matmul(Tensor o) {
    return matmul(o, Precision.current());
  }

  /**
   * {@return the matrix product as {@link #matmul(Tensor)}, with a precision of its own}
   *
   * @param o a tensor of this float type and of rank 1 or more
   * @param precision for float32; derivatives of the product have it too
   */
  public Tensor matmul(Tensor o, Precision precision) {
    if (rank() == 0 || o.rank() == 0) {
      throw SourceLine.at(
          new ShapeException("[matmul] a scalar operand: " + shape() + " x " + o.shape()));
    }
    if (rank() == 1) {
      Tensor r = expandDims(0).matmul(o, precision);
      return r.squeeze(o.rank() == 1 ? 0 : r.rank() - 2);
    }
    if (o.rank() == 1) {
      Tensor r = matmul(o.expandDims(1), precision);
      return r.squeeze(r.rank() - 1);
    }
    Shape batch = Shape.broadcast(batchOf(shape()), batchOf(o.shape()));
    if (batch == null) {
      throw SourceLine.at(
          new ShapeException(
              "[matmul] batch axes do not broadcast: " + shape() + " x " + o.shape()));
    }
    return Tensor.apply(new Matmul(precision), withBatch(self(), batch), withBatch(o, batch));
  }

  private static Shape batchOf(Shape s) {
    return Shape.of(Arrays.copyOf(s.dims(), s.rank() - 2));
  }

  private static Tensor withBatch(Tensor x, Shape batch) {
    return x.broadcastTo(
        batch.with(batch.rank(), x.shape().dim(-2)).with(batch.rank() + 1, x.shape().dim(-1)));
  }

  /**
   * {@return the sum of products of two float vectors, a scalar}
   *
   * @param o a vector of this length and type
   */
  public Tensor dot(Tensor o) {
    if (shape().rank() != 1 || o.rank() != 1) {
      throw SourceLine.at(
          new ShapeException("[dot] needs two vectors: " + shape() + " and " + o.shape()));
    }
    return matmul(o);
  }

  /**
   * {@return the products of all pairs: (m) and (n) give (m, n)}
   *
   * @param o a vector of this type, float or int32
   */
  public Tensor outer(Tensor o) {
    if (shape().rank() != 1 || o.rank() != 1) {
      throw SourceLine.at(
          new ShapeException("[outer] needs two vectors: " + shape() + " and " + o.shape()));
    }
    return self().expandDims(1).mul(o.expandDims(0));
  }

  /**
   * {@return this with a new last axis that is 1 at the class and 0 elsewhere; this is int32}
   *
   * @param classes extent of the new axis; a class outside of [0, classes) gives zeros
   * @param as element type of the result
   */
  public Tensor oneHot(int classes, DType as) {
    if (dtype() != DType.INT32) {
      throw SourceLine.at(new DTypeException("[oneHot] needs i32, not " + dtype()));
    }
    Shape s = shape().with(shape().rank(), classes);
    return self().expandDims(-1).eq(Tensor.iota(DType.INT32, s, -1)).cast(as);
  }

  // ---- activations and the normal distribution ------------------------------------------------

  /** {@return max(x, 0), with derivative 0 at 0; also for int32} */
  public Tensor relu() {
    return le(0).where(zerosLike(), self());
  }

  /**
   * {@return x times {@link #normalCdf} (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016,
   * exact form)}
   */
  public Tensor gelu() {
    return mul(normalCdf());
  }

  /**
   * {@return log(1 + exp(x)), without overflow} Either branch is smooth at 0, so derivatives of all
   * orders are right there too.
   */
  public Tensor softplus() {
    Tensor negative = lt(0);
    Tensor a = negative.where(self(), neg());
    return negative.where(zerosLike(), self()).add(a.exp().log1p());
  }

  /** {@return x * sigmoid(x)} */
  public Tensor silu() {
    return mul(sigmoid());
  }

  /** {@return the standard normal distribution function, erfc(-x/sqrt(2))/2} */
  public Tensor normalCdf() {
    return mul(-Math.sqrt(0.5)).erfc().mul(0.5);
  }

  /** {@return the standard normal density, exp(-x^2/2)/sqrt(2 pi)} */
  public Tensor normalPdf() {
    return square().mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI));
  }

  // ---- softmax and its loss -------------------------------------------------------------------

  /**
   * {@return exp(x) divided by its sum along an axis, without overflow; the shape stays}
   *
   * @param axis of a float tensor; NaN where all elements are minus infinity
   */
  public Tensor softmax(int axis) {
    Tensor e = sub(self().stopGradient().max(true, axis)).exp();
    // The sum is at least 1, so its reciprocal is exact enough, and a product is cheaper.
    return e.mul(e.sum(true, axis).reciprocal());
  }

  /**
   * {@return x - logSumExp(x) along an axis; the shape stays}
   *
   * @param axis of a float tensor; NaN where all elements are minus infinity
   */
  public Tensor logSoftmax(int axis) {
    Tensor shifted = sub(self().stopGradient().max(true, axis));
    return shifted.sub(shifted.exp().sum(true, axis).log());
  }

  /**
   * {@return the mean over the batch of -log softmax(logits)[label], a scalar}
   *
   * @param logits float (n, classes)
   * @param labels int32 (n); one outside of [0, classes) adds 0 to the sum
   * @throws ShapeException if the shapes are others
   * @throws DTypeException if the types are others
   */
  public static Tensor crossEntropy(Tensor logits, Tensor labels) {
    if (logits.rank() != 2 || labels.rank() != 1 || labels.dim(0) != logits.dim(0)) {
      throw SourceLine.at(
          new ShapeException(
              "[crossEntropy] needs logits (n,classes) and labels (n): "
                  + logits.shape()
                  + " and "
                  + labels.shape()));
    }
    Tensor logp = logits.logSoftmax(1);
    Tensor hit = labels.expandDims(1).eq(Tensor.iota(DType.INT32, logits.shape(), 1));
    return hit.where(logp, logp.zerosLike()).sum(1).mean().neg();
  }
}
