package tapedeck.cpu.selfcheck;

import static tapedeck.ad.type.DType.INT32;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.Shape;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/**
 * Random expression graphs as rows of the table. A seed fixes a graph: operations are drawn from
 * all families, applied where all derivatives are bounded, to values drawn from the arguments and
 * earlier results, so that subexpressions are shared and views of views arise.
 */
public final class RandomGraphs {
  private static final int STEPS = 14;
  private static final int LARGEST = 1500;

  /** Arguments' shapes: tiny ones, and such that fill vectors and leave a rest. */
  private static final int[][][] SHAPES = {
    {{3, 4}, {4}, {2, 1, 3}}, {{5, 17}, {17}, {3, 1, 5}}, {{33, 8}, {8}, {1, 33}}
  };

  private final SplittableRandom random;
  private final List<Tensor> values = new ArrayList<>();

  private RandomGraphs(long seed, Tensor[] arguments) {
    this.random = new SplittableRandom(seed);
    this.values.addAll(List.of(arguments));
  }

  /**
   * {@return the rows for the seeds 1 to {@code count}}
   *
   * @param count number of graphs
   */
  public static List<OpSample> rows(int count) {
    return IntStream.rangeClosed(1, count).mapToObj(RandomGraphs::row).toList();
  }

  /**
   * {@return the row of one seed}
   *
   * @param seed fixes the graph and the shapes of its arguments; 0 or more
   */
  public static OpSample row(long seed) {
    int[][] shapes = SHAPES[(int) (seed % SHAPES.length)];
    Variant graph =
        new Variant(
            "seed " + seed,
            x -> new RandomGraphs(seed, x).build(),
            Arrays.stream(shapes).map(d -> Operand.of(Domain.ANY, d)).toList());
    return OpSample.of("random graph " + seed, "", List.of(graph)).covers().slack(256);
  }

  private Tensor build() {
    for (int i = 0; i < STEPS; i++) {
      Tensor next = step(pick());
      if (next.size() > 0 && next.size() <= LARGEST) {
        values.add(next);
      }
    }
    // Arguments count too, so every one has a gradient.
    Tensor total = values.get(0).mean();
    for (int i = 1; i < values.size(); i++) {
      total = total.add(values.get(i).mean().mul(1.0 / (1 + i % 3)));
    }
    return total;
  }

  /** A value, with a preference for late ones. */
  private Tensor pick() {
    int n = values.size();
    return values.get(Math.max(random.nextInt(n), random.nextInt(n)));
  }

  private Tensor step(Tensor x) {
    return switch (random.nextInt(8)) {
      case 0, 1 -> unary(x);
      case 2, 3 -> binary(x, pick());
      case 4, 5 -> moved(x);
      case 6 -> reduced(x);
      default -> combined(x);
    };
  }

  private Tensor unary(Tensor x) {
    return switch (random.nextInt(18)) {
      case 0 -> x.sin();
      case 1 -> x.cos();
      case 2 -> x.tanh();
      case 3 -> x.sigmoid();
      case 4 -> x.tanh().exp();
      case 5 -> x.square().add(0.5).log();
      case 6 -> x.square().add(1).sqrt();
      case 7 -> x.square().add(1).rsqrt();
      case 8 -> x.erf();
      case 9 -> x.atan();
      case 10 -> x.mul(0.5).neg();
      case 11 -> x.abs();
      case 12 -> x.relu();
      case 13 -> x.tanh().expm1();
      case 14 -> x.square().log1p();
      case 15 -> x.softplus();
      case 16 -> x.tanh().gelu();
      default -> x.tanh().mul(0.9).asin();
    };
  }

  private Tensor binary(Tensor x, Tensor y) {
    if (Shape.broadcast(x.shape(), y.shape()) == null) {
      y = y.mean();
    }
    return switch (random.nextInt(9)) {
      case 0 -> x.add(y);
      case 1 -> x.sub(y);
      case 2 -> x.tanh().mul(y);
      case 3 -> x.div(y.square().add(1));
      case 4 -> x.maximum(y);
      case 5 -> x.minimum(y.mul(0.7));
      case 6 -> x.lt(y).where(x.sin(), y.sin());
      case 7 -> x.tanh().atan2(y.square().add(1));
      default -> x.square().add(0.5).pow(y.tanh());
    };
  }

  private Tensor moved(Tensor x) {
    if (x.rank() == 0) {
      return x.broadcastTo(2, 3);
    }
    int axis = random.nextInt(x.rank());
    int n = x.dim(axis);
    return switch (random.nextInt(9)) {
      case 0 -> x.transpose();
      case 1 -> x.flatten();
      case 2 -> x.flip(axis);
      case 3 -> x.slice(axis, n > 1 ? 1 : 0, n);
      case 4 -> x.slice(axis, 0, n, 2);
      case 5 -> x.slice(axis, -1, Integer.MIN_VALUE, -2);
      case 6 -> {
        int[] lo = new int[x.rank()];
        int[] hi = new int[x.rank()];
        lo[axis] = 1;
        hi[axis] = 2;
        yield x.pad(lo, hi, 0.25);
      }
      case 7 -> Tensor.concat(axis, x, x.sin());
      default -> x.expandDims(axis).broadcastTo(x.shape().with(axis, 2));
    };
  }

  private Tensor reduced(Tensor x) {
    if (x.rank() == 0) {
      return x.cos();
    }
    int axis = random.nextInt(x.rank());
    return switch (random.nextInt(9)) {
      case 0 -> x.sum(axis).mul(0.3);
      case 1 -> x.mean(true, axis);
      case 2 -> x.max(axis);
      case 3 -> x.min(true, axis);
      case 4 -> x.logSumExp(axis);
      case 5 -> x.softmax(axis);
      case 6 -> x.variance(axis);
      case 7 -> x.tanh().mul(0.3).add(1).prod(axis);
      default -> x.sub(x.mean(true, axis)).div(x.square().mean(true, axis).add(1).sqrt());
    };
  }

  private Tensor combined(Tensor x) {
    if (x.rank() == 0) {
      return x.tanh();
    }
    int n = x.dim(0);
    return switch (random.nextInt(4)) {
      case 0 -> x.rank() < 2 ? x.outer(x.tanh().flatten()) : x.matmul(x.swapAxes(-1, -2)).tanh();
      case 1 -> x.take(Tensor.of(0, n - 1, 0, n / 2), 0);
      case 2 -> x.scatterAdd(Tensor.iota(INT32, Shape.of(n), 0).mul(2), 0, n);
      default -> {
        Tensor y = pick();
        yield y.rank() >= 1 && y.dim(0) == x.dim(-1) && y.rank() <= 2
            ? x.matmul(y).tanh()
            : x.sin().mul(x.tanh());
      }
    };
  }
}
