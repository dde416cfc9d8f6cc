package tapedeck.bench.tune;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tapedeck.ad.type.Precision;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;

/** What is computed to tune each template: shapes of networks, and larger ones on GPUs. */
public final class Works {
  private static final double ROUNDING = 1e-5;

  /** Kinds of work by the name that a user gives. */
  public enum Kind {
    MATMUL(
        Template.PRODUCT_BLOCKS,
        Template.PRODUCT_LARGE,
        Template.PRODUCT_MIDDLE,
        Template.PRODUCT_SMALL,
        Template.PRODUCT_TF32,
        Template.PRODUCT_3XTF32,
        Template.PRODUCT_BF16,
        Template.PRODUCT_SPLIT),
    REDUCE(Template.REDUCE_LOOPS, Template.REDUCE_GROUPS),
    ELEMENTWISE(Template.LOOPS, Template.GRID);

    private final Set<Template> templates;

    Kind(Template... templates) {
      this.templates = Set.of(templates);
    }

    /** Whether this kind of work is written with a template. */
    boolean has(Template t) {
      return templates.contains(t);
    }
  }

  private Works() {}

  /** Templates of a profile for some kinds of work, in their order. */
  static List<Template> templates(Profile profile, Set<Kind> kinds) {
    List<Template> out = new ArrayList<>();
    for (Template t : Template.values()) {
      if (t.profile() == profile && kinds.stream().anyMatch(k -> k.has(t))) {
        out.add(t);
      }
    }
    return out;
  }

  /**
   * The work for a template.
   *
   * @param units compute units of the device, which decide what is a large product
   * @param small sizes that end quickly, for trying things out
   */
  static List<Work> of(Template t, int units, boolean small) {
    return switch (t) {
      case PRODUCT_BLOCKS ->
          small
              ? List.of(dense(t, 32, 40, 48))
              : List.of(
                  dense(t, 128, 784, 512),
                  plain(t, 512, 512, 512),
                  left(t, 784, 128, 512),
                  right(t, 128, 512, 512));
      case PRODUCT_LARGE -> products(t, small ? 160 : side(128, 4 * units, 4096));
      case PRODUCT_MIDDLE -> products(t, small ? 96 : side(64, 2 * units, 2048));
      case PRODUCT_SMALL ->
          small
              ? List.of(dense(t, 32, 40, 48))
              : List.of(dense(t, 128, 784, 512), left(t, 784, 128, 512), right(t, 128, 512, 512));
      case PRODUCT_TF32 -> tensor(t, Precision.DEFAULT, small ? 96 : side(128, 4 * units, 4096));
      case PRODUCT_3XTF32 -> tensor(t, Precision.HIGH, small ? 96 : side(128, 4 * units, 4096));
      case PRODUCT_BF16 -> tensor(t, Precision.BFLOAT16, small ? 96 : side(128, 4 * units, 4096));
      case PRODUCT_SPLIT ->
          small
              ? List.of(plain(t, 32, 256, 32))
              : List.of(plain(t, 64, 4096, 64), left(t, 512, 8192, 512), right(t, 128, 2048, 256));
      case REDUCE_LOOPS -> reductions(t, small ? 64 : 512, small ? 64 : 4096);
      // More than the largest caches of GPUs hold.
      case REDUCE_GROUPS -> reductions(t, small ? 64 : 2048, small ? 64 : 8192);
      case LOOPS -> elementwise(t, small ? 64 : 1024);
      case GRID -> elementwise(t, small ? 64 : 4096);
    };
  }

  /** Side of a square of some tiles, at most a limit. */
  private static int side(int tile, int tiles, int most) {
    return Math.min(most, tile * (int) Math.ceil(Math.sqrt(tiles)));
  }

  private static List<Work> products(Template t, int n) {
    return List.of(plain(t, n, n, n), left(t, n, n, n), right(t, n, n, n));
  }

  /** Products of less than float32 precision, which only devices with tensor cores compute so. */
  private static List<Work> tensor(Template t, Precision p, int n) {
    int[] square = {n, n};
    String size = p + " product " + size(n, n, n);
    return List.of(
        Work.of(t, size, 0, x -> x.get(0).matmul(x.get(1), p), List.of(square, square)),
        Work.of(
            t,
            size + ", left transposed",
            0,
            x -> x.get(0).t().matmul(x.get(1), p),
            List.of(square, square)),
        Work.of(
            t,
            size + ", right transposed",
            0,
            x -> x.get(0).matmul(x.get(1).t(), p),
            List.of(square, square)));
  }

  private static String size(int m, int k, int n) {
    return m + "x" + k + "x" + n;
  }

  private static Work plain(Template t, int m, int k, int n) {
    return Work.of(
        t,
        "product " + size(m, k, n),
        0,
        x -> x.get(0).matmul(x.get(1)),
        List.of(new int[] {m, k}, new int[] {k, n}));
  }

  private static Work left(Template t, int m, int k, int n) {
    return Work.of(
        t,
        "product " + size(m, k, n) + ", left transposed",
        0,
        x -> x.get(0).t().matmul(x.get(1)),
        List.of(new int[] {k, m}, new int[] {k, n}));
  }

  private static Work right(Template t, int m, int k, int n) {
    return Work.of(
        t,
        "product " + size(m, k, n) + ", right transposed",
        0,
        x -> x.get(0).matmul(x.get(1).t()),
        List.of(new int[] {m, k}, new int[] {n, k}));
  }

  private static Work dense(Template t, int m, int k, int n) {
    return Work.of(
        t,
        "product " + size(m, k, n) + ", bias and maximum",
        0,
        x -> x.get(0).matmul(x.get(1)).add(x.get(2)).maximum(0),
        List.of(new int[] {m, k}, new int[] {k, n}, new int[] {n}));
  }

  private static List<Work> reductions(Template t, int few, int many) {
    return List.of(
        Work.of(
            t,
            "row sums of squares, " + few + "x" + many,
            0,
            x -> x.get(0).square().sum(1),
            List.of(new int[] {few, many})),
        Work.of(
            t,
            "column sums, " + many + "x" + few,
            0,
            x -> x.get(0).sum(0),
            List.of(new int[] {many, few})),
        Work.of(
            t,
            "softmax of rows, " + few + "x1024",
            ROUNDING,
            x -> x.get(0).softmax(1),
            List.of(new int[] {few, 1024})));
  }

  private static List<Work> elementwise(Template t, int n) {
    int[] square = {n, n};
    String size = n + "x" + n;
    return List.of(
        Work.of(
            t,
            "multiply and add, " + size,
            0,
            x -> x.get(0).mul(x.get(1)).add(x.get(2)),
            List.of(square, square, square)),
        Work.of(
            t,
            "add a row and tanh, " + size,
            ROUNDING,
            x -> x.get(0).add(x.get(1)).tanh(),
            List.of(square, new int[] {n})));
  }
}
