package tapedeck.bench.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The workloads by name. */
public final class Workloads {
  private Workloads() {}

  /** The network of the main job comes from the caller, who chose the images. */
  public static Map<String, Supplier<Workload>> of(Supplier<Workload> mlp, Size size) {
    Map<String, Supplier<Workload>> m = new LinkedHashMap<>();
    m.put("mlp", mlp);
    m.put("mlp-wide", () -> MlpWork.wide(size.pick(32, 1024, 4096), size.pick(16, 1024, 8192)));
    m.put("black-scholes", () -> new BlackScholes(size.pick(1000, 1_000_000, 10_000_000)));
    m.put("per-example", () -> new PerExample(size.pick(1000, 1_000_000, 1_000_000)));
    m.put("rows", () -> new Rows(size.pick(64, 4096, 8192)));
    m.put("elementwise", () -> new Elementwise(size.pick(1000, 1 << 20, 1 << 24)));
    m.put("matmul", () -> size.pick(Products.small(), Products.full(), Products.large()));
    m.put("gmm", () -> size == Size.SMALL ? new GmmWork(2, 5, 100) : new GmmWork(10, 25, 1000));
    return m;
  }

  /** All names, in the order of the reports. */
  public static List<String> names() {
    return List.copyOf(of(() -> new Rows(1), Size.SMALL).keySet());
  }
}
