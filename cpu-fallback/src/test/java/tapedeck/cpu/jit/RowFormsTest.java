package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;
import tapedeck.ad.type.Settings;

/** Kernels along rows: their scalar code, greatest and least values, and what phases keep. */
class RowFormsTest extends KernelForms {
  // ---- rows -----------------------------------------------------------------------------------

  /**
   * Reductions along rows and something for every element after them: with functions, selections,
   * several accumulators, and operands that are the same in every row or along it.
   */
  static Kernel rows(Random random, int n, int length, DType t) {
    Loop g = new Loop(0, n);
    List<Kernel.Param> params =
        new ArrayList<>(List.of(in(t, (long) n * length), in(t, length), in(t, n)));
    List<Phase> phases = new ArrayList<>();
    Reducer[] reducers = {Reducer.SUM, Reducer.MAX, Reducer.MIN, Reducer.PROD};
    List<Expr> accs = new ArrayList<>();
    for (int p = 0; p < 2; p++) {
      Loop x = new Loop(1 + p, length);
      List<Phase.Accumulator> made = new ArrayList<>();
      for (int a = 0; a <= random.nextInt(3); a++) {
        Expr v = rowValue(random, g, x, t, accs);
        Reducer r = reducers[random.nextInt(reducers.length)];
        v = r == Reducer.PROD ? Expr.apply(ScalarOp.TANH, t, v) : v;
        made.add(new Phase.Accumulator(10 * p + a, r, t, v));
      }
      phases.add(new Phase.Reduce(List.of(x), made));
      made.forEach(a -> accs.add(new Expr.Acc(a.id(), t)));
    }
    Loop x = new Loop(3, length);
    List<Phase.Store> stores = new ArrayList<>();
    for (int s = 0; s <= random.nextInt(2); s++) {
      stores.add(new Phase.Store(params.size(), index(g, x), rowValue(random, g, x, t, accs)));
      params.add(out(t, (long) n * length));
    }
    phases.add(new Phase.Emit(List.of(x), stores));
    Expr last = Expr.apply(ScalarOp.SUB, t, accs.getFirst(), accs.getLast());
    phases.add(new Phase.Emit(List.of(), List.of(new Phase.Store(params.size(), index(g), last))));
    params.add(out(t, n));
    return new Kernel(List.copyOf(params), List.of(g), List.copyOf(phases), Optional.empty());
  }

  private static Expr rowValue(Random random, Loop g, Loop x, DType t, List<Expr> accs) {
    List<Expr> known =
        new ArrayList<>(
            List.of(
                new Expr.Load(0, t, index(g, x)),
                new Expr.Load(1, t, index(x)),
                new Expr.Load(2, t, index(g)),
                Expr.constant(t, 0.75)));
    known.addAll(accs);
    ScalarOp[] binary = {ScalarOp.ADD, ScalarOp.SUB, ScalarOp.MUL, ScalarOp.MAX, ScalarOp.MIN};
    ScalarOp[] unary = {ScalarOp.TANH, ScalarOp.SIN, ScalarOp.ABS, ScalarOp.NEG, ScalarOp.SIGMOID};
    Expr v = known.getFirst();
    for (int i = 0; i < 3 + random.nextInt(6); i++) {
      Expr other = known.get(random.nextInt(known.size()));
      v =
          switch (random.nextInt(4)) {
            case 0 -> Expr.apply(unary[random.nextInt(unary.length)], t, v);
            case 1 ->
                Expr.apply(
                    ScalarOp.SELECT, t, Expr.apply(ScalarOp.LT, DType.BOOL, v, other), v, other);
            default -> Expr.apply(binary[random.nextInt(binary.length)], t, v, other);
          };
      known.add(v);
    }
    return Expr.apply(ScalarOp.MUL, t, v, known.getFirst());
  }

  // ---- greatest and least values --------------------------------------------------------------

  @Test
  void extremesHaveTheBitsOfIeeeMaximum() {
    double inf = Double.POSITIVE_INFINITY;
    double[][] specials = {
      {}, {-0.0}, {0.0}, {0.0, -0.0}, {Double.NaN}, {Double.NaN, inf}, {inf, -inf}, {-inf}, {inf}
    };
    Random random = new Random(7);
    for (DType t : List.of(DType.FLOAT32, DType.FLOAT64)) {
      for (Reducer r : List.of(Reducer.MAX, Reducer.MIN)) {
        for (int n : new int[] {130, 300, 1029, 5000}) {
          double sign = r == Reducer.MAX ? -1 : 1;
          Loop g = new Loop(0, 4L * specials.length);
          Loop x = new Loop(1, n);
          long size = g.extent() * n;
          Kernel k =
              kernel(
                  List.of(in(t, size), out(t, g.extent()), out(t, g.extent())),
                  List.of(g),
                  new Phase.Reduce(
                      List.of(x),
                      List.of(
                          new Phase.Accumulator(0, r, t, new Expr.Load(0, t, index(g, x))),
                          new Phase.Accumulator(
                              1, Reducer.SUM, t, new Expr.Load(0, t, index(g, x))))),
                  new Phase.Emit(
                      List.of(),
                      List.of(
                          new Phase.Store(1, index(g), new Expr.Acc(0, t)),
                          new Phase.Store(2, index(g), new Expr.Acc(1, t)))));
          List<byte[]> data = Runs.data(k, 3);
          double[] expected = new double[(int) g.extent()];
          for (int row = 0; row < expected.length; row++) {
            double best = r == Reducer.MAX ? -inf : inf;
            double[] special = specials[row / 4];
            for (int i = 0; i < n; i++) {
              // The special values are the extremes, wherever they are in the row.
              double v = sign * (1 + random.nextInt(100));
              Runs.put(k.params().get(0), data.get(0), (long) row * n + i, v);
            }
            for (double v : special) {
              Runs.put(k.params().get(0), data.get(0), (long) row * n + random.nextInt(n), v);
            }
            for (int i = 0; i < n; i++) {
              double v = Runs.at(k.params().get(0), data.get(0), (long) row * n + i);
              best = r == Reducer.MAX ? Math.max(best, v) : Math.min(best, v);
            }
            expected[row] = best;
          }
          List<byte[]> after = Runs.run(vectors, k, data);
          for (int row = 0; row < expected.length; row++) {
            double got = Runs.at(k.params().get(1), after.get(1), row);
            String what = r + " " + t + " of " + n + ", row " + row;
            assertEquals(expected[row], got, what);
            assertEquals(
                Double.doubleToLongBits(expected[row]), Double.doubleToLongBits(got), what);
          }
          Runs.compare("sums beside " + r, k, Runs.run(interp, k, data), after);
        }
      }
    }
  }

  // ---- kept values ----------------------------------------------------------------------------

  /** Softmax along rows, which lie along the inner axis or, transposed, along the outer one. */
  private static Kernel softmax(int n, int length, DType t, boolean inner) {
    Loop g = new Loop(0, n);
    List<Phase> phases = new ArrayList<>();
    List<Loop> loops = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      loops.add(new Loop(i, length));
    }
    List<Expr> x = new ArrayList<>();
    List<Index> at = new ArrayList<>();
    for (Loop l : loops) {
      at.add(inner ? index(g, l) : index(l, g));
      x.add(new Expr.Load(0, t, at.getLast()));
    }
    Expr max = new Expr.Acc(0, t);
    phases.add(
        new Phase.Reduce(
            List.of(loops.get(0)), List.of(new Phase.Accumulator(0, Reducer.MAX, t, x.get(0)))));
    Expr e1 = Expr.apply(ScalarOp.EXP, t, Expr.apply(ScalarOp.SUB, t, x.get(1), max));
    phases.add(
        new Phase.Reduce(
            List.of(loops.get(1)), List.of(new Phase.Accumulator(1, Reducer.SUM, t, e1))));
    Expr e2 = Expr.apply(ScalarOp.EXP, t, Expr.apply(ScalarOp.SUB, t, x.get(2), max));
    Expr y = Expr.apply(ScalarOp.DIV, t, e2, new Expr.Acc(1, t));
    phases.add(new Phase.Emit(List.of(loops.get(2)), List.of(new Phase.Store(1, at.get(2), y))));
    long size = (long) n * length;
    return new Kernel(
        List.of(in(t, size), out(t, size)), List.of(g), List.copyOf(phases), Optional.empty());
  }

  @Test
  void functionsOfSeveralPhasesAreKept() {
    for (DType t : List.of(DType.FLOAT32, DType.FLOAT64)) {
      for (boolean inner : new boolean[] {true, false}) {
        for (int length : new int[] {2, 5, 16, 67, 700, 1500}) {
          Kernel k = softmax(inner ? 5 : 600, length, t, inner);
          String what = "softmax " + t + " " + length + (inner ? "" : " transposed");
          if (inner) {
            // The exponentials wait where the result will be.
            Kernel kept = KeptValues.ofFunctions(k, null, 1);
            assertEquals(4, kept.phases().size());
            assertEquals(2, kept.params().size());
            System.setProperty(Settings.WITHOUT.key(), Optimisation.KEPT_RESULTS.label());
            try {
              assertEquals(3, KeptValues.ofFunctions(k, null, 1).params().size());
              check(what + ", kept in scratch", withAnother(k));
            } finally {
              System.clearProperty(Settings.WITHOUT.key());
            }
          }
          check(what, k);
        }
      }
    }
  }

  /** The kernel with an operand that it does not use, which is another one to every cache. */
  private static Kernel withAnother(Kernel k) {
    List<Kernel.Param> params = new ArrayList<>(k.params());
    params.add(in(DType.FLOAT32, 1));
    return new Kernel(List.copyOf(params), k.grid(), k.phases(), k.contraction());
  }

  /** A softmax whose last phase reads an operand, and perhaps writes a second result. */
  private static Kernel scaledSoftmax(int n, Index scale, Loop over, boolean twice) {
    Kernel k = softmax(6, n, DType.FLOAT32, true);
    Phase.Emit last = (Phase.Emit) k.phases().getLast();
    Loop here = last.loops().getFirst();
    Expr by = new Expr.Load(2, DType.FLOAT32, scale.rename(l -> l.equals(over) ? here : l));
    Phase.Store s = last.stores().getFirst();
    List<Phase.Store> stores =
        new ArrayList<>(List.of(new Phase.Store(1, s.index(), f32(ScalarOp.MUL, s.value(), by))));
    List<Kernel.Param> params = new ArrayList<>(k.params());
    params.add(in(DType.FLOAT32, 6L * n));
    if (twice) {
      params.add(out(DType.FLOAT32, 6L * n));
      stores.add(new Phase.Store(3, s.index(), f32(ScalarOp.NEG, s.value())));
    }
    List<Phase> phases = new ArrayList<>(k.phases());
    phases.set(phases.size() - 1, new Phase.Emit(last.loops(), stores));
    return new Kernel(List.copyOf(params), k.grid(), phases, Optional.empty());
  }

  @Test
  void keptValuesDoNotGetInTheWayOfOperands() {
    Loop g = new Loop(0, 6);
    Loop x = new Loop(9, 700);
    // An operand at the result's own elements may be in the result's memory.
    Kernel mine = scaledSoftmax(700, index(g, x), x, false);
    assertEquals(4, KeptValues.ofFunctions(mine, null, 1).params().size());
    Kernel another = scaledSoftmax(700, index(x), x, false);
    assertEquals(3, KeptValues.ofFunctions(another, null, 1).params().size());
    Kernel two = scaledSoftmax(700, index(x), x, true);
    assertEquals(4, KeptValues.ofFunctions(two, null, 1).params().size());
    check("scaled by an operand of the result's shape", mine);
    check("scaled by a row", another);
    check("two results", two);
    // Softmax over its operand.
    int n = 600;
    Kernel k = softmax(1, n, DType.FLOAT32, true);
    float[] inPlace = runInPlace(k, 1, n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.exp(i % 7 - 3);
    }
    for (int i = 0; i < n; i++) {
      assertEquals(Math.exp(i % 7 - 3) / sum, inPlace[i], 1e-8);
    }
  }

  @Test
  void rowsThatDoNotFitAreNotKept() {
    Kernel k = softmax(2, 100_000, DType.FLOAT32, true);
    assertEquals(k, KeptValues.ofFunctions(k, null, 1));
    check("long softmax", k);
  }
}
