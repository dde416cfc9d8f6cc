package tapedeck.bench.adbench;

import java.nio.file.Path;
import java.util.Arrays;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.Fn2;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;

/**
 * Reprojection errors of a bundle adjustment. A point X is rotated about the camera's centre,
 * projected, distorted by 1 + k₁r² + k₂r⁴, scaled by the focal length and moved to the principal
 * point; the errors are w(projection - feature) and 1 - w². The Jacobian is sparse: it is computed
 * for each observation in its 15 parameters, for all at once.
 */
public final class Ba implements AdbenchProblem {
  private static final int LOCAL = BaInstance.CAMERA + 4;

  private final BaInstance in;
  private final Tensor local;
  private final Tensor weights;
  private final Tensor features;
  private final SparseJacobian pattern;
  private final Fn2<Tensor, Tensor, Tensor> reprojection;
  private final Fn1<Tensor, Tensor> weightError;
  private final Fn2<Tensor, Tensor, Tensor> jacobian;
  private final Fn1<Tensor, Tensor> weightSlope;

  public Ba(BaInstance in, DType dtype) {
    this.in = in;
    double[] one = Tensors.join(in.camera(), in.point(), new double[] {in.weight()});
    double[] rows = new double[Math.multiplyExact(in.p(), LOCAL)];
    double[] w = new double[in.p()];
    double[] f = new double[2 * in.p()];
    for (int i = 0; i < in.p(); i++) {
      System.arraycopy(one, 0, rows, i * LOCAL, LOCAL);
      System.arraycopy(in.feature(), 0, f, 2 * i, 2);
    }
    Arrays.fill(w, in.weight());
    this.local = Tensors.of(dtype, rows, in.p(), LOCAL);
    this.weights = Tensors.of(dtype, w, in.p());
    this.features = Tensors.of(dtype, f, in.p(), 2);
    this.pattern = pattern(in);
    this.reprojection = Ad.jit(Ad.vmap((Fn2<Tensor, Tensor, Tensor>) Ba::residual));
    this.weightError = Ad.jit((Fn1<Tensor, Tensor>) Ba::weightResidual);
    this.jacobian =
        Ad.jit(
            Ad.vmap(
                (Fn2<Tensor, Tensor, Tensor>)
                    (p, feature) ->
                        Ad.jacrev((Fn1<Tensor, Tensor>) q -> residual(q, feature)).apply(p)));
    this.weightSlope = Ad.jit(Ad.vmap(Ad.grad((Fn1<Tensor, Tensor>) Ba::weightResidual)));
  }

  /**
   * Places of the nonzeros: two rows of 15 for each observation, then a row of one for each weight.
   */
  private static SparseJacobian pattern(BaInstance in) {
    int p = in.p();
    int points = BaInstance.CAMERA * in.n();
    int weights = points + 3 * in.m();
    int[] rows = new int[3 * p + 1];
    int[] columns = new int[2 * LOCAL * p + p];
    int at = 0;
    for (int row = 0; row < 3 * p; row++) {
      if (row < 2 * p) {
        int observation = row / 2;
        int camera = BaInstance.CAMERA * (observation % in.n());
        int point = points + 3 * (observation % in.m());
        for (int i = 0; i < BaInstance.CAMERA; i++) {
          columns[at++] = camera + i;
        }
        for (int i = 0; i < 3; i++) {
          columns[at++] = point + i;
        }
        columns[at++] = weights + observation;
      } else {
        columns[at++] = weights + row - 2 * p;
      }
      rows[row + 1] = at;
    }
    return new SparseJacobian(3 * p, weights + p, rows, columns, new double[0]);
  }

  /** Both errors of an observation: camera, point and weight (15), feature (2). */
  private static Tensor residual(Tensor p, Tensor feature) {
    Tensor centre = p.slice(0, 3, 6);
    Tensor x = p.slice(0, 11, 14);
    Tensor camera = rotate(p.slice(0, 0, 3), x.sub(centre));
    Tensor e = camera.slice(0, 0, 2).div(camera.slice(0, 2, 3));
    Tensor r2 = e.square().sum();
    Tensor distortion = r2.mul(p.get(9)).add(r2.square().mul(p.get(10))).add(1);
    Tensor image = e.mul(distortion).mul(p.get(6)).add(p.slice(0, 7, 9));
    return image.sub(feature).mul(p.get(14));
  }

  /** Rodrigues' formula, and its first order where the rotation is 0. */
  private static Tensor rotate(Tensor r, Tensor x) {
    Tensor square = r.square().sum();
    Tensor isZero = square.eq(0);
    // The unused branch of a select must stay finite, or its derivative would be 0·inf.
    Tensor theta = isZero.where(square.onesLike(), square).sqrt();
    Tensor w = r.div(theta);
    Tensor cos = theta.cos();
    Tensor turned =
        x.mul(cos).add(cross(w, x).mul(theta.sin())).add(w.mul(w.dot(x)).mul(cos.rsub(1)));
    return isZero.where(x.add(cross(r, x)), turned);
  }

  private static Tensor cross(Tensor a, Tensor b) {
    return roll(a, 1).mul(roll(b, 2)).sub(roll(a, 2).mul(roll(b, 1)));
  }

  private static Tensor roll(Tensor v, int by) {
    return Tensor.concat(0, v.slice(0, by, 3), v.slice(0, 0, by));
  }

  private static Tensor weightResidual(Tensor w) {
    return w.square().rsub(1);
  }

  @Override
  public String describe() {
    return "ba with n=" + in.n() + ", m=" + in.m() + ", p=" + in.p();
  }

  @Override
  public double[] objective() {
    return Tensors.join(
        Tensors.take(reprojection.apply(local, features)),
        Tensors.take(weightError.apply(weights)));
  }

  @Override
  public double[] derivative() {
    return Tensors.join(
        Tensors.take(jacobian.apply(local, features)), Tensors.take(weightSlope.apply(weights)));
  }

  @Override
  public void writeObjective(Path file, double[] values) {
    AdbenchFormat.writeBaResiduals(
        file,
        Arrays.copyOfRange(values, 0, 2 * in.p()),
        Arrays.copyOfRange(values, 2 * in.p(), values.length));
  }

  @Override
  public void writeDerivative(Path file, double[] derivative) {
    AdbenchFormat.writeSparse(
        file,
        new SparseJacobian(
            pattern.nrows(), pattern.ncols(), pattern.rows(), pattern.columns(), derivative));
  }

  @Override
  public double[] readDerivative(Path file) {
    int rows = pattern.rows().length;
    int values = pattern.columns().length;
    double[] a = Tensors.read(file, 2 + 1 + rows + 1 + 2 * values);
    double[] head = new double[a.length - values];
    int at = 0;
    head[at++] = pattern.nrows();
    head[at++] = pattern.ncols();
    head[at++] = rows;
    for (int r : pattern.rows()) {
      head[at++] = r;
    }
    head[at++] = values;
    for (int c : pattern.columns()) {
      head[at++] = c;
    }
    int differs = Arrays.mismatch(head, Arrays.copyOf(a, head.length));
    if (differs >= 0) {
      throw new DataException(
          "[adbench] "
              + file
              + ": number "
              + differs
              + " is "
              + a[differs]
              + ", not "
              + head[differs]);
    }
    return Arrays.copyOfRange(a, head.length, a.length);
  }
}
