package tapedeck.cpu.selfcheck;

import static tapedeck.ad.type.DType.BOOL;
import static tapedeck.ad.type.DType.FLOAT32;
import static tapedeck.ad.type.DType.FLOAT64;
import static tapedeck.ad.type.DType.INT32;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tapedeck.ad.tensor.CustomVjp;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.RandomBits;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Aval;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.ad.type.Shape;
import tapedeck.cpu.selfcheck.OpSample.Fn;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/**
 * Rows of the primitives that are not elementwise: movement, reductions, products, indexing,
 * sources.
 */
final class StructureRows {
  private static final DType[] ALL = {FLOAT32, FLOAT64, INT32, BOOL};
  private static final DType[] NUMBERS = {FLOAT32, FLOAT64, INT32};

  private StructureRows() {}

  static List<OpSample> rows() {
    List<OpSample> rows = new ArrayList<>();
    movement(rows);
    reductions(rows);
    products(rows);
    indexing(rows);
    sources(rows);
    return rows;
  }

  /** A variant with one operand of values in [-2, 2]. */
  static Variant one(String label, Fn fn, int... dims) {
    return one(label, Domain.ANY, fn, dims);
  }

  static Variant one(String label, Domain domain, Fn fn, int... dims) {
    return new Variant(label + Shape.of(dims), fn, List.of(Operand.of(domain, dims)));
  }

  private static void movement(List<OpSample> rows) {
    rows.add(
        OpSample.of(
                "reshape",
                "Movement.Reshape",
                List.of(
                    one("to(6,4)", x -> x[0].reshape(6, 4), 2, 3, 4),
                    one("flatten", x -> x[0].flatten(), 3, 5),
                    one("to(2,-1)", x -> x[0].reshape(2, -1), 4, 3),
                    one("expand/squeeze", x -> x[0].expandDims(1).squeeze(0), 1, 5),
                    one("to scalar", x -> x[0].reshape(), 1, 1),
                    one("transposed", x -> x[0].transpose().reshape(3, 8), 4, 3, 2),
                    one("empty", x -> x[0].reshape(0, 7), 3, 0)))
            .covers("reshape", "flatten", "expandDims", "squeeze")
            .types(ALL));
    rows.add(
        OpSample.of(
                "transpose",
                "Movement.Transpose",
                List.of(
                    one("(1,0)", x -> x[0].t(), 3, 5),
                    one("(2,0,1)", x -> x[0].transpose(2, 0, 1), 2, 3, 4),
                    one("reversed", x -> x[0].transpose(), 2, 1, 3, 2),
                    one("swapped", x -> x[0].swapAxes(0, -1), 2, 3, 4),
                    one("moved", x -> x[0].moveAxis(0, 2), 2, 3, 4),
                    one("odd", x -> x[0].t(), 13, 207),
                    one("empty", x -> x[0].t(), 3, 0)))
            .covers("transpose", "t", "swapAxes", "moveAxis")
            .types(ALL));
    rows.add(
        OpSample.of(
                "broadcast",
                "Movement.Broadcast",
                List.of(
                    one("to(2,3,4)", x -> x[0].broadcastTo(2, 3, 4), 3, 1),
                    one("scalar", x -> x[0].broadcastTo(4, 2), new int[0]),
                    one("to(1,3,2)", x -> x[0].broadcastTo(1, 3, 2), 1, 2),
                    one("empty", x -> x[0].broadcastTo(0, 3), 3)))
            .covers("broadcastTo")
            .types(ALL));
    rows.add(
        OpSample.of(
                "slice",
                "Movement.Slice",
                List.of(
                    one("1:4", x -> x[0].slice(0, 1, 4), 5),
                    one("::2", x -> x[0].slice(1, 0, 7, 2), 2, 7),
                    one("-3:", x -> x[0].slice(0, -3, 13), 13),
                    one("::-1", x -> x[0].slice(0, -1, Integer.MIN_VALUE, -1), 5),
                    one("5:1:-2", x -> x[0].slice(1, 5, 1, -2), 2, 7),
                    one(
                        "steps",
                        x -> x[0].slice(new int[] {1, 0}, new int[] {6, 5}, new int[] {3, 2}),
                        6,
                        5),
                    one("row", x -> x[0].get(-2), 3, 4),
                    one("none", x -> x[0].slice(0, 2, 2), 5)))
            .covers("slice", "get")
            .types(ALL));
    rows.add(
        OpSample.of(
                "pad",
                "Movement.Pad",
                List.of(
                    one("1,2", x -> x[0].pad(new int[] {1}, new int[] {2}, 0), 4),
                    one("value", x -> x[0].pad(new int[] {0, 2}, new int[] {1, 0}, 1), 2, 3),
                    one(
                        "gaps",
                        x ->
                            Tensor.apply(
                                new Movement.Pad(List.of(1, 0), List.of(0, 2), List.of(2, 1), 0),
                                x[0]),
                        3,
                        2),
                    one("empty", x -> x[0].pad(new int[] {2}, new int[] {1}, 1), 0)))
            .types(ALL));
    rows.add(
        OpSample.of(
                "concat",
                "Movement.Concatenate",
                List.of(
                    concat(0, new int[] {2}, new int[] {3}),
                    concat(1, new int[] {2, 3}, new int[] {2, 1}, new int[] {2, 4}),
                    concat(0, new int[] {0, 2}, new int[] {3, 2}),
                    concat(-1, new int[] {2, 2}, new int[] {2, 0}, new int[] {2, 13}),
                    new Variant(
                        "stack",
                        x -> Tensor.stack(1, x),
                        List.of(Operand.of(Domain.ANY, 2, 3), Operand.of(Domain.ANY, 2, 3)))))
            .covers("concat", "stack")
            .types(ALL));
    rows.add(
        OpSample.of(
                "flip",
                "Movement.Flip",
                List.of(
                    one("0", x -> x[0].flip(0), 5),
                    one("-1", x -> x[0].flip(-1), 2, 3),
                    one("all", x -> x[0].flip(), 2, 3, 2),
                    one("empty", x -> x[0].flip(0), 0)))
            .types(ALL));
  }

  private static Variant concat(int axis, int[]... shapes) {
    return new Variant(
        "axis " + axis + " of " + Arrays.deepToString(shapes),
        x -> Tensor.concat(axis, x),
        Arrays.stream(shapes).map(s -> Operand.of(Domain.ANY, s)).toList());
  }

  /** A reduction with and without its axes. */
  private interface Reduction {
    Tensor apply(Tensor x, boolean keepDims, int... axes);
  }

  private static final int[][] REDUCED = {{3, 5}, {}, {2}, {3, 2, 1, 2}, {1, 207}, {13, 7}};

  /** With operands that have an empty axis; the mean of nothing is NaN. */
  private static OpSample reduction(String name, String primitive, Domain domain, Reduction f) {
    int[][] shapes = Arrays.copyOf(REDUCED, REDUCED.length + 1);
    shapes[REDUCED.length] = new int[] {3, 0, 5};
    return reduction(name, primitive, domain, f, shapes);
  }

  private static OpSample reduction(
      String name, String primitive, Domain domain, Reduction f, int[]... shapes) {
    List<Variant> variants = new ArrayList<>();
    for (int[] s : shapes) {
      variants.add(one("all", domain, x -> f.apply(x[0], false), s));
      if (s.length > 0) {
        variants.add(one("keep 0", domain, x -> f.apply(x[0], true, 0), s));
        variants.add(one("-1", domain, x -> f.apply(x[0], false, -1), s));
      }
      if (s.length > 2) {
        variants.add(one("1", domain, x -> f.apply(x[0], false, 1), s));
        variants.add(one("keep 0,2", domain, x -> f.apply(x[0], true, 0, 2), s));
      }
    }
    return OpSample.of(name, primitive, variants);
  }

  private static void reductions(List<OpSample> rows) {
    rows.add(
        reduction("sum", "Reduce.SUM", Domain.ANY, (x, k, a) -> x.sum(k, a))
            .types(NUMBERS)
            .slack(4));
    rows.add(
        reduction("prod", "Reduce.PROD", Domain.of(0.6, 1.5), (x, k, a) -> x.prod(k, a))
            .types(NUMBERS)
            .slack(16)
            .notes("right to every order where factors are 0"));
    rows.add(
        reduction("max", "Reduce.MAX", Domain.ANY, (x, k, a) -> x.max(k, a))
            .types(NUMBERS)
            .notes("ties share the derivative; NaN wins; empty gives -inf"));
    rows.add(
        reduction("min", "Reduce.MIN", Domain.ANY, (x, k, a) -> x.min(k, a))
            .types(NUMBERS)
            .notes("ties share the derivative; NaN wins; empty gives inf"));
    rows.add(reduction("mean", "", Domain.ANY, (x, k, a) -> x.mean(k, a), REDUCED).slack(4));
    rows.add(reduction("any", "", Domain.ANY, (x, k, a) -> x.any(a)).types(BOOL).order(0));
    rows.add(reduction("all", "", Domain.ANY, (x, k, a) -> x.all(a)).types(BOOL).order(0));
  }

  /** Products of one precision, small ones and ones that are worth tiles. */
  private static OpSample precise(Precision p) {
    int[][] shapes = {{33, 65, 17}, {3, 4, 2}, {40, 36, 72}};
    List<Variant> variants = new ArrayList<>();
    for (int[] s : shapes) {
      variants.add(
          new Variant(
              Shape.of(s[0], s[1]) + "x" + Shape.of(s[1], s[2]),
              x -> x[0].matmul(x[1], p).add(x[2]).tanh(),
              List.of(
                  Operand.of(Domain.of(-1, 1), s[0], s[1]),
                  Operand.of(Domain.of(-1, 1), s[1], s[2]),
                  Operand.of(Domain.ANY, s[2]))));
    }
    return OpSample.of("matmul " + p, "Matmul", variants).covers("matmul").types(DType.FLOAT32);
  }

  private static void products(List<OpSample> rows) {
    int[][][] shapes = {
      {{3, 4}, {4, 2}},
      {{4}, {4}},
      {{4}, {4, 3}},
      {{3, 4}, {4}},
      {{2, 3, 4}, {2, 4, 5}},
      {{2, 3, 4}, {4, 5}},
      {{3, 4}, {2, 4, 5}},
      {{2, 1, 3, 2}, {3, 2, 1}},
      {{1, 1}, {1, 1}},
      {{13, 7}, {7, 19}},
      {{33, 65}, {65, 17}},
      {{0, 3}, {3, 2}},
      {{2, 0}, {0, 3}},
      {{1, 70}, {70, 1}}
    };
    List<Variant> variants = new ArrayList<>();
    for (int[][] s : shapes) {
      variants.add(
          new Variant(
              Shape.of(s[0]) + "x" + Shape.of(s[1]),
              x -> x[0].matmul(x[1]),
              List.of(Operand.of(Domain.ANY, s[0]), Operand.of(Domain.ANY, s[1]))));
    }
    variants.add(
        new Variant(
            "transposed both",
            x -> x[0].t().matmul(x[1].t()),
            List.of(Operand.of(Domain.ANY, 4, 3), Operand.of(Domain.ANY, 5, 4))));
    variants.add(
        new Variant(
            "bias and tanh",
            x -> x[0].matmul(x[1]).add(x[2]).tanh(),
            List.of(
                Operand.of(Domain.ANY, 6, 5),
                Operand.of(Domain.ANY, 5, 3),
                Operand.of(Domain.ANY, 3))));
    rows.add(OpSample.of("matmul", "Matmul", variants).slack(8));
    rows.add(precise(Precision.HIGH).slack(16).notes("float32 accuracy where it is split in TF32"));
    rows.add(
        precise(Precision.BFLOAT16).slack(4096).notes("about 1e-2 where operands are bfloat16"));
    rows.add(precise(Precision.DEFAULT).slack(512).notes("about 1e-3 where operands are TF32"));
    rows.add(
        OpSample.of(
                "dot",
                "",
                List.of(
                    new Variant(
                        "(13)",
                        x -> x[0].dot(x[1]),
                        List.of(Operand.of(Domain.ANY, 13), Operand.of(Domain.ANY, 13)))))
            .slack(4));
    rows.add(
        OpSample.of(
            "outer",
            "",
            List.of(
                new Variant(
                    "(3)(4)",
                    x -> x[0].outer(x[1]),
                    List.of(Operand.of(Domain.ANY, 3), Operand.of(Domain.ANY, 4))))));
  }

  private static Variant indexed(String label, Fn fn, Domain indices, int count, int... dims) {
    return new Variant(
        label, fn, List.of(Operand.of(Domain.ANY, dims), Operand.of(INT32, indices, count)));
  }

  private static void indexing(List<OpSample> rows) {
    rows.add(
        OpSample.of(
                "take",
                "Take",
                List.of(
                    indexed("rows", x -> x[0].take(x[1], 0), Domain.ints(0, 3), 7, 4, 3),
                    indexed("columns", x -> x[0].take(x[1], -1), Domain.ints(0, 2), 2, 4, 3),
                    indexed("middle", x -> x[0].take(x[1], 1), Domain.ints(0, 2), 5, 2, 3, 4),
                    indexed("clamped", x -> x[0].take(x[1], 0), Domain.ints(-5, 9), 13, 4),
                    indexed("none", x -> x[0].take(x[1], 0), Domain.ints(0, 1), 0, 4, 2),
                    indexed(
                        "matrix",
                        x -> x[0].take(x[1].reshape(2, 3), 0),
                        Domain.ints(0, 3),
                        6,
                        4,
                        3)))
            .types(ALL)
            .notes("indices are clamped into range"));
    rows.add(
        OpSample.of(
                "scatterAdd",
                "ScatterAdd",
                List.of(
                    indexed("rows", x -> x[0].scatterAdd(x[1], 0, 4), Domain.ints(0, 3), 7, 7, 3),
                    indexed(
                        "columns", x -> x[0].scatterAdd(x[1], 1, 5), Domain.ints(0, 4), 3, 4, 3),
                    indexed("collide", x -> x[0].scatterAdd(x[1], 0, 2), Domain.ints(0, 0), 13, 13),
                    indexed(
                        "clamped", x -> x[0].scatterAdd(x[1], 0, 3), Domain.ints(-5, 9), 9, 9, 2),
                    indexed("none", x -> x[0].scatterAdd(x[1], 0, 3), Domain.ints(0, 2), 0, 0, 2)))
            .types(NUMBERS)
            .slack(4)
            .notes("adds in the order of the updates; indices are clamped into range"));
    rows.add(
        OpSample.of(
                "oneHot",
                "",
                List.of(
                    new Variant(
                        "(5)",
                        x -> x[0].oneHot(4, FLOAT32),
                        List.of(Operand.of(INT32, Domain.ints(-1, 4), 5))),
                    new Variant(
                        "(2,3)",
                        x -> x[0].oneHot(3, INT32),
                        List.of(Operand.of(INT32, Domain.ints(0, 2), 2, 3)))))
            .types(INT32)
            .order(0)
            .notes("a class out of range gives a row of zeros"));
    Domain few = new Domain(-2, 2, 0, -2, 2);
    rows.add(
        OpSample.of(
                "argmax",
                "",
                List.of(
                    one("0", few, x -> x[0].argmax(0), 5),
                    one("-1", few, x -> x[0].argmax(-1), 3, 13),
                    one("0", few, x -> x[0].argmax(0), 4, 3)))
            .types(NUMBERS)
            .order(0)
            .notes("first of equals; the first NaN"));
    rows.add(
        OpSample.of(
                "argmin",
                "",
                List.of(
                    one("0", few, x -> x[0].argmin(0), 5),
                    one("-1", few, x -> x[0].argmin(-1), 3, 13),
                    one("0", few, x -> x[0].argmin(0), 4, 3)))
            .types(NUMBERS)
            .order(0)
            .notes("first of equals; the first NaN"));
  }

  private static void sources(List<OpSample> rows) {
    List<Variant> casts = new ArrayList<>();
    for (DType to : DType.values()) {
      casts.add(one("to " + to, new Domain(-3, 3, 0.1, -9, 9), x -> x[0].cast(to), 13));
    }
    rows.add(
        OpSample.of("cast", "Cast", casts)
            .types(ALL)
            .notes("derivative only from float to float; float to int32 truncates and saturates"));
    rows.add(
        OpSample.of(
                "stopGradient",
                "StopGradient",
                List.of(one("", x -> x[0].square().stopGradient(), 13)))
            .order(0)
            .notes("derivative 0"));
    rows.add(
        OpSample.of(
                "full",
                "Full",
                List.of(
                    one(
                        "scaled",
                        x -> x[0].mul(Tensor.full(x[0].dtype(), x[0].shape(), 1.5)),
                        3,
                        4),
                    one(
                        "zeros, ones",
                        x -> x[0].add(x[0].onesLike()).mul(2).add(x[0].zerosLike()),
                        5)))
            .covers("full", "zerosLike", "onesLike", "zeros", "ones", "scalar"));
    rows.add(
        OpSample.of(
                "iota",
                "Iota",
                List.of(
                    one("columns", x -> x[0].mul(Tensor.iota(x[0].dtype(), x[0].shape(), 1)), 3, 4),
                    one("rows", x -> x[0].add(Tensor.iota(x[0].dtype(), x[0].shape(), 0)), 13, 2),
                    one("eye", x -> x[0].mul(Tensor.eye(x[0].dtype(), 4)), 4, 4),
                    one("arange", x -> x[0].add(Tensor.arange(x[0].dtype(), 5)), 5)))
            .covers("iota", "arange", "eye")
            .types(NUMBERS));
    rows.add(
        OpSample.of(
                "random_bits",
                "RandomBits",
                List.of(bits(0, 13), bits(1, 2, 3), bits(3, 207), bits(2, 0)))
            .covers()
            .types(INT32)
            .order(0)
            .notes("Philox 4x32-10: the same bits on every device"));
    rows.add(
        OpSample.of(
                "custom_vjp",
                "CustomVjp",
                List.of(
                    one("cube", x -> Tensor.bind(cube(x[0].aval()), List.of(x[0])).get(0), 3, 4),
                    one(
                        "in a chain",
                        x -> Tensor.bind(cube(x[0].aval()), List.of(x[0].sin())).get(0).sum(),
                        5)))
            .covers()
            .notes("reverse mode uses the rule, forward mode the function"));
  }

  private static Variant bits(int lane, int... dims) {
    return new Variant(
        "lane " + lane + " " + Shape.of(dims),
        x -> Tensor.apply(new RandomBits(Shape.of(dims), lane), x[0]),
        List.of(Operand.of(INT32, Domain.ints(Integer.MIN_VALUE, Integer.MAX_VALUE), 2)));
  }

  /** x cubed with its derivative as a rule. */
  private static CustomVjp cube(Aval a) {
    return new CustomVjp(
        "cube",
        x -> List.of(x.get(0).square().mul(x.get(0))),
        x -> List.of(x.get(0).square().mul(x.get(0)), x.get(0)),
        r -> List.of(r.get(1).mul(r.get(0).square()).mul(3)),
        List.of(a));
  }
}
