package tapedeck.cpu.interp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Kernel.Param;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.OutOfDeviceMemoryException;
import tapedeck.ad.type.Precision;

/** The interpreter refuses kernels that break the rules of the kernel IR, and says where. */
class KernelRulesTest {
  private static final DType F = DType.FLOAT32;
  private static final Loop I = new Loop(0, 4);
  private static final Loop J = new Loop(1, 3);
  private static final Param IN = new Param(F, 4, true, false);
  private static final Param OUT = new Param(F, 4, false, true);
  private static final Expr X = new Expr.Load(0, F, Index.of(I));

  private static Phase emit(int param, Index at, Expr value) {
    return new Phase.Emit(List.of(), List.of(new Phase.Store(param, at, value)));
  }

  private static Kernel kernel(List<Param> params, Phase... phases) {
    return new Kernel(params, List.of(I), List.of(phases), Optional.empty());
  }

  /** Runs a kernel whose parameter 0 is input and 1 output; gives the output. */
  private static float[] run(Kernel k, float... in) {
    Schedule.Slot a = new Schedule.Slot(F, 4, new Schedule.Place.Input(0));
    Schedule.Slot b = new Schedule.Slot(F, 4, new Schedule.Place.Output(0));
    Schedule s =
        new Schedule(
            List.of(a, b),
            List.of(new Schedule.Launch(k, "test", "User.java:42", List.of(0, 1))),
            List.of(0),
            List.of(1),
            0,
            0);
    try (Device d = new InterpDevice();
        Executable e = d.compile(s);
        Buffer x = d.allocate(16);
        Buffer y = d.allocate(16)) {
      d.write(x, MemorySegment.ofArray(in));
      e.run(List.of(x), List.of(y));
      float[] out = new float[4];
      d.read(y, MemorySegment.ofArray(out));
      return out;
    }
  }

  private static String refused(Kernel k) {
    return assertThrows(DeviceException.class, () -> run(k, 1, 2, 3, 4)).getMessage();
  }

  private static void refuses(String why, Kernel k) {
    String message = refused(k);
    assertTrue(message.contains(why), message);
  }

  @Test
  void runsPhasesInOrderForEachGridPoint() {
    Expr sum = new Expr.Load(0, F, Index.of(new Loop(1, 4)));
    Kernel k =
        kernel(
            List.of(IN, OUT),
            new Phase.Reduce(
                List.of(new Loop(1, 4)), List.of(new Phase.Accumulator(0, Reducer.SUM, F, sum))),
            emit(1, Index.of(I), Expr.apply(ScalarOp.DIV, F, X, new Expr.Acc(0, F))));
    assertArrayEquals(new float[] {.1f, .2f, .3f, .4f}, run(k, 1, 2, 3, 4));
  }

  @Test
  void roundsEveryFloat32Operation() {
    Expr third = Expr.apply(ScalarOp.DIV, F, X, Expr.constant(F, 3));
    Kernel k =
        kernel(List.of(IN, OUT), emit(1, Index.of(I), Expr.apply(ScalarOp.MUL, F, third, third)));
    float t = 5 / 3f;
    assertEquals(t * t, run(k, 5, 0, 0, 0)[0]);
  }

  @Test
  void guardedValuesAreNotEvaluatedOutside() {
    Expr beyond = new Expr.Load(0, F, Index.of(I).plus(2));
    Expr guarded =
        new Expr.Guarded(List.of(new Expr.Bound(Index.of(I), 0, 2)), beyond, Expr.constant(F, -1));
    assertArrayEquals(
        new float[] {3, 4, -1, -1},
        run(kernel(List.of(IN, OUT), emit(1, Index.of(I), guarded)), 1, 2, 3, 4));
    refuses(
        "load at index 4 of parameter 0, which has 4 elements; at grid point [2], loops []; at"
            + " User.java:42",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), beyond)));
  }

  @Test
  void storesOutOfRange() {
    refuses("store at index 4", kernel(List.of(IN, OUT), emit(1, Index.of(I).plus(1), X)));
    refuses("store at index -1", kernel(List.of(IN, OUT), emit(1, Index.of(I).plus(-1), X)));
  }

  @Test
  void dynamicIndicesOutOfRange() {
    Expr five = Expr.constant(DType.INT32, 5);
    refuses(
        "dynamic index 5 is outside [0, 4)",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Load(0, F, Index.of(five, 4)))));
  }

  @Test
  void negativeDividends() {
    Index half = new Index(0, List.of(new Index.Term(1, new Index.Div(Index.of(I).plus(-1), 2))));
    refuses(
        "index -1 to divide is negative",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Load(0, F, half))));
  }

  @Test
  void gridPointsThatMeet() {
    refuses(
        "writes what another grid point wrote", kernel(List.of(IN, OUT), emit(1, Index.ZERO, X)));
    Param both = new Param(F, 4, true, true);
    Expr left = new Expr.Load(1, F, Index.ZERO);
    refuses(
        "reads what another grid point wrote",
        kernel(List.of(IN, both), emit(1, Index.of(I), left)));
    Expr right = new Expr.Load(1, F, Index.of(3));
    refuses(
        "writes what another grid point read",
        kernel(List.of(IN, both), emit(1, Index.of(I), right)));
  }

  @Test
  void iterationsThatMeet() {
    Kernel twice =
        new Kernel(
            List.of(IN, OUT),
            List.of(I),
            List.of(new Phase.Emit(List.of(J), List.of(new Phase.Store(1, Index.of(I), X)))),
            Optional.empty());
    refuses("writes an element twice in one phase", twice);
  }

  @Test
  void aPointMayReadWhatItsEarlierPhaseWrote() {
    Param both = new Param(F, 4, true, true);
    Kernel k =
        kernel(
            List.of(IN, both),
            emit(1, Index.of(I), X),
            emit(1, Index.of(I), Expr.apply(ScalarOp.ADD, F, new Expr.Load(1, F, Index.of(I)), X)));
    assertArrayEquals(new float[] {2, 4, 6, 8}, run(k, 1, 2, 3, 4));
  }

  @Test
  void typesThatDoNotFit() {
    Expr half = Expr.constant(DType.FLOAT64, 0.5);
    refuses(
        "ADD does not take [f32, f64] to f32",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), Expr.apply(ScalarOp.ADD, F, X, half))));
    refuses(
        "parameter 1 is f32, the value stored f64",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), half)));
    refuses(
        "NEG with 2 operands",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), Expr.apply(ScalarOp.NEG, F, X, X))));
    refuses(
        "constant 0.1 is not a f32",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Const(F, 0.1))));
  }

  @Test
  void namesOutOfScope() {
    refuses(
        "is not in scope",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Load(0, F, Index.of(J)))));
    refuses(
        "is not one of an earlier phase",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Acc(0, F))));
    refuses("there is no parameter 2", kernel(List.of(IN, OUT), emit(2, Index.of(I), X)));
  }

  @Test
  void undeclaredUse() {
    refuses(
        "is stored to but not declared written", kernel(List.of(IN, IN), emit(1, Index.of(I), X)));
    refuses(
        "is loaded but not declared read",
        kernel(List.of(IN, OUT), emit(1, Index.of(I), new Expr.Load(1, F, Index.of(I)))));
  }

  @Test
  void contractionsMustBeWhatTheyClaim() {
    Expr one = Expr.constant(F, 1);
    Phase.Reduce sum =
        new Phase.Reduce(
            List.of(J),
            List.of(new Phase.Accumulator(0, Reducer.SUM, F, Expr.apply(ScalarOp.MUL, F, X, one))));
    Phase store = emit(1, Index.of(I), new Expr.Acc(0, F));
    Contraction good =
        new Contraction(List.of(), List.of(I), List.of(), List.of(J), X, one, Precision.HIGHEST);
    Kernel k = new Kernel(List.of(IN, OUT), List.of(I), List.of(sum, store), Optional.of(good));
    assertArrayEquals(new float[] {3, 6, 9, 12}, run(k, 1, 2, 3, 4));
    Contraction swapped =
        new Contraction(List.of(), List.of(), List.of(I), List.of(J), X, one, Precision.HIGHEST);
    refuses(
        "lhs of a contraction depends on n",
        new Kernel(List.of(IN, OUT), List.of(I), List.of(sum, store), Optional.of(swapped)));
    Contraction other =
        new Contraction(List.of(), List.of(I), List.of(), List.of(J), one, one, Precision.HIGHEST);
    refuses(
        "without a first phase that sums lhs * rhs",
        new Kernel(List.of(IN, OUT), List.of(I), List.of(sum, store), Optional.of(other)));
  }

  @Test
  void memoryIsLimitedByTheProperty() {
    String before = System.getProperty(InterpDevice.MEMORY_PROPERTY);
    System.setProperty(InterpDevice.MEMORY_PROPERTY, "100");
    try (Device d = new InterpDevice()) {
      Buffer b = d.allocate(60);
      String message =
          assertThrows(OutOfDeviceMemoryException.class, () -> d.allocate(41)).getMessage();
      assertEquals(
          "[interp] out of memory: 41 bytes were asked for, 60 of 100 are in use", message);
      b.close();
      d.allocate(100).close();
    } finally {
      if (before == null) {
        System.clearProperty(InterpDevice.MEMORY_PROPERTY);
      } else {
        System.setProperty(InterpDevice.MEMORY_PROPERTY, before);
      }
    }
  }
}
