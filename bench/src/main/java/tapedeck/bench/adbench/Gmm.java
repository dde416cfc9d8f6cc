package tapedeck.bench.adbench;

import java.nio.file.Path;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.ValueAndGrad;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;

/**
 * Log likelihood of points under a Gaussian mixture with a Wishart prior:
 *
 * <p>-½ND log 2π + Σᵢ LSEₖ(αₖ + Σ_d q_kd - ½‖Qₖ(xᵢ-μₖ)‖²) - N LSE(α) + Σₖ(½γ²(‖exp qₖ‖² + ‖lₖ‖²) -
 * m Σ_d q_kd) - K C
 *
 * <p>where Qₖ = diag(exp qₖ) + Lₖ, C = n'D(log γ - ½ log 2) - log Γ_D(n'/2) and n' = D+m+1.
 */
public final class Gmm implements AdbenchProblem {
  /** ADBench's value, not {@link Math#PI}. */
  private static final double PI = 3.14159265359;

  /**
   * What is differentiated.
   *
   * @param alphas (k)
   * @param means (k, d)
   * @param icf (k, d(d+1)/2)
   */
  public record Params(Tensor alphas, Tensor means, Tensor icf) {}

  private final GmmInstance in;
  private final Params params;

  /** (n, d+1): points with a one after each. */
  private final Tensor points;

  private final Tensor lower;
  private final double constant;
  private final Fn1<Params, Tensor> objective;
  private final Fn1<Params, ValueAndGrad<Params>> gradient;

  public Gmm(GmmInstance in, DType dtype) {
    this.in = in;
    int d = in.d();
    this.params =
        new Params(
            Tensors.of(dtype, in.alphas(), in.k()),
            Tensors.of(dtype, in.means(), in.k(), d),
            Tensors.of(dtype, in.icf(), in.k(), d * (d + 1) / 2));
    this.points = Tensors.of(dtype, withOnes(in.x(), d), in.n(), d + 1);
    this.lower = Tensor.of(lowerIndex(d));
    this.constant = constant(in);
    this.objective = Ad.jit((Fn1<Params, Tensor>) this::value);
    this.gradient = Ad.jit(Ad.valueAndGrad((Fn1<Params, Tensor>) this::value));
  }

  private static double[] withOnes(double[] x, int d) {
    double[] out = new double[x.length / d * (d + 1)];
    for (int i = 0; i < x.length / d; i++) {
      System.arraycopy(x, i * d, out, i * (d + 1), d);
      out[i * (d + 1) + d] = 1;
    }
    return out;
  }

  /** For each element (row, column) of L its place in an icf row that has a zero appended. */
  private static int[] lowerIndex(int d) {
    int[] index = new int[d * d];
    java.util.Arrays.fill(index, d * (d + 1) / 2);
    int next = d;
    for (int column = 0; column < d; column++) {
      for (int row = column + 1; row < d; row++) {
        index[row * d + column] = next++;
      }
    }
    return index;
  }

  /** The terms that depend on sizes and prior alone. */
  public static double constant(GmmInstance in) {
    int d = in.d();
    int n = d + in.m() + 1;
    double logGamma = 0.25 * d * (d - 1) * Math.log(PI);
    for (int j = 1; j <= d; j++) {
      logGamma += logGammaOfHalf(n + 1 - j);
    }
    double c = n * d * (Math.log(in.gamma()) - 0.5 * Math.log(2)) - logGamma;
    return -0.5 * in.n() * (double) d * Math.log(2 * PI) - in.k() * c;
  }

  /** log Γ(h/2) by Γ(z+1) = zΓ(z), from Γ(1/2) = √π or Γ(1) = 1. */
  private static double logGammaOfHalf(int h) {
    double sum = h % 2 == 0 ? 0 : 0.5 * Math.log(Math.PI);
    for (int i = h % 2 == 0 ? 2 : 1; i < h; i += 2) {
      sum += Math.log(0.5 * i);
    }
    return sum;
  }

  /** The objective, to be traced. */
  public Tensor value(Params p) {
    int d = in.d();
    int k = in.k();
    DType dtype = p.icf().dtype();
    Tensor q = p.icf().slice(1, 0, d);
    Tensor expQ = q.exp();
    Tensor l = p.icf().pad(new int[] {0, 0}, new int[] {0, 1}, 0).take(lower, 1).reshape(k, d, d);
    Tensor qs = l.add(expQ.expandDims(2).mul(Tensor.eye(dtype, d)));
    // Q(x-μ) = (Q, -Qμ)(x, 1): one matrix product for all points and components.
    Tensor qmu = qs.matmul(p.means().expandDims(2));
    Tensor affine = Tensor.concat(2, qs, qmu.neg()).reshape(k * d, d + 1);
    Tensor scaled = points.matmul(affine.t()).reshape(in.n(), k, d);
    Tensor inner = p.alphas().add(q.sum(1)).sub(scaled.square().sum(2).mul(0.5));
    Tensor likelihood = inner.logSumExp(1).sum().sub(p.alphas().logSumExp().mul(in.n()));
    Tensor strict = p.icf().slice(1, d, d * (d + 1) / 2);
    Tensor prior =
        expQ.square()
            .sum()
            .add(strict.square().sum())
            .mul(0.5 * in.gamma() * in.gamma())
            .sub(q.sum().mul(in.m()));
    return likelihood.add(prior).add(constant);
  }

  @Override
  public String describe() {
    return "gmm with d=" + in.d() + ", K=" + in.k() + ", N=" + in.n();
  }

  @Override
  public double[] objective() {
    return Tensors.take(objective.apply(params));
  }

  @Override
  public double[] derivative() {
    ValueAndGrad<Params> r = gradient.apply(params);
    r.value().close();
    return Tensors.join(
        Tensors.take(r.grad().alphas()),
        Tensors.take(r.grad().means()),
        Tensors.take(r.grad().icf()));
  }

  @Override
  public void writeObjective(Path file, double[] values) {
    AdbenchFormat.writeColumn(file, values);
  }

  @Override
  public void writeDerivative(Path file, double[] derivative) {
    AdbenchFormat.writeColumn(file, derivative);
  }

  @Override
  public double[] readDerivative(Path file) {
    return Tensors.read(file, in.k() * (1 + in.d() + in.d() * (in.d() + 1) / 2));
  }
}
