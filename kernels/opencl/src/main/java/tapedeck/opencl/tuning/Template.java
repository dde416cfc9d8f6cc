package tapedeck.opencl.tuning;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The kernel templates with the parameters of each. */
public enum Template {
  /**
   * Products on GPUs with many results: a work-group of {@code group} work-items computes a tile of
   * {@code size} by {@code size} results. It holds {@code step} rows of k in local memory for each
   * of {@code slices} parts of k, which different work-items take. The form is used where every
   * compute unit gets at least {@code waves} tiles.
   */
  PRODUCT_LARGE(Profile.GPU, size(), step(), slices(), productGroup(), waves()),
  /** Products on GPUs with fewer results; see {@link #PRODUCT_LARGE}. */
  PRODUCT_MIDDLE(Profile.GPU, size(), step(), slices(), productGroup(), waves()),
  /** All other products on GPUs; see {@link #PRODUCT_LARGE}. */
  PRODUCT_SMALL(Profile.GPU, size(), step(), slices(), productGroup()),
  /**
   * Products of precision DEFAULT on tensor cores: a work-group computes a tile of {@code m} by
   * {@code n} results, each warp {@code rows} by {@code columns} of them, {@code step} elements of
   * k at a time. Tiles become smaller until every compute unit gets {@code waves} of them.
   */
  PRODUCT_TF32(Profile.GPU, "product.tf32", tensor()),
  /** Products of precision HIGH on tensor cores; see {@link #PRODUCT_TF32}. */
  PRODUCT_3XTF32(Profile.GPU, "product.3xtf32", tensor()),
  /** Products of precision BFLOAT16 on tensor cores; see {@link #PRODUCT_TF32}. */
  PRODUCT_BF16(Profile.GPU, "product.bf16", tensor()),
  /**
   * Products on GPUs whose results are too few tiles for all compute units: they are computed in at
   * most {@code parts} parts of at least {@code k} elements of k, whose sums are added by a second
   * kernel.
   */
  PRODUCT_SPLIT(
      Profile.GPU,
      "product.split",
      new Parameter("k", 32, 1 << 20, List.of(128, 256, 512, 1024)),
      new Parameter("parts", 1, 64, List.of(1, 4, 8, 16, 32))),
  /**
   * Long reductions on GPUs: work-groups of {@code group}, of which at least {@code columns} read
   * neighbouring columns; each work-item reduces {@code serial} elements or more before partial
   * results meet, in vectors of at most {@code bytes}. At most {@code groups} work-groups are
   * launched for each compute unit. Rows that several phases read are kept in at most {@code keep}
   * registers of a work-item.
   */
  REDUCE_GROUPS(
      Profile.GPU,
      "reduce",
      group(),
      Parameter.of("columns", 8, 16, 32, 64),
      Parameter.of("serial", 1, 2, 4, 8, 16, 32),
      Parameter.of("bytes", 4, 8, 16),
      new Parameter("groups", 1, 4096, List.of(4, 16, 64, 256)),
      new Parameter("keep", 0, 128, List.of(0, 16, 32, 64))),
  /**
   * Elementwise kernels and short reductions on GPUs: work-groups of {@code group}, vectors of at
   * most {@code bytes}, at most {@code groups} work-groups for each compute unit.
   */
  GRID(
      Profile.GPU,
      "elementwise",
      group(),
      Parameter.of("bytes", 4, 8, 16, 32),
      new Parameter("groups", 1, 4096, List.of(8, 16, 32, 64, 128))),
  /**
   * Products on CPU devices: a register tile of {@code rows} by {@code vectors}, blocks of {@code
   * m} by {@code n} results, chunks of {@code k}. Blocks are halved until every compute unit gets
   * {@code blocks} of them.
   */
  PRODUCT_BLOCKS(
      Profile.CPU,
      "product",
      new Parameter("rows", 1, 32, List.of(2, 4, 6, 8, 10, 12, 14)),
      new Parameter("vectors", 1, 8, List.of(1, 2, 3, 4)),
      new Parameter("m", 1, 4096, List.of(32, 64, 96, 128, 256)),
      new Parameter("n", 1, 4096, List.of(64, 128, 192, 256, 512)),
      new Parameter("k", 1, 16384, List.of(128, 256, 512, 1024)),
      new Parameter("blocks", 1, 64, List.of(1, 2, 4, 8))),
  /**
   * Reductions on CPU devices: vectors of at most {@code bytes}, {@code strips} of them side by
   * side where columns are reduced. {@code work} and {@code items} are as for {@link #LOOPS}.
   */
  REDUCE_LOOPS(
      Profile.CPU,
      "reduce",
      vectorBytes(),
      new Parameter("strips", 1, 16, List.of(1, 2, 4, 8)),
      work(),
      items()),
  /**
   * Elementwise kernels on CPU devices: vectors of at most {@code bytes}, work-items with at least
   * {@code work} instructions or so, at most {@code items} of them for each compute unit.
   */
  LOOPS(Profile.CPU, "elementwise", vectorBytes(), work(), items());

  /** Accumulators of one work-item, beyond which they do not fit the registers of any GPU. */
  private static final int MOST_EACH = 8;

  private static final int WARP = 32;

  private final Profile profile;
  private final String label;
  private final List<Parameter> parameters;

  Template(Profile profile, Parameter... parameters) {
    this.profile = profile;
    this.label = name().toLowerCase(Locale.ROOT).replace('_', '.');
    this.parameters = List.of(parameters);
  }

  Template(Profile profile, String label, Parameter... parameters) {
    this.profile = profile;
    this.label = label;
    this.parameters = List.of(parameters);
  }

  private static Parameter size() {
    return Parameter.of("size", 16, 32, 64, 128, 256);
  }

  private static Parameter step() {
    return Parameter.of("step", 2, 4, 8, 16, 32);
  }

  private static Parameter slices() {
    return Parameter.of("slices", 1, 2, 4, 8, 16);
  }

  private static Parameter productGroup() {
    return Parameter.of("group", 16, 32, 64, 128, 256, 512, 1024);
  }

  private static Parameter waves() {
    return new Parameter("waves", 1, 64, List.of(1, 2, 3, 4));
  }

  private static Parameter[] tensor() {
    return new Parameter[] {
      Parameter.of("m", 32, 64, 128, 256),
      Parameter.of("n", 32, 64, 128, 256),
      Parameter.of("step", 8, 16, 32),
      Parameter.of("rows", 16, 32, 64, 128),
      Parameter.of("columns", 8, 16, 32, 64, 128),
      waves()
    };
  }

  private static Parameter group() {
    return Parameter.of("group", 32, 64, 128, 256, 512, 1024);
  }

  private static Parameter vectorBytes() {
    return Parameter.of("bytes", 16, 32, 64);
  }

  private static Parameter work() {
    return new Parameter("work", 256, 1 << 24, List.of(8192, 32768, 131072));
  }

  private static Parameter items() {
    return new Parameter("items", 1, 256, List.of(1, 2, 4, 8, 16));
  }

  /** {@return the kind of device that it is for} */
  public Profile profile() {
    return profile;
  }

  /** {@return its name in databases, unique within a profile} */
  public String label() {
    return label;
  }

  /** {@return its parameters, in the order of their values} */
  public List<Parameter> parameters() {
    return parameters;
  }

  /**
   * The template of a name.
   *
   * @param profile kind of device
   * @param label name in databases
   * @return the template, if there is one
   */
  public static Optional<Template> of(Profile profile, String label) {
    for (Template t : values()) {
      if (t.profile == profile && t.label.equals(label)) {
        return Optional.of(t);
      }
    }
    return Optional.empty();
  }

  /** Why no kernel can be written with these values, whatever the device. */
  Optional<String> contradiction(Parameters p) {
    return switch (this) {
      case PRODUCT_LARGE, PRODUCT_MIDDLE, PRODUCT_SMALL -> tiles(p);
      case PRODUCT_TF32, PRODUCT_3XTF32, PRODUCT_BF16 -> warps(p);
      case PRODUCT_BLOCKS ->
          p.get("rows") > p.get("m")
              ? Optional.of("rows " + p.get("rows") + " do not fit in m " + p.get("m"))
              : Optional.empty();
      case PRODUCT_SPLIT -> Optional.empty();
      case REDUCE_GROUPS, GRID -> powerOfTwo(p, "group", "bytes");
      case REDUCE_LOOPS, LOOPS -> powerOfTwo(p, "bytes");
    };
  }

  private static Optional<String> tiles(Parameters p) {
    Optional<String> odd = powerOfTwo(p, "size", "step", "slices", "group");
    if (odd.isPresent()) {
      return odd;
    }
    int size = p.get("size");
    int group = p.get("group");
    int slices = p.get("slices");
    int threads = (int) Math.sqrt((double) group / slices);
    if (threads * threads * slices != group) {
      return Optional.of(
          "group " + group + " over slices " + slices + " is not the square of a whole number");
    }
    int each = size / threads;
    if (each < 2 || each > MOST_EACH) {
      return Optional.of(
          "a work-item would compute "
              + each
              + " by "
              + each
              + " results (size "
              + size
              + ", group "
              + group
              + ", slices "
              + slices
              + "); it must be 2 to "
              + MOST_EACH);
    }
    if (size * p.get("step") * slices < group) {
      return Optional.of(
          "a tile of size "
              + size
              + " by step "
              + p.get("step")
              + " by slices "
              + slices
              + " has fewer elements than the group has work-items, "
              + group);
    }
    // The sums of slices are stored by the whole group, four neighbours by each work-item.
    if (slices > 1 && slices * Math.min(4, each) > each * each) {
      return Optional.of(
          "group " + group + " has more work-items than size " + size + " has stores of four");
    }
    return Optional.empty();
  }

  private static Optional<String> warps(Parameters p) {
    Optional<String> odd = powerOfTwo(p, "m", "n", "step", "rows", "columns");
    if (odd.isPresent()) {
      return odd;
    }
    int rows = p.get("rows");
    int columns = p.get("columns");
    if (rows > p.get("m") || columns > p.get("n")) {
      return Optional.of(
          "a warp's " + rows + " by " + columns + " results are more than a group's");
    }
    if (rows * columns > WARP * MOST_EACH * 2 * MOST_EACH) {
      return Optional.of(
          "a warp's " + rows + " by " + columns + " results do not fit the registers");
    }
    // A warp of bfloat16 takes 16 elements of k at once.
    if (p.template() == PRODUCT_BF16 && p.get("step") < 16) {
      return Optional.of("step " + p.get("step") + " is less than 16");
    }
    int group = warpGroup(p);
    if (Math.min(p.get("m"), p.get("n")) * p.get("step") % (4 * group) != 0) {
      return Optional.of(
          "a tile with step "
              + p.get("step")
              + " is not whole vectors of four for each of "
              + group);
    }
    return Optional.empty();
  }

  private static int warpGroup(Parameters p) {
    return WARP * (p.get("m") / p.get("rows")) * (p.get("n") / p.get("columns"));
  }

  private static Optional<String> powerOfTwo(Parameters p, String... names) {
    for (String n : names) {
      if (Integer.bitCount(p.get(n)) != 1) {
        return Optional.of(n + " " + p.get(n) + " is not a power of two");
      }
    }
    return Optional.empty();
  }

  /** Bytes of local memory that a work-group needs for 32-bit elements. */
  long localBytes(Parameters p) {
    return switch (this) {
      case PRODUCT_LARGE, PRODUCT_MIDDLE, PRODUCT_SMALL -> {
        long slices = p.get("slices");
        long size = p.get("size");
        long operands = 2L * p.get("step") * slices * (size + 4);
        yield 4 * (operands + (slices > 1 ? slices * size * size : 0));
      }
      // Two tiles of each operand, whose rows are padded by 4 or 8 elements.
      case PRODUCT_TF32, PRODUCT_3XTF32 -> {
        long step = p.get("step");
        yield 8 * (padded(p.get("m"), step) + padded(p.get("n"), step));
      }
      case PRODUCT_BF16 -> {
        long words = p.get("step") / 2;
        yield 8 * (padded(p.get("m"), words) + padded(p.get("n"), words));
      }
      // Blocks shrink until they fit; a register tile's width is at most 64 bytes times vectors.
      case PRODUCT_BLOCKS -> 64L * p.get("vectors") * (p.get("rows") + 16L) + 64L * p.get("rows");
      case REDUCE_GROUPS -> 4L * p.get("group");
      case PRODUCT_SPLIT, GRID, REDUCE_LOOPS, LOOPS -> 0;
    };
  }

  private static long padded(long side, long step) {
    return Math.max(step * (side + 8), side * (step + 4));
  }

  /** Work-items of a work-group. */
  int group(Parameters p) {
    return switch (this) {
      case PRODUCT_TF32, PRODUCT_3XTF32, PRODUCT_BF16 -> warpGroup(p);
      case PRODUCT_LARGE, PRODUCT_MIDDLE, PRODUCT_SMALL, REDUCE_GROUPS, GRID -> p.get("group");
      case PRODUCT_SPLIT, PRODUCT_BLOCKS, REDUCE_LOOPS, LOOPS -> 1;
    };
  }
}
