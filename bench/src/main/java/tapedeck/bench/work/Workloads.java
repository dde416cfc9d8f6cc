package tapedeck.bench.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The workloads by name. */
public final class Workloads {
  private Workloads() {}

  /** The network of the main job comes from the caller, who chose the images. */
  public static Map<String, Supplier<Workload>> of(Supplier<Workload> mlp, boolean small) {
    Map<String, Supplier<Workload>> m = new LinkedHashMap<>();
    m.put("mlp", mlp);
    m.put("black-scholes", () -> new BlackScholes(small ? 1000 : 1_000_000));
    m.put("per-example", () -> new PerExample(small ? 1000 : 1_000_000));
    m.put("rows", () -> new Rows(small ? 64 : 4096));
    m.put("elementwise", () -> new Elementwise(small ? 1000 : 1 << 20));
    m.put("matmul", small ? Products::small : Products::full);
    m.put("gmm", () -> small ? new GmmWork(2, 5, 100) : new GmmWork(10, 25, 1000));
    return m;
  }

  /** All names, in the order of the reports. */
  public static List<String> names() {
    return List.copyOf(of(() -> new Rows(1), true).keySet());
  }
}
