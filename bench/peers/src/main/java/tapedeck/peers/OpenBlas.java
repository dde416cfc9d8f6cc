package tapedeck.peers;

import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/** Matrix products of OpenBLAS; the number of its threads is set by the environment. */
final class OpenBlas implements Peer {
  private final TensorFile data;
  private final int threads;

  OpenBlas(TensorFile data, int threads) {
    this.data = data;
    this.threads = threads;
    openblas.blas_set_num_threads(threads);
  }

  @Override
  public String version() {
    return "OpenBLAS through JavaCPP, " + threads + " threads";
  }

  @Override
  public Work work(String name) {
    if (!name.startsWith("matmul/")) {
      throw new UnsupportedOperationException("OpenBLAS has matrix products only");
    }
    Product p = Product.of(name, data);
    int left = p.transposedLeft() ? openblas.CblasTrans : openblas.CblasNoTrans;
    int right = p.transposedRight() ? openblas.CblasTrans : openblas.CblasNoTrans;
    return p.float64() ? doubles(name, p, left, right) : floats(name, p, left, right);
  }

  private Work floats(String name, Product p, int left, int right) {
    FloatPointer a = new FloatPointer(data.floats(name + "/a"));
    FloatPointer b = new FloatPointer(data.floats(name + "/b"));
    FloatPointer c = new FloatPointer((long) p.m() * p.n());
    return new Work() {
      @Override
      public void run() {
        openblas.cblas_sgemm(
            openblas.CblasRowMajor,
            left,
            right,
            p.m(),
            p.n(),
            p.k(),
            1f,
            a,
            p.lda(),
            b,
            p.ldb(),
            0f,
            c,
            p.n());
      }

      @Override
      public double[] result() {
        run();
        float[] f = new float[p.m() * p.n()];
        c.get(f);
        double[] d = new double[f.length];
        java.util.Arrays.setAll(d, i -> f[i]);
        return Thin.join(List.of(d));
      }
    };
  }

  private Work doubles(String name, Product p, int left, int right) {
    DoublePointer a = new DoublePointer(data.doubles(name + "/a"));
    DoublePointer b = new DoublePointer(data.doubles(name + "/b"));
    DoublePointer c = new DoublePointer((long) p.m() * p.n());
    return new Work() {
      @Override
      public void run() {
        openblas.cblas_dgemm(
            openblas.CblasRowMajor,
            left,
            right,
            p.m(),
            p.n(),
            p.k(),
            1,
            a,
            p.lda(),
            b,
            p.ldb(),
            0,
            c,
            p.n());
      }

      @Override
      public double[] result() {
        run();
        double[] d = new double[p.m() * p.n()];
        c.get(d);
        return Thin.join(List.of(d));
      }
    };
  }
}
