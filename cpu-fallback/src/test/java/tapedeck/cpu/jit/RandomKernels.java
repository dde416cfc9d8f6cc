package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/**
 * Random kernels that keep the rules of the kernel IR: every phase kind, element type and index
 * form, with extents around vector sizes. The values of parameter INT are valid indices below 4.
 */
final class RandomKernels {
  /** Parameters 0 to 3 are inputs of these types; outputs follow. */
  static final List<DType> INPUTS = List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32, DType.BOOL);

  private static final int INT = 2;
  private static final long[] EXTENTS = {1, 2, 3, 5, 8, 10, 16, 17, 31, 40, 67};
  private static final ScalarOp[] UNARY = {
    ScalarOp.NEG, ScalarOp.ABS, ScalarOp.SIGN, ScalarOp.FLOOR, ScalarOp.CEIL, ScalarOp.ROUND,
    ScalarOp.EXP, ScalarOp.TANH, ScalarOp.SIGMOID, ScalarOp.SIN, ScalarOp.COS, ScalarOp.ERF,
    ScalarOp.ERFC, ScalarOp.ATAN, ScalarOp.EXPM1
  };
  private static final ScalarOp[] BINARY = {
    ScalarOp.ADD, ScalarOp.SUB, ScalarOp.MUL, ScalarOp.MIN, ScalarOp.MAX
  };
  private static final ScalarOp[] INTEGER = {
    ScalarOp.ADD,
    ScalarOp.SUB,
    ScalarOp.MUL,
    ScalarOp.MIN,
    ScalarOp.MAX,
    ScalarOp.DIV,
    ScalarOp.REM,
    ScalarOp.AND,
    ScalarOp.OR,
    ScalarOp.XOR,
    ScalarOp.UMULHI
  };
  private static final ScalarOp[] COMPARE = {ScalarOp.LT, ScalarOp.LE, ScalarOp.EQ, ScalarOp.NE};

  private final Random random;
  private final List<Kernel.Param> params = new ArrayList<>();
  private final long[] needed = new long[INPUTS.size()];
  private final List<Expr.Acc> accs = new ArrayList<>();
  private int nextLoop;

  private RandomKernels(long seed) {
    random = new Random(seed);
  }

  static Kernel make(long seed) {
    return new RandomKernels(seed).kernel();
  }

  private Kernel kernel() {
    List<Loop> grid = loops(random.nextInt(4), 4000);
    List<Phase> phases = new ArrayList<>();
    List<Kernel.Param> outputs = new ArrayList<>();
    int steps = 1 + random.nextInt(3);
    for (int i = 0; i < steps; i++) {
      boolean last = i == steps - 1;
      if (!last && random.nextInt(3) > 0) {
        phases.add(reduce(grid));
      } else if (random.nextInt(4) == 0) {
        phases.add(scatter(grid, outputs));
      } else {
        phases.add(emit(grid, outputs));
      }
    }
    for (int i = 0; i < needed.length; i++) {
      params.add(new Kernel.Param(INPUTS.get(i), Math.max(1, needed[i]), true, false));
    }
    params.addAll(outputs);
    return new Kernel(List.copyOf(params), grid, List.copyOf(phases), Optional.empty());
  }

  private List<Loop> loops(int count, long limit) {
    List<Loop> out = new ArrayList<>();
    long points = 1;
    for (int i = 0; i < count; i++) {
      long e = EXTENTS[random.nextInt(EXTENTS.length)];
      if (points * e <= limit) {
        points *= e;
        out.add(new Loop(nextLoop++, e));
      }
    }
    return List.copyOf(out);
  }

  private static List<Loop> join(List<Loop> a, List<Loop> b) {
    List<Loop> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  private Phase reduce(List<Loop> grid) {
    List<Loop> loops = loops(1 + random.nextInt(2), 200);
    List<Phase.Accumulator> out = new ArrayList<>();
    List<Expr.Acc> made = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(2); i++) {
      DType t = INPUTS.get(random.nextInt(3));
      Reducer r = t == DType.INT32 ? Reducer.values()[random.nextInt(4)] : floating();
      int id = accs.size() + made.size();
      out.add(new Phase.Accumulator(id, r, t, value(t, join(grid, loops), 2)));
      made.add(new Expr.Acc(id, t));
    }
    accs.addAll(made);
    return new Phase.Reduce(loops, out);
  }

  /** Products grow beyond all tolerances. */
  private Reducer floating() {
    Reducer[] all = {Reducer.SUM, Reducer.MAX, Reducer.MIN};
    return all[random.nextInt(3)];
  }

  private Phase emit(List<Loop> grid, List<Kernel.Param> outputs) {
    List<Loop> loops = loops(random.nextInt(3), 200);
    List<Phase.Store> stores = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(2); i++) {
      DType t = INPUTS.get(random.nextInt(4));
      stores.add(
          new Phase.Store(
              output(t, join(grid, loops), outputs),
              place(join(grid, loops)),
              value(t, join(grid, loops), 3)));
    }
    return new Phase.Emit(loops, stores);
  }

  private int output(DType t, List<Loop> loops, List<Kernel.Param> outputs) {
    outputs.add(new Kernel.Param(t, Contraction.extent(loops), false, true));
    return INPUTS.size() + outputs.size() - 1;
  }

  /** A different element for each point: the loops in some order, perhaps backwards. */
  private Index place(List<Loop> loops) {
    List<Loop> order = new ArrayList<>(loops);
    if (random.nextBoolean()) {
      java.util.Collections.shuffle(order, random);
    }
    Index at = Index.ZERO;
    long stride = 1;
    for (Loop l : order.reversed()) {
      Index i = Index.of(l);
      if (random.nextInt(6) == 0) {
        i = i.times(-1).plus(l.extent() - 1);
      }
      at = at.plus(i.times(stride));
      stride *= l.extent();
    }
    return at;
  }

  private Phase scatter(List<Loop> grid, List<Kernel.Param> outputs) {
    List<Loop> loops = loops(1, 70);
    DType t = INPUTS.get(random.nextInt(3));
    List<Loop> all = join(grid, loops);
    // Rows of 4 places that the loop chooses from; each grid point has its own.
    long points = Contraction.extent(grid);
    Expr chosen = new Expr.Load(INT, DType.INT32, index(all, INT, 1));
    Index at = Index.of(chosen, 4).times(points).plus(place(grid));
    outputs.add(new Kernel.Param(t, 4 * points, false, true));
    List<Expr.Bound> bounds = new ArrayList<>();
    if (!loops.isEmpty() && random.nextBoolean()) {
      bounds.add(new Expr.Bound(Index.of(loops.get(0)), 1, loops.get(0).extent()));
    }
    int param = INPUTS.size() + outputs.size() - 1;
    return new Phase.ScatterAdd(loops, bounds, new Phase.Store(param, at, value(t, all, 2)));
  }

  private Expr value(DType t, List<Loop> loops, int depth) {
    if (depth == 0) {
      return leaf(t, loops);
    }
    int kind = random.nextInt(10);
    if (kind == 0) {
      return guarded(t, loops, depth);
    }
    if (kind == 1) {
      DType from = INPUTS.get(random.nextInt(4));
      return Expr.apply(ScalarOp.CAST, t, value(from, loops, depth - 1));
    }
    if (kind == 2) {
      return Expr.apply(
          ScalarOp.SELECT,
          t,
          value(DType.BOOL, loops, depth - 1),
          value(t, loops, depth - 1),
          value(t, loops, depth - 1));
    }
    Expr a = value(t, loops, depth - 1);
    Expr b = random.nextInt(4) == 0 ? a : value(t, loops, depth - 1);
    return switch (t) {
      case FLOAT32, FLOAT64 ->
          random.nextBoolean()
              ? Expr.apply(UNARY[random.nextInt(UNARY.length)], t, a)
              : Expr.apply(BINARY[random.nextInt(BINARY.length)], t, a, b);
      case INT32 -> Expr.apply(INTEGER[random.nextInt(INTEGER.length)], t, a, b);
      case BOOL -> {
        if (random.nextBoolean()) {
          DType of = INPUTS.get(random.nextInt(3));
          yield Expr.apply(COMPARE[random.nextInt(4)], t, leaf(of, loops), leaf(of, loops));
        }
        ScalarOp[] ops = {ScalarOp.AND, ScalarOp.OR, ScalarOp.XOR, ScalarOp.EQ};
        yield random.nextInt(4) == 0
            ? Expr.apply(ScalarOp.NOT, t, a)
            : Expr.apply(ops[random.nextInt(4)], t, a, b);
      }
    };
  }

  private Expr leaf(DType t, List<Loop> loops) {
    int kind = random.nextInt(8);
    if (kind == 0) {
      return Expr.constant(t, random.nextInt(5) - 2);
    }
    if (kind == 1) {
      for (Expr.Acc a : accs) {
        if (a.dtype() == t) {
          return a;
        }
      }
    }
    if (kind == 2 && t == DType.INT32 && !loops.isEmpty()) {
      return new Expr.IndexValue(place(loops));
    }
    int param = INPUTS.indexOf(t);
    return new Expr.Load(param, t, index(loops, param, 2));
  }

  /** An index of any form; the parameter is made large enough. */
  private Index index(List<Loop> loops, int param, int depth) {
    Index at = Index.of(random.nextInt(3));
    if (random.nextInt(5) > 0) {
      List<Loop> some = new ArrayList<>(loops);
      some.removeIf(l -> random.nextInt(4) == 0);
      at = at.plus(place(some));
    }
    int form = random.nextInt(7);
    if (form == 0) {
      at = at.div(3);
    } else if (form == 1) {
      at = at.mod(7);
    } else if (form == 2 && depth > 0) {
      Expr chosen = new Expr.Load(INT, DType.INT32, index(loops, INT, depth - 1));
      at = at.plus(Index.of(chosen, 4).times(2));
    } else if (form == 3) {
      at = at.times(2);
    }
    needed[param] = Math.max(needed[param], at.max() + 1);
    return at;
  }

  /** A padded or concatenated value: loads outside the bounds would be out of range. */
  private Expr guarded(DType t, List<Loop> loops, int depth) {
    Index at = place(loops).plus(-2);
    long hi = Math.max(1, at.max() - 1);
    int param = INPUTS.indexOf(t);
    needed[param] = Math.max(needed[param], hi);
    Expr inside = new Expr.Load(param, t, at);
    if (t == DType.FLOAT32 || t == DType.FLOAT64) {
      inside = Expr.apply(ScalarOp.SIN, t, inside);
    }
    return new Expr.Guarded(List.of(new Expr.Bound(at, 0, hi)), inside, value(t, loops, depth - 1));
  }
}
