package tapedeck.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.classfile.Attributes;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Kernels that the generator treats in ways of their own, against the interpreter. */
class KernelFormsTest extends KernelForms {
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
  void loopsAreNotInlined() {
    int most =
        Integer.parseInt(
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("FreqInlineSize")
                .getValue());
    Loop x = new Loop(0, 1000);
    Expr load = new Expr.Load(0, DType.FLOAT32, index(x));
    Kernel k =
        kernel(
            List.of(in(DType.FLOAT32, 1000), out(DType.FLOAT32, 1000)),
            List.of(x),
            new Phase.Emit(
                List.of(), List.of(new Phase.Store(1, index(x), f32(ScalarOp.NEG, load)))));
    List<MethodModel> loops =
        methods(k, true).stream().filter(m -> m.methodName().equalsString("loop")).toList();
    assertEquals(1, loops.size());
    assertTrue(loops.get(0).findAttribute(Attributes.code()).orElseThrow().codeLength() > most);
  }

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
    KernelGen.Generated g = KernelGen.generate(k, KernelGen.Code.VECTORS);
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
