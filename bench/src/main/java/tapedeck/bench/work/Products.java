package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn2;
import tapedeck.ad.JitFn2;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;

/** Matrix products, of which one operand may be stored transposed. */
public final class Products implements Workload {
  /** Which operand is stored transposed. */
  enum Form {
    NN,
    TN,
    NT;

    String suffix() {
      return "-" + name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** A product of an (m,k) and a (k,n) matrix. */
  record Product(DType dtype, int m, int k, int n, Form form, Precision precision) {
    Product(DType dtype, int m, int k, int n, Form form) {
      this(dtype, m, k, n, form, Precision.HIGHEST);
    }

    /** The operands' name: products that differ in precision alone share them. */
    String operands() {
      String type = dtype == DType.FLOAT32 ? "f32" : "f64";
      return "matmul/" + type + "-" + m + "x" + k + "x" + n + form.suffix();
    }

    String name() {
      return operands() + (precision == Precision.HIGHEST ? "" : "-" + precision);
    }

    /** Normwise; operands are random, so that roundings partly cancel. */
    double tolerance() {
      return switch (precision) {
        case BFLOAT16 -> 1e-2;
        case DEFAULT -> 1e-3;
        case HIGH, HIGHEST -> dtype == DType.FLOAT32 ? 1e-4 : 1e-9;
      };
    }
  }

  private final List<Product> products;

  Products(List<Product> products) {
    this.products = List.copyOf(products);
  }

  /** The products that reports quote. */
  static Products full() {
    List<Product> all = new ArrayList<>();
    int[][] shapes = {
      {512, 512, 512},
      {1024, 1024, 1024},
      {2048, 2048, 2048},
      {1000, 777, 333},
      {128, 784, 512},
      {4096, 64, 64},
      {64, 4096, 64}
    };
    for (int[] s : shapes) {
      all.add(new Product(DType.FLOAT32, s[0], s[1], s[2], Form.NN));
    }
    all.add(new Product(DType.FLOAT32, 1024, 1024, 1024, Form.TN));
    all.add(new Product(DType.FLOAT32, 1024, 1024, 1024, Form.NT));
    all.add(new Product(DType.FLOAT64, 1024, 1024, 1024, Form.NN));
    return new Products(all);
  }

  /** The products that reports of GPUs quote, at all precisions, and some of few results. */
  static Products large() {
    List<Product> all = new ArrayList<>(precisions(4096, 4096, 4096));
    all.add(new Product(DType.FLOAT32, 4096, 4096, 4096, Form.TN));
    all.add(new Product(DType.FLOAT32, 4096, 4096, 4096, Form.NT));
    all.add(new Product(DType.FLOAT32, 1024, 1024, 1024, Form.NN));
    all.add(new Product(DType.FLOAT32, 128, 784, 512, Form.NN));
    all.add(new Product(DType.FLOAT32, 784, 128, 512, Form.TN));
    all.add(new Product(DType.FLOAT32, 64, 4096, 64, Form.NN));
    all.add(new Product(DType.FLOAT32, 512, 8192, 512, Form.TN));
    all.add(new Product(DType.FLOAT32, 1, 4096, 4096, Form.NN));
    all.add(new Product(DType.FLOAT64, 2048, 2048, 2048, Form.NN));
    return new Products(all);
  }

  private static List<Product> precisions(int m, int k, int n) {
    return List.of(Precision.HIGHEST, Precision.HIGH, Precision.DEFAULT, Precision.BFLOAT16)
        .stream()
        .map(p -> new Product(DType.FLOAT32, m, k, n, Form.NN, p))
        .toList();
  }

  /** A few small ones. */
  static Products small() {
    List<Product> all = new ArrayList<>(precisions(64, 48, 32));
    all.add(new Product(DType.FLOAT32, 33, 20, 17, Form.TN));
    all.add(new Product(DType.FLOAT64, 32, 24, 40, Form.NT));
    return new Products(all);
  }

  @Override
  public String name() {
    return "matmul";
  }

  @Override
  public Map<String, HostTensor> data() {
    Map<String, HostTensor> data = new LinkedHashMap<>();
    for (Product p : products) {
      int[] a = p.form == Form.TN ? new int[] {p.k, p.m} : new int[] {p.m, p.k};
      int[] b = p.form == Form.NT ? new int[] {p.n, p.k} : new int[] {p.k, p.n};
      boolean single = p.dtype == DType.FLOAT32;
      data.put(
          p.operands() + "/a",
          single ? HostTensor.uniform(1, -1, 1, a) : HostTensor.uniform64(1, -1, 1, a));
      data.put(
          p.operands() + "/b",
          single ? HostTensor.uniform(2, -1, 1, b) : HostTensor.uniform64(2, -1, 1, b));
    }
    return data;
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    List<Line> lines = new ArrayList<>();
    Map<String, Tensor> known = new HashMap<>();
    for (Product p : products) {
      Tensor a = known.computeIfAbsent(p.operands() + "/a", operand);
      Tensor b = known.computeIfAbsent(p.operands() + "/b", operand);
      Fn2<Tensor, Tensor, Tensor> f =
          switch (p.form) {
            case NN -> (l, r) -> l.matmul(r, p.precision);
            case TN -> (l, r) -> l.t().matmul(r, p.precision);
            case NT -> (l, r) -> l.matmul(r.t(), p.precision);
          };
      JitFn2<Tensor, Tensor, Tensor> jit = Ad.jit(f);
      lines.add(Line.of(p.name(), () -> List.of(jit.apply(a, b)), jit::schedule, p.tolerance()));
    }
    return lines;
  }
}
