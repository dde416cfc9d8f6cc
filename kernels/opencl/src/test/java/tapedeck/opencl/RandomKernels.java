package tapedeck.opencl;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Random kernels over everything the kernel IR can say. Values are small integers in every type, so
 * that all results are exact, whatever the order of a sum, and backends must agree to the bit.
 */
final class RandomKernels {
  private static final int[] EXTENTS = {1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 64, 67};
  private static final int LIMIT = 8;

  private final Random random;
  private final List<DType> inputTypes = new ArrayList<>();
  private final List<Long> inputSizes = new ArrayList<>();
  private final DType real;
  private long longest;
  private int loopIds;
  private int accIds;
  private final List<Expr.Acc> accs = new ArrayList<>();
  private final List<Expr> pool = new ArrayList<>();

  private RandomKernels(long seed) {
    this.random = new Random(seed);
    this.real = random.nextInt(4) == 0 ? DType.FLOAT64 : DType.FLOAT32;
  }

  static Runs.Case make(long seed) {
    return new RandomKernels(seed).build();
  }

  private Runs.Case build() {
    int inputs = 1 + random.nextInt(3);
    for (int i = 0; i < inputs; i++) {
      inputTypes.add(i == 0 ? real : DType.values()[random.nextInt(4)]);
      inputSizes.add(1L);
      if (inputTypes.get(i).isFloat()) {
        inputTypes.set(i, real);
      }
    }
    // Now and then enough points for several work-items and long vectors.
    boolean large = random.nextInt(8) == 0;
    List<Loop> grid =
        large
            ? List.of(
                new Loop(loopIds++, 1 + random.nextInt(30)),
                new Loop(loopIds++, 200 + random.nextInt(900)))
            : loops(random.nextInt(4), 3000);
    longest = large ? 40 : 300;
    List<Phase> phases = new ArrayList<>();
    List<Kernel.Param> outs = new ArrayList<>();
    switch (random.nextInt(5)) {
      case 0 -> emit(grid, List.of(), phases, outs);
      case 1 -> {
        reduce(grid, loops(1 + random.nextInt(2), longest), phases);
        emit(grid, List.of(), phases, outs);
      }
      case 2 -> {
        reduce(grid, loops(1, Math.min(longest, 80)), phases);
        reduce(grid, loops(1, Math.min(longest, 80)), phases);
        emit(grid, loops(1 + random.nextInt(2), Math.min(longest, 80)), phases, outs);
      }
      case 3 -> {
        emit(grid, loops(1, Math.min(longest, 60)), phases, outs);
        reduce(grid, loops(2, Math.min(longest, 60)), phases);
        emit(grid, List.of(), phases, outs);
      }
      default -> scatter(grid, phases, outs);
    }
    List<Kernel.Param> params = new ArrayList<>();
    for (int i = 0; i < inputTypes.size(); i++) {
      params.add(new Kernel.Param(inputTypes.get(i), inputSizes.get(i), true, false));
    }
    params.addAll(outs);
    List<double[]> values = new ArrayList<>();
    for (int i = 0; i < inputTypes.size(); i++) {
      double[] v = new double[inputSizes.get(i).intValue()];
      for (int j = 0; j < v.length; j++) {
        v[j] = inputTypes.get(i) == DType.BOOL ? random.nextInt(2) : random.nextInt(7) - 3;
      }
      values.add(v);
    }
    Kernel kernel = new Kernel(params, grid, phases, Optional.empty());
    return new Runs.Case(kernel, Runs.distinct(kernel), values);
  }

  private List<Loop> loops(int count, long most) {
    List<Loop> out = new ArrayList<>();
    long total = 1;
    for (int i = 0; i < count; i++) {
      int e = EXTENTS[random.nextInt(EXTENTS.length)];
      if (total * e <= most) {
        out.add(new Loop(loopIds++, e));
        total *= e;
      }
    }
    return out;
  }

  private static List<Loop> join(List<Loop> a, List<Loop> b) {
    List<Loop> out = new ArrayList<>(a);
    out.addAll(b);
    return out;
  }

  private void reduce(List<Loop> grid, List<Loop> loops, List<Phase> phases) {
    pool.clear();
    List<Phase.Accumulator> made = new ArrayList<>();
    int n = 1 + random.nextInt(2);
    for (int i = 0; i < n; i++) {
      Reducer r = Reducer.values()[random.nextInt(4)];
      DType t = random.nextInt(3) == 0 ? DType.INT32 : real;
      if (r == Reducer.MAX && random.nextInt(4) == 0) {
        t = DType.BOOL;
      }
      Expr v = expr(t, 3, join(grid, loops));
      if (r == Reducer.PROD) {
        v = clamp(v, -1, 1);
      }
      made.add(new Phase.Accumulator(accIds++, r, t, v));
    }
    phases.add(new Phase.Reduce(loops, made));
    pool.clear();
    made.forEach(a -> accs.add(new Expr.Acc(a.id(), a.dtype())));
  }

  private void emit(
      List<Loop> grid, List<Loop> loops, List<Phase> phases, List<Kernel.Param> outs) {
    pool.clear();
    List<Phase.Store> stores = new ArrayList<>();
    int n = 1 + random.nextInt(2);
    for (int i = 0; i < n; i++) {
      DType t = random.nextInt(3) == 0 ? DType.values()[random.nextInt(4)] : real;
      t = t.isFloat() ? real : t;
      List<Loop> all = join(grid, loops);
      Expr v = expr(t, 4, all);
      stores.add(new Phase.Store(inputTypes.size() + outs.size(), injective(all), v));
      outs.add(new Kernel.Param(t, Math.max(1, size(all)), false, true));
    }
    phases.add(new Phase.Emit(loops, stores));
    pool.clear();
  }

  private void scatter(List<Loop> grid, List<Phase> phases, List<Kernel.Param> outs) {
    int width = 1 + random.nextInt(20);
    Loop fill = new Loop(loopIds++, width);
    int out = inputTypes.size();
    DType t = random.nextBoolean() ? real : DType.INT32;
    Index row = rowMajor(grid).times(width);
    phases.add(
        new Phase.Emit(
            List.of(fill),
            List.of(new Phase.Store(out, row.plus(Index.of(fill)), Expr.constant(t, 0)))));
    outs.add(new Kernel.Param(t, size(grid) * width, true, true));
    List<Loop> loops = loops(1 + random.nextInt(2), Math.min(longest, 100));
    List<Loop> all = join(grid, loops);
    Expr at = clamp(expr(DType.INT32, 2, all), 0, width - 1);
    List<Expr.Bound> bounds =
        random.nextBoolean() || all.isEmpty()
            ? List.of()
            : List.of(new Expr.Bound(Index.of(pick(all)), 1, 4));
    phases.add(
        new Phase.ScatterAdd(
            loops, bounds, new Phase.Store(out, row.plus(Index.of(at, width)), expr(t, 3, all))));
  }

  private static long size(List<Loop> loops) {
    long n = 1;
    for (Loop l : loops) {
      n *= l.extent();
    }
    return n;
  }

  private static Index rowMajor(List<Loop> loops) {
    Index i = Index.ZERO;
    for (Loop l : loops) {
      i = i.times(l.extent()).plus(Index.of(l));
    }
    return i;
  }

  /** Row-major over some order of the loops, some of them backwards. */
  private Index injective(List<Loop> loops) {
    List<Loop> order = new ArrayList<>(loops);
    if (random.nextInt(3) == 0) {
      Collections.shuffle(order, random);
    }
    Index i = Index.ZERO;
    for (Loop l : order) {
      Index v = Index.of(l);
      i = i.times(l.extent());
      i = i.plus(random.nextInt(6) == 0 ? v.times(-1).plus(l.extent() - 1) : v);
    }
    return i;
  }

  private <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  /** A value whose magnitude is at most LIMIT. */
  private Expr expr(DType t, int depth, List<Loop> loops) {
    if (!pool.isEmpty() && random.nextInt(4) == 0) {
      Expr e = pick(pool);
      if (e.dtype() == t) {
        return e;
      }
    }
    Expr e = depth == 0 ? leaf(t, loops) : inner(t, depth - 1, loops);
    pool.add(e);
    return e;
  }

  private Expr leaf(DType t, List<Loop> loops) {
    int what = random.nextInt(6);
    if (what == 0) {
      return Expr.constant(t, t == DType.BOOL ? random.nextInt(2) : random.nextInt(7) - 3);
    }
    if (what == 1 && !accs.isEmpty()) {
      Expr a = pick(accs);
      return convert(a.dtype() == DType.BOOL ? a : clamp(a, -LIMIT, LIMIT), t);
    }
    if (what == 2 && !loops.isEmpty()) {
      return convert(clamp(new Expr.IndexValue(view(loops)), -LIMIT, LIMIT), t);
    }
    return convert(load(view(loops)), t);
  }

  private Expr load(Index at) {
    int p = random.nextInt(inputTypes.size());
    inputSizes.set(p, Math.max(inputSizes.get(p), at.max() + 1));
    return new Expr.Load(p, inputTypes.get(p), at);
  }

  /** An index that is never negative and not too large. */
  private Index view(List<Loop> loops) {
    if (loops.isEmpty() || random.nextInt(8) == 0) {
      return Index.of(random.nextInt(3));
    }
    Index i =
        switch (random.nextInt(8)) {
          case 0 -> rowMajor(loops).times(2).plus(1);
          case 1 -> injective(loops);
          case 2 -> Index.of(pick(loops)).times(random.nextInt(3));
          case 3 -> rowMajor(loops).div(1 + random.nextInt(5)).plus(Index.of(pick(loops)));
          case 4 -> rowMajor(loops).mod(1 + random.nextInt(9));
          case 5 -> {
            int n = 1 + random.nextInt(9);
            Expr at = clamp(convert(load(Index.of(pick(loops))), DType.INT32), 0, n - 1);
            yield Index.of(at, n).times(2).plus(Index.of(pick(loops)));
          }
          default -> rowMajor(loops);
        };
    return i.max() < 300_000 ? i : Index.of(pick(loops));
  }

  private Expr inner(DType t, int depth, List<Loop> loops) {
    if (!loops.isEmpty() && random.nextInt(6) == 0) {
      // A pad: the load would be out of range where the bounds do not hold.
      Loop l = pick(loops);
      long n = 1L + random.nextInt((int) l.extent());
      Index shifted = Index.of(l).plus(-random.nextInt(3));
      int p = random.nextInt(inputTypes.size());
      long stride = 1L + random.nextInt(2);
      inputSizes.set(p, Math.max(inputSizes.get(p), (n - 1) * stride + 1));
      Expr inside = new Expr.Load(p, inputTypes.get(p), shifted.times(stride));
      List<Expr> kept = new ArrayList<>(pool);
      Expr value =
          random.nextBoolean()
              ? convert(inside, t)
              : clampAny(sum(t, convert(inside, t), expr(t, depth, loops)));
      // Values from inside must not be used outside of the condition.
      pool.clear();
      pool.addAll(kept);
      return new Expr.Guarded(List.of(new Expr.Bound(shifted, 0, n)), value, expr(t, depth, loops));
    }
    if (t == DType.BOOL) {
      DType o = DType.values()[random.nextInt(4)];
      DType operand = o.isFloat() ? real : o;
      Expr a = expr(operand, depth, loops);
      Expr b = expr(operand, depth, loops);
      ScalarOp[] compare = {ScalarOp.LT, ScalarOp.LE, ScalarOp.EQ, ScalarOp.NE};
      ScalarOp[] logic = {ScalarOp.AND, ScalarOp.OR, ScalarOp.XOR, ScalarOp.MIN, ScalarOp.MAX};
      if (operand == DType.BOOL && random.nextBoolean()) {
        return random.nextInt(5) == 0
            ? Expr.apply(ScalarOp.NOT, t, a)
            : Expr.apply(logic[random.nextInt(logic.length)], t, a, b);
      }
      return Expr.apply(compare[random.nextInt(4)], t, a, b);
    }
    Expr a = expr(t, depth, loops);
    return switch (random.nextInt(11)) {
      case 0 -> clamp(sum(t, a, expr(t, depth, loops)), -LIMIT, LIMIT);
      case 1 -> clamp(Expr.apply(ScalarOp.SUB, t, a, expr(t, depth, loops)), -LIMIT, LIMIT);
      case 2 -> clamp(Expr.apply(ScalarOp.MUL, t, a, expr(t, depth, loops)), -LIMIT, LIMIT);
      case 3 -> Expr.apply(ScalarOp.MIN, t, a, expr(t, depth, loops));
      case 4 -> Expr.apply(ScalarOp.MAX, t, a, expr(t, depth, loops));
      case 5 -> Expr.apply(ScalarOp.NEG, t, a);
      case 6 -> Expr.apply(ScalarOp.ABS, t, a);
      case 7 -> Expr.apply(ScalarOp.SIGN, t, a);
      case 8 ->
          Expr.apply(ScalarOp.SELECT, t, expr(DType.BOOL, depth, loops), a, expr(t, depth, loops));
      case 9 ->
          t.isFloat()
              ? Expr.apply(ScalarOp.FLOOR, t, a)
              : clamp(Expr.apply(ScalarOp.DIV, t, a, expr(t, depth, loops)), -LIMIT, LIMIT);
      default -> {
        DType from = random.nextBoolean() ? DType.INT32 : real;
        yield convert(expr(from, depth, loops), t);
      }
    };
  }

  private static Expr sum(DType t, Expr a, Expr b) {
    return Expr.apply(t == DType.BOOL ? ScalarOp.OR : ScalarOp.ADD, t, a, b);
  }

  private static Expr clampAny(Expr e) {
    return e.dtype() == DType.BOOL ? e : clamp(e, -LIMIT, LIMIT);
  }

  private static Expr clamp(Expr e, int lo, int hi) {
    DType t = e.dtype();
    return Expr.apply(
        ScalarOp.MIN,
        t,
        Expr.apply(ScalarOp.MAX, t, e, Expr.constant(t, lo)),
        Expr.constant(t, hi));
  }

  private static Expr convert(Expr e, DType t) {
    return e.dtype() == t ? e : Expr.apply(ScalarOp.CAST, t, e);
  }
}
