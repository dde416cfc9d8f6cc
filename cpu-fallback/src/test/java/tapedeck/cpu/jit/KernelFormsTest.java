package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Settings;
import tapedeck.cpu.interp.InterpProvider;
import tapedeck.cpu.math.Memory;

/** Kernels that the generator treats in ways of their own, against the interpreter. */
class KernelFormsTest {
  /** HotSpot compiles no larger method. */
  private static final int HUGE = 8000;

  private static Device interp;
  private static Device vectors;
  private static Device scalar;

  @BeforeAll
  static void open() {
    interp = new InterpProvider().discover().devices().get(0).open();
    vectors = new CpuDevice();
    scalar = new CpuDevice(new KernelCache(false));
  }

  @AfterAll
  static void close() {
    interp.close();
    vectors.close();
    scalar.close();
  }

  private static void check(String what, Kernel k) {
    List<byte[]> data = Runs.data(k, 1);
    List<byte[]> expected = Runs.run(interp, k, data);
    Runs.compare(what + ", vectors", k, expected, Runs.run(vectors, k, data));
    Runs.compare(what + ", scalar", k, expected, Runs.run(scalar, k, data));
    for (boolean with : new boolean[] {true, false}) {
      for (MethodModel m : methods(k, with)) {
        int bytes = m.findAttribute(Attributes.code()).orElseThrow().codeLength();
        assertTrue(
            bytes < HUGE,
            () -> what + ": method " + m.methodName() + " has " + bytes + " bytes of code");
      }
    }
  }

  private static List<MethodModel> methods(Kernel k, boolean vectors) {
    return KernelGen.classFiles(k, vectors).stream()
        .flatMap(b -> ClassFile.of().parse(b).methods().stream())
        .toList();
  }

  private static Expr f32(ScalarOp op, Expr... args) {
    return Expr.apply(op, DType.FLOAT32, args);
  }

  private static Kernel.Param in(DType t, long elements) {
    return new Kernel.Param(t, elements, true, false);
  }

  private static Kernel.Param out(DType t, long elements) {
    return new Kernel.Param(t, elements, false, true);
  }

  private static Kernel kernel(List<Kernel.Param> params, List<Loop> grid, Phase... phases) {
    return new Kernel(params, grid, List.of(phases), Optional.empty());
  }

  /** Row-major index of loops. */
  private static Index index(Loop... loops) {
    Index at = Index.ZERO;
    long stride = 1;
    for (int i = loops.length - 1; i >= 0; i--) {
      at = at.plus(Index.of(loops[i]).times(stride));
      stride *= loops[i].extent();
    }
    return at;
  }

  // ---- large kernels --------------------------------------------------------------------------

  /** Several hundred different instructions on some leaves, each used again by later ones. */
  private static List<Expr> tangle(List<Expr> leaves, int count, boolean functions) {
    Random random = new Random(5);
    ScalarOp[] ops = {ScalarOp.ADD, ScalarOp.SUB, ScalarOp.MIN, ScalarOp.MAX, ScalarOp.MUL};
    List<Expr> all = new ArrayList<>(leaves);
    for (int i = 0; i < count; i++) {
      Expr a = all.get(all.size() - 1 - random.nextInt(Math.min(all.size(), 12)));
      Expr b = all.get(random.nextInt(all.size()));
      // What grows is brought back to [-1, 1].
      all.add(
          functions && i % 40 == 0
              ? f32(ScalarOp.SIN, a)
              : f32(
                  ScalarOp.MUL,
                  Expr.constant(DType.FLOAT32, 0.5 + i * 1e-4),
                  f32(ops[random.nextInt(ops.length)], a, b)));
    }
    return all;
  }

  private static List<Expr> loads(int count, Index at) {
    List<Expr> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      out.add(new Expr.Load(i, DType.FLOAT32, at));
    }
    return out;
  }

  @Test
  void largeMapIsCutIntoMethods() {
    for (boolean functions : new boolean[] {false, true}) {
      Loop x = new Loop(0, 1000);
      List<Expr> values = tangle(loads(6, index(x)), 700, functions);
      List<Kernel.Param> params = new ArrayList<>();
      List<Phase.Store> stores = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        params.add(in(DType.FLOAT32, 1000));
      }
      for (int i = 0; i < 30; i++) {
        params.add(out(DType.FLOAT32, 1000));
        stores.add(new Phase.Store(6 + i, index(x), values.get(values.size() - 1 - 20 * i)));
      }
      check(
          functions ? "functions" : "instructions",
          kernel(params, List.of(x), new Phase.Emit(List.of(), stores)));
    }
  }

  @Test
  void largeRowsAreCutIntoMethods() {
    // Most instructions depend on the row alone: they are fixed along the vectors.
    Loop g = new Loop(0, 3);
    Loop r = new Loop(1, 300);
    Expr each = new Expr.Load(6, DType.FLOAT32, index(g, r));
    List<Expr> fixed = tangle(loads(6, index(g)), 600, true);
    List<Expr> moving = tangle(List.of(each, fixed.getLast(), fixed.get(300)), 400, true);
    List<Kernel.Param> params = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      params.add(in(DType.FLOAT32, 3));
    }
    params.add(in(DType.FLOAT32, 900));
    params.add(out(DType.FLOAT32, 900));
    params.add(out(DType.FLOAT32, 3));
    Phase.Accumulator sum = new Phase.Accumulator(0, Reducer.SUM, DType.FLOAT32, moving.get(200));
    Loop r2 = new Loop(2, 300);
    Expr again = new Expr.Load(6, DType.FLOAT32, index(g, r2));
    List<Expr> after =
        tangle(List.of(again, new Expr.Acc(0, DType.FLOAT32), fixed.get(400)), 300, false);
    check(
        "rows",
        kernel(
            params,
            List.of(g),
            new Phase.Reduce(List.of(r), List.of(sum)),
            new Phase.Emit(List.of(r2), List.of(new Phase.Store(7, index(g, r2), after.getLast()))),
            new Phase.Emit(List.of(), List.of(new Phase.Store(8, index(g), fixed.getLast())))));
  }

  // ---- stores over operands -------------------------------------------------------------------

  private static float[] runInPlace(Kernel k, int over, int n) {
    CpuKernel made = CpuKernel.compile(k, "in place", true);
    long[] addresses = new long[k.params().size()];
    long raw = NativeMemory.malloc(4L * (n + 64) * addresses.length);
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = NativeMemory.aligned(raw) + 4L * (n + 64) * i;
    }
    addresses[over] = addresses[0];
    for (int i = 0; i < n; i++) {
      Memory.putFloat(addresses[0] + 4L * i, i % 7 - 3);
    }
    try (WorkerPool pool = new WorkerPool(1)) {
      made.run(pool, addresses);
    }
    float[] out = new float[n * (addresses.length - 1)];
    for (int p = 1; p < addresses.length; p++) {
      for (int i = 0; i < n; i++) {
        out[(p - 1) * n + i] = Memory.getFloat(addresses[p] + 4L * i);
      }
    }
    NativeMemory.free(raw);
    return out;
  }

  @Test
  void resultOverAnOperandComesAfterItsLastUse() {
    int n = 100;
    Loop x = new Loop(0, n);
    Expr load = new Expr.Load(0, DType.FLOAT32, index(x));
    List<Kernel.Param> params = new ArrayList<>(List.of(in(DType.FLOAT32, n)));
    List<Phase.Store> stores = new ArrayList<>();
    // Long chains, so that there are several loops, a copy, and a store that is not contiguous.
    for (int p = 1; p <= 8; p++) {
      params.add(out(DType.FLOAT32, n));
      Expr v = load;
      for (int i = 0; i < 20; i++) {
        v = f32(ScalarOp.ADD, f32(ScalarOp.MUL, v, Expr.constant(DType.FLOAT32, 0.5)), load);
      }
      stores.add(
          new Phase.Store(p, index(x), f32(ScalarOp.ADD, v, Expr.constant(DType.FLOAT32, p))));
    }
    params.add(out(DType.FLOAT32, n));
    stores.add(new Phase.Store(9, index(x), load));
    params.add(out(DType.FLOAT32, n));
    stores.add(new Phase.Store(10, index(x).times(-1).plus(n - 1), load));
    Kernel k = kernel(params, List.of(x), new Phase.Emit(List.of(), stores));
    for (int over = 1; over <= 9; over++) {
      float[] out = runInPlace(k, over, n);
      for (int p = 1; p <= 10; p++) {
        for (int i = 0; i < n; i++) {
          float in = (p == 10 ? n - 1 - i : i) % 7 - 3;
          double expected = p <= 8 ? 2 * in - in * Math.pow(0.5, 20) + p : in;
          assertEquals(expected, out[(p - 1) * n + i], 1e-4, "over " + over + ", result " + p);
        }
      }
    }
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
            System.setProperty(Settings.KEEP.key(), "scratch");
            try {
              assertEquals(3, KeptValues.ofFunctions(k, null, 1).params().size());
              check(what + ", kept in scratch", withAnother(k));
            } finally {
              System.clearProperty(Settings.KEEP.key());
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

  // ---- transposed operands and short axes -----------------------------------------------------

  @Test
  void transposedOperandsGoThroughTiles() {
    long[][] shapes = {{4, 7}, {5, 300}, {300, 5}, {130, 260}, {257, 129}};
    for (long[] s : shapes) {
      for (DType t : DType.values()) {
        Loop b = new Loop(0, 3);
        Loop r = new Loop(1, s[0]);
        Loop c = new Loop(2, s[1]);
        long size = 3 * s[0] * s[1];
        Expr plain = new Expr.Load(0, t, index(b, r, c));
        Expr turned = new Expr.Load(1, t, index(b, c, r));
        Expr backwards =
            new Expr.Load(
                2, t, index(c, b, r).plus(index(c).times(-2 * 3 * s[0])).plus(size - 3 * s[0]));
        ScalarOp op = t == DType.BOOL ? ScalarOp.XOR : ScalarOp.SUB;
        Expr v = Expr.apply(op, t, plain, Expr.apply(op, t, turned, backwards));
        Kernel k =
            kernel(
                List.of(in(t, size), in(t, size), in(t, size), out(t, size), out(t, size)),
                List.of(b, r, c),
                new Phase.Emit(
                    List.of(),
                    List.of(
                        new Phase.Store(3, index(b, r, c), v),
                        new Phase.Store(4, index(b, r, c), turned))));
        assertNotNull(Transposes.of(k));
        check("transposed " + t + " " + s[0] + "x" + s[1], k);
      }
    }
  }

  @Test
  void shortAxesAreWalkedRowByRow() {
    long[][] shapes = {{700, 16, 5}, {3, 5000, 7}, {1, 9000, 16}, {40, 3, 40}, {2, 2, 255}};
    for (long[] s : shapes) {
      for (DType t : List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32)) {
        Loop a = new Loop(0, s[0]);
        Loop b = new Loop(1, s[1]);
        Loop c = new Loop(2, s[2]);
        List<Loop> grid = s[0] == 1 ? List.of(b, c) : List.of(a, b, c);
        Expr x = new Expr.Load(0, t, index(a, c));
        Expr y = new Expr.Load(1, t, index(a, b));
        Expr z = new Expr.Load(2, t, index(b, c));
        Expr product =
            Expr.apply(
                ScalarOp.ADD, t, Expr.apply(ScalarOp.MUL, t, x, Expr.apply(ScalarOp.ABS, t, y)), z);
        long size = Contraction.extent(List.of(a, b, c));
        Kernel k =
            kernel(
                List.of(
                    in(t, s[0] * s[2]),
                    in(t, s[0] * s[1]),
                    in(t, s[1] * s[2]),
                    out(t, size),
                    out(DType.BOOL, size)),
                grid,
                new Phase.Emit(
                    List.of(),
                    List.of(
                        new Phase.Store(3, index(a, b, c), product),
                        new Phase.Store(
                            4, index(a, b, c), Expr.apply(ScalarOp.LT, DType.BOOL, x, y)))));
        check("short axis " + t + " " + s[0] + "x" + s[1] + "x" + s[2], k);
      }
    }
  }

  /**
   * In a loop, the branches of a mask's construction would make HotSpot compile the loop again and
   * again.
   */
  @Test
  void masksOfLastVectorsAreMadeBeforeLoops() {
    for (DType t : List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32)) {
      Loop a = new Loop(0, 900);
      Loop b = new Loop(1, 10);
      Expr square =
          Expr.apply(
              ScalarOp.MUL, t, new Expr.Load(0, t, index(a, b)), new Expr.Load(0, t, index(a, b)));
      Phase.Store store = new Phase.Store(1, index(a, b), square);
      Kernel k =
          kernel(
              List.of(in(t, 9000), out(t, 9000)),
              List.of(a, b),
              new Phase.Emit(List.of(), List.of(store)));
      int masks = 0;
      for (MethodModel m : methods(k, true)) {
        boolean inLoop = false;
        for (CodeElement e : m.code().orElseThrow()) {
          if (e instanceof LabelTarget) {
            inLoop = true;
          } else if (e instanceof InvokeInstruction i
              && i.owner().asInternalName().endsWith("VectorMask")) {
            assertFalse(inLoop, () -> t + ": " + i.name() + " in " + m.methodName());
            masks++;
          } else if (e instanceof InvokeInstruction i) {
            String name = i.name().stringValue();
            assertFalse(inLoop && name.equals("indexInRange"), () -> t + ": " + m.methodName());
          }
        }
      }
      assertEquals(1, masks, t::toString);
    }
  }

  // ---- folds ----------------------------------------------------------------------------------

  @Test
  void reductionsOfAllLengths() {
    for (Reducer r : Reducer.values()) {
      for (DType t : List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32)) {
        for (long length : new long[] {4, 15, 64, 129, 500, 2049, 5000}) {
          Loop g = new Loop(0, 2);
          Loop l = new Loop(1, length);
          Expr x = new Expr.Load(0, t, index(g, l));
          if (r == Reducer.PROD && t.isFloat()) {
            // Close to 1, so that the product neither vanishes nor overflows.
            Expr small = Expr.apply(ScalarOp.MUL, t, x, Expr.constant(t, 1e-4));
            x = Expr.apply(ScalarOp.ADD, t, Expr.constant(t, 1), small);
          }
          Phase.Accumulator a = new Phase.Accumulator(0, r, t, x);
          check(
              r + " " + t + " " + length,
              kernel(
                  List.of(in(t, 2 * length), out(t, 2)),
                  List.of(g),
                  new Phase.Reduce(List.of(l), List.of(a)),
                  new Phase.Emit(
                      List.of(), List.of(new Phase.Store(1, index(g), new Expr.Acc(0, t))))));
        }
      }
    }
  }

  /** Columns of a matrix: a sum weighted by row and the largest element, rows reversed or not. */
  private static Kernel columnFolds(DType t, long rows, long columns, boolean reversed) {
    Loop c = new Loop(0, columns);
    Loop r = new Loop(1, rows);
    Index at = index(r, c);
    Index row = Index.of(r);
    if (reversed) {
      at = Index.of(c).plus(row.times(-columns)).plus((rows - 1) * columns);
      row = row.times(-1).plus(rows - 1);
    }
    Expr x = new Expr.Load(0, t, at);
    Expr weight = new Expr.Load(1, t, row);
    return kernel(
        List.of(in(t, rows * columns), in(t, rows), out(t, columns), out(t, columns)),
        List.of(c),
        new Phase.Reduce(
            List.of(r),
            List.of(
                new Phase.Accumulator(0, Reducer.SUM, t, Expr.apply(ScalarOp.MUL, t, x, weight)),
                new Phase.Accumulator(1, Reducer.MAX, t, x))),
        new Phase.Emit(
            List.of(),
            List.of(
                new Phase.Store(2, index(c), new Expr.Acc(0, t)),
                new Phase.Store(3, index(c), new Expr.Acc(1, t)))));
  }

  @Test
  void rowsAreFoldedIntoColumns() {
    long[][] sizes = {{2, 5}, {7, 33}, {8, 1024}, {19, 1031}, {16, 2049}, {33, 4097}, {9, 9001}};
    for (long[] s : sizes) {
      for (DType t : List.of(DType.FLOAT32, DType.FLOAT64, DType.INT32)) {
        for (boolean reversed : new boolean[] {false, true}) {
          check(
              "columns of " + s[0] + "x" + s[1] + " " + t + " " + reversed,
              columnFolds(t, s[0], s[1], reversed));
        }
      }
    }
  }

  @Test
  void columnSumsDoNotDependOnThreadsAndKeepSpecialValues() {
    long rows = 37;
    long columns = 5003;
    Kernel k = columnFolds(DType.FLOAT32, rows, columns, false);
    List<byte[]> data = Runs.data(k, 3);
    MemorySegment x = MemorySegment.ofArray(data.get(0));
    float[] special = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f};
    for (int i = 0; i < special.length; i++) {
      x.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * ((11L + i) * columns + 1000L * i), special[i]);
    }
    Runs.compare("special values", k, Runs.run(interp, k, data), Runs.run(vectors, k, data));
    KernelGen.Generated g = KernelGen.generate(k, true);
    assertTrue(g.units() >= 8, "columns are shared out: " + g.units());
    List<byte[]> parts = new ArrayList<>();
    for (int threads : new int[] {1, 3}) {
      try (WorkerPool pool = new WorkerPool(threads);
          Arena arena = Arena.ofConfined()) {
        long[] addresses = new long[data.size()];
        List<MemorySegment> memory = new ArrayList<>();
        for (int i = 0; i < addresses.length; i++) {
          MemorySegment m = arena.allocate(data.get(i).length + 64, 64);
          m.copyFrom(MemorySegment.ofArray(data.get(i)));
          memory.add(m);
          addresses[i] = m.address();
        }
        new CpuKernel.Loops(k, g, 1L << 40).run(pool, addresses);
        parts.add(memory.get(2).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    assertArrayEquals(parts.get(0), parts.get(1));
  }
}
