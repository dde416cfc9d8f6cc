package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ConstantDescs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Substitution;
import tapedeck.ad.type.Optimisation;
import tapedeck.cpu.math.Memory;

/**
 * Short rows of an elementwise kernel with library functions, such as the activations of a narrow
 * layer. A function on a block of eight elements is mostly the call; so rows become one, which is
 * done in blocks as usual, and operands that do not lie as the results do, such as a bias, are
 * spread over a block in scratch memory first.
 *
 * @param kernel the kernel with a further parameter for each operand that is spread
 * @param operands in the order of these parameters
 */
public record JoinedRows(Kernel kernel, List<Operand> operands) {
  /** Rows of so many elements are blocks of their own. */
  private static final int LONG = 256;

  /** Most operands that are spread. */
  private static final int MOST = 6;

  /**
   * What is spread.
   *
   * @param load of the operand, at the first element of the joined row
   * @param pattern how its elements follow one another along the row
   */
  record Operand(Expr.Load load, Woven.Pattern pattern) {}

  /** The kernel with rows joined, or null where they are long enough or cannot be. */
  static @Nullable JoinedRows of(Kernel kernel, int block) {
    List<Loop> grid = kernel.grid();
    int n = grid.size();
    if (!Optimisation.JOINED_ROWS.isOn()
        || n < 2
        || kernel.points() < ShortRows.MANY_POINTS
        || kernel.phases().size() != 1
        || !(kernel.phases().getFirst() instanceof Phase.Emit e)
        || !e.loops().isEmpty()) {
      return null;
    }
    Loop row = grid.get(n - 2);
    Loop axis = grid.getLast();
    if (axis.extent() < 2
        || axis.extent() >= LONG
        || row.extent() < 2
        || Transposes.of(kernel) != null
        || !ShortRows.walked(kernel, new Dependences()).isEmpty()) {
      return null;
    }
    int id = grid.stream().mapToInt(Loop::id).max().orElseThrow();
    Loop joined = new Loop(id + 1, row.extent() * axis.extent());
    Index at = Index.of(joined);
    Substitution s =
        new Substitution(Map.of(row, at.div(axis.extent()), axis, at.mod(axis.extent())));
    List<Phase.Store> stores = e.stores().stream().map(s::store).toList();
    List<Operand> operands = new ArrayList<>();
    List<Kernel.Param> params = new ArrayList<>(kernel.params());
    Map<Expr, Expr> by = new IdentityHashMap<>();
    Map<Expr, Boolean> seen = new IdentityHashMap<>();
    for (Phase.Store x : stores) {
      if (!x.index().isAffine()
          || x.index().coef(joined) != 1
          || !collect(x.value(), joined, seen, operands)) {
        return null;
      }
    }
    if (operands.size() > MOST) {
      return null;
    }
    for (Operand o : operands) {
      by.put(o.load(), new Expr.Load(params.size(), o.load().dtype(), at));
      params.add(new Kernel.Param(o.load().dtype(), block + Vec.LANES, true, true));
    }
    List<Loop> loops = new ArrayList<>(grid.subList(0, n - 2));
    loops.add(joined);
    Phase spread = KeptValues.replaced(new Phase.Emit(List.of(), stores), by);
    return new JoinedRows(
        new Kernel(List.copyOf(params), loops, List.of(spread), kernel.contraction()),
        operands.stream().map(o -> new Operand(first(o.load(), joined), o.pattern())).toList());
  }

  /** Notes what has to be spread; false if the expression holds anything that cannot be. */
  private static boolean collect(Expr e, Loop axis, Map<Expr, Boolean> seen, List<Operand> out) {
    if (seen.put(e, true) != null) {
      return true;
    }
    switch (e) {
      case Expr.Const c -> {
        return true;
      }
      case Expr.Load l -> {
        if (!l.index().dependsOn(axis) || (l.index().isAffine() && l.index().coef(axis) == 1)) {
          return true;
        }
        Woven.Pattern p = Woven.Pattern.of(l.index(), axis);
        if (p == null) {
          return false;
        }
        // equal loads are one node
        out.add(new Operand(l, p));
        return true;
      }
      case Expr.Apply a -> {
        return a.args().stream().allMatch(x -> collect(x, axis, seen, out));
      }
      case Expr.Acc a -> {
        return false;
      }
      case Expr.IndexValue v -> {
        return false;
      }
      case Expr.Guarded g -> {
        return false;
      }
    }
  }

  /** The same load without the axis, which is 0. */
  private static Expr.Load first(Expr.Load l, Loop axis) {
    Index i = Index.of(l.index().base());
    for (Index.Term t : l.index().terms()) {
      Index term = new Index(0, List.of(t));
      i = term.dependsOn(axis) ? i : i.plus(term);
    }
    return new Expr.Load(l.param(), l.dtype(), i);
  }

  // ---- spreading ------------------------------------------------------------------------------

  /**
   * Writes the code that spreads the operands over a block.
   *
   * @param places offsets in scratch memory, one per operand
   */
  void spread(MethodGen m, BlockGen.Block at, List<Long> places) {
    CodeBuilder code = m.code();
    for (int i = 0; i < operands.size(); i++) {
      Expr.Load l = operands.get(i).load();
      Woven.Pattern p = operands.get(i).pattern();
      m.scalar().address(l.param(), l.dtype(), l.index());
      m.scratchAddress(places.get(i));
      code.lload(at.base()).iload(at.count());
      code.loadConstant(p.by()).loadConstant(p.whole()).loadConstant(p.rest());
      code.loadConstant(l.dtype().bytes());
      m.asm()
          .call(
              JoinedRows.class,
              "spread",
              ConstantDescs.CD_void,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_int,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_long,
              ConstantDescs.CD_int);
    }
  }

  /**
   * Sets count elements at dst to those of an operand that follow one of its row.
   *
   * @param src address of the row's first element
   * @param first position in the row
   * @param by elements after which the operand has moved on by {@code whole}; within them it moves
   *     by {@code rest}
   * @param size bytes of an element; up to a vector is written beyond the last one
   */
  public static void spread(
      long src, long dst, long first, int count, long by, long whole, long rest, int size) {
    if (whole == 0 && rest == 1) {
      repeat(src, dst, first % by, count, (int) by, size);
      return;
    }
    long q = first / by;
    int done = (int) Math.min(by - first % by, count);
    int from = (int) (first % by);
    for (int to = 0; to < count; q++) {
      if (rest == 0) {
        fill(src + q * whole * size, dst + (long) to * size, done, size);
      } else {
        for (int i = 0; i < done; i++) {
          long at = src + (q * whole + (from + i) * rest) * size;
          copy(at, dst + (long) (to + i) * size, size);
        }
      }
      to += done;
      done = (int) Math.min(by, count - to);
      from = 0;
    }
  }

  /** Repeats a run of elements from some position in it on. */
  private static void repeat(long src, long dst, long from, int count, int run, int size) {
    int done = Math.min(run - (int) from, count);
    Memory.copy(src + from * size, dst, (long) done * size);
    if (done < count) {
      int more = Math.min((int) from, count - done);
      Memory.copy(src, dst + (long) done * size, (long) more * size);
      done += more;
    }
    for (; done < count; done += Math.min(done, count - done)) {
      Memory.copy(dst, dst + (long) done * size, (long) Math.min(done, count - done) * size);
    }
  }

  private static void fill(long src, long dst, int count, int size) {
    switch (size) {
      case 4 -> {
        IntVector v = IntVector.broadcast(Vec.I, Memory.getInt(src));
        for (int i = 0; i < count; i += Vec.I.length()) {
          v.intoMemorySegment(Memory.ALL, dst + 4L * i, Vec.ORDER);
        }
      }
      case 8 -> {
        LongVector v = LongVector.broadcast(LongVector.SPECIES_PREFERRED, Memory.getLong(src));
        for (int i = 0; i < count; i += LongVector.SPECIES_PREFERRED.length()) {
          v.intoMemorySegment(Memory.ALL, dst + 8L * i, Vec.ORDER);
        }
      }
      default -> {
        for (int i = 0; i < count; i++) {
          Memory.putByte(dst + i, Memory.getByte(src));
        }
      }
    }
  }

  private static void copy(long src, long dst, int size) {
    switch (size) {
      case 4 -> Memory.putInt(dst, Memory.getInt(src));
      case 8 -> Memory.putLong(dst, Memory.getLong(src));
      default -> Memory.putByte(dst, Memory.getByte(src));
    }
  }
}
