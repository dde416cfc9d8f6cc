package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Optimisation;
import tapedeck.cpu.gemm.Epilogue;
import tapedeck.cpu.gemm.Gemm;
import tapedeck.cpu.gemm.Operand;
import tapedeck.cpu.gemm.Parallel;

/**
 * A product of many rows and few columns that is followed by library functions, such as a narrow
 * layer with its activation. On finished tiles the functions would be applied to a few elements at
 * a time; here a task multiplies rows into memory that stays in its cache and does the rest as an
 * elementwise kernel on all of them.
 *
 * @param kernel the product as it was given
 * @param generated code of what follows, with a further parameter for the product
 * @param streams how results are written around the caches, or null
 * @param units of that code in a task
 */
record NarrowProduct(
    Kernel kernel, KernelGen.Generated generated, @Nullable StreamedWrites streams, int units)
    implements CpuKernel {
  /** Columns from which on tiles are wide enough. */
  private static final int WIDE = 256;

  /** Elements of the product that a task aims at, and most that it has. */
  private static final int TASK = 1 << 15;

  private static final int MOST = 1 << 16;

  /** Most elements of the right operand, which every task packs anew. */
  private static final int SMALL = 4096;

  /** The kernel in this form, or null if it does not suit. */
  static @Nullable NarrowProduct of(Kernel kernel) {
    Contraction c = kernel.contraction().orElseThrow();
    if (!Optimisation.JOINED_ROWS.isOn()
        || !c.batch().isEmpty()
        || c.m().size() != 1
        || !isView(c.lhs())
        || !isView(c.rhs())
        || !hasFunction(kernel)) {
      return null;
    }
    Loop m = c.m().getFirst();
    Loop n = c.n().getFirst();
    int rows = (int) (KernelGen.CHUNK / Woven.gcd(KernelGen.CHUNK, n.extent()));
    if (n.extent() >= WIDE
        || rows * n.extent() > MOST
        || m.extent() < 2L * rows
        || n.extent() * c.k().getFirst().extent() > SMALL) {
      return null;
    }
    Kernel after = after(kernel, c, m, n);
    if (JoinedRows.of(after, KernelGen.BLOCK) == null) {
      return null;
    }
    KernelGen.Generated g = KernelGen.generate(after, KernelGen.Code.VECTORS);
    if (g.units() != (after.points() + KernelGen.CHUNK - 1) / KernelGen.CHUNK) {
      return null;
    }
    int least = Math.toIntExact(rows * n.extent() / KernelGen.CHUNK);
    int units = Math.max(1, TASK / (least * KernelGen.CHUNK)) * least;
    return new NarrowProduct(kernel, g, StreamedWrites.of(after, g.work()), units);
  }

  private static boolean isView(Expr e) {
    return e instanceof Expr.Load l && l.index().isAffine();
  }

  private static boolean hasFunction(Kernel kernel) {
    Phase.Emit e = (Phase.Emit) kernel.phases().get(1);
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return e.stores().stream().anyMatch(s -> hasFunction(s.value(), seen));
  }

  private static boolean hasFunction(Expr e, Set<Expr> seen) {
    return seen.add(e)
        && ((e instanceof Expr.Apply a && BlockPlan.form(a) == BlockPlan.Form.BLOCK_CALL)
            || e.children().stream().anyMatch(c -> hasFunction(c, seen)));
  }

  /** What follows the product, of which an element is loaded instead. */
  private static Kernel after(Kernel kernel, Contraction c, Loop m, Loop n) {
    DType t = c.lhs().dtype();
    Phase.Emit e = (Phase.Emit) kernel.phases().get(1);
    List<Kernel.Param> params = new ArrayList<>(kernel.params());
    Index at = Index.of(m).times(n.extent()).plus(Index.of(n));
    Expr element = new Expr.Load(params.size(), t, at);
    params.add(new Kernel.Param(t, m.extent() * n.extent(), true, false));
    Map<Expr, Expr> by = new IdentityHashMap<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    e.stores().forEach(s -> sums(s.value(), seen).forEach(a -> by.put(a, element)));
    return new Kernel(
        List.copyOf(params), List.of(m, n), List.of(KeptValues.replaced(e, by)), Optional.empty());
  }

  private static List<Expr> sums(Expr e, Set<Expr> seen) {
    if (!seen.add(e)) {
      return List.of();
    }
    if (e instanceof Expr.Acc) {
      return List.of(e);
    }
    return e.children().stream().flatMap(c -> sums(c, seen).stream()).toList();
  }

  @Override
  public void run(WorkerPool pool, long[] addresses, boolean @Nullable [] results) {
    Contraction c = kernel.contraction().orElseThrow();
    Loop m = c.m().getFirst();
    Loop n = c.n().getFirst();
    Loop k = c.k().getFirst();
    boolean f64 = c.lhs().dtype() == DType.FLOAT64;
    int size = c.lhs().dtype().bytes();
    int columns = (int) n.extent();
    int rows = units * KernelGen.CHUNK / columns;
    StreamedWrites streamed = streams == null ? null : streams.in(addresses, results);
    long own = generated.scratchBytes();
    long used = StreamedWrites.align(streamed != null ? streamed.scratchBytes(own) : own);
    Operand.Strided b = operand(c.rhs(), k, n, addresses);
    pool.run(
        (m.extent() + rows - 1) / rows,
        1,
        (from, to) -> {
          long scratch = Scratch.get(used + (long) rows * columns * size);
          long[] all = Arrays.copyOf(addresses, addresses.length + 1);
          for (long task = from; task < to; task++) {
            long first = task * rows;
            int count = (int) Math.min(rows, m.extent() - first);
            Operand.Strided a = operand(c.lhs(), m, k, addresses);
            Gemm.run(
                f64,
                count,
                columns,
                (int) k.extent(),
                new Operand.Strided(
                    a.address() + first * a.rowStride() * size, a.rowStride(), a.colStride()),
                b,
                new Epilogue.Store(scratch + used, columns, f64),
                Parallel.SEQUENTIAL);
            all[addresses.length] = scratch + used - first * columns * size;
            long unit = task * units;
            long end = Math.min(unit + units, generated.units());
            if (streamed != null) {
              streamed.run(generated, all, unit, end, scratch);
            } else {
              generated.code().run(all, unit, end, scratch, null);
            }
          }
        });
  }

  private static Operand.Strided operand(Expr e, Loop rows, Loop columns, long[] addresses) {
    Expr.Load l = (Expr.Load) e;
    Index i = l.index();
    return new Operand.Strided(
        addresses[l.param()] + i.base() * l.dtype().bytes(), i.coef(rows), i.coef(columns));
  }
}
