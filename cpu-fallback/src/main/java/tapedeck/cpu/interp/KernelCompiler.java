package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;

/** Translates a checked kernel to closures over a {@link Frame}. */
final class KernelCompiler {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

  interface Code {
    double at(Frame f);
  }

  interface IndexCode {
    long at(Frame f);
  }

  private interface Reader {
    double get(Frame f, long index);
  }

  private interface Writer {
    void set(Frame f, long index, double value);
  }

  private final Kernel kernel;
  private final Map<Integer, Integer> loopSlots = new HashMap<>();
  private final Map<Integer, Integer> accSlots = new HashMap<>();
  private Map<Expr, Integer> uses = new IdentityHashMap<>();
  private Map<Expr, Code> known = new IdentityHashMap<>();
  private int shared;

  KernelCompiler(Kernel kernel) {
    this.kernel = kernel;
  }

  CompiledKernel compile() {
    assign(kernel.grid());
    List<CompiledKernel.Step> steps = new ArrayList<>();
    for (Phase phase : kernel.phases()) {
      uses = new IdentityHashMap<>();
      known = new IdentityHashMap<>();
      int first = loopSlots.size();
      assign(phase.loops());
      steps.add(
          switch (phase) {
            case Phase.Reduce r -> reduce(first, r);
            case Phase.Emit e ->
                new CompiledKernel.Step(first, e.loops(), f -> {}, emit(e.stores()), f -> {});
            case Phase.ScatterAdd s ->
                new CompiledKernel.Step(first, s.loops(), f -> {}, scatter(s), f -> {});
          });
    }
    return new CompiledKernel(kernel, steps, loopSlots.size(), accSlots.size(), shared);
  }

  private void assign(List<Loop> loops) {
    for (Loop l : loops) {
      loopSlots.put(l.id(), loopSlots.size());
    }
  }

  /**
   * Float32 sums and products are kept in float64 and rounded once at the end: backends choose the
   * order and width of a reduction, and this is the value that all of them approach.
   */
  private CompiledKernel.Step reduce(int first, Phase.Reduce r) {
    int n = r.accs().size();
    Code[] values = new Code[n];
    Scalars.Binary[] ops = new Scalars.Binary[n];
    int[] slots = new int[n];
    double[] identities = new double[n];
    boolean[] narrow = new boolean[n];
    r.accs().forEach(a -> count(a.value()));
    for (int i = 0; i < n; i++) {
      Phase.Accumulator a = r.accs().get(i);
      values[i] = code(a.value());
      narrow[i] = a.dtype() == DType.FLOAT32;
      ops[i] = Scalars.binary(a.reducer().op(), narrow[i] ? DType.FLOAT64 : a.dtype());
      identities[i] = a.reducer().identity(a.dtype());
      slots[i] = accSlots.size();
      accSlots.put(a.id(), slots[i]);
    }
    return new CompiledKernel.Step(
        first,
        r.loops(),
        f -> {
          for (int i = 0; i < n; i++) {
            f.accs[slots[i]] = identities[i];
          }
        },
        f -> {
          for (int i = 0; i < n; i++) {
            f.accs[slots[i]] = ops[i].at(f.accs[slots[i]], values[i].at(f));
          }
        },
        f -> {
          for (int i = 0; i < n; i++) {
            f.accs[slots[i]] = narrow[i] ? (float) f.accs[slots[i]] : f.accs[slots[i]];
          }
        });
  }

  private CompiledKernel.Action emit(List<Phase.Store> stores) {
    int n = stores.size();
    stores.forEach(
        s -> {
          count(s.value());
          countIndex(s.index());
        });
    Code[] values = new Code[n];
    IndexCode[] indices = new IndexCode[n];
    Writer[] writers = new Writer[n];
    for (int i = 0; i < n; i++) {
      values[i] = code(stores.get(i).value());
      indices[i] = index(stores.get(i).index());
      writers[i] = writer(stores.get(i).param(), false);
    }
    return f -> {
      // All loads of an iteration come before its stores.
      double[] v = new double[n];
      long[] at = new long[n];
      for (int i = 0; i < n; i++) {
        v[i] = values[i].at(f);
        at[i] = indices[i].at(f);
      }
      for (int i = 0; i < n; i++) {
        writers[i].set(f, at[i], v[i]);
      }
    };
  }

  private CompiledKernel.Action scatter(Phase.ScatterAdd s) {
    s.bounds().forEach(b -> countIndex(b.index()));
    countIndex(s.store().index());
    count(s.store().value());
    Test holds = bounds(s.bounds());
    IndexCode index = index(s.store().index());
    Code value = code(s.store().value());
    int p = s.store().param();
    DType type = kernel.params().get(p).dtype();
    Scalars.Binary add = Scalars.binary(ScalarOp.ADD, type);
    Reader old = reader(p, type);
    Writer writer = writer(p, true);
    return f -> {
      if (holds.at(f)) {
        double v = value.at(f);
        long i = index.at(f);
        inRange("scatter-add", p, i);
        writer.set(f, i, add.at(old.get(f, i), v));
      }
    };
  }

  // ---- expressions ----

  /** Counts how often each node is used, so that shared ones are evaluated once. */
  private void count(Expr e) {
    if (uses.merge(e, 1, Integer::sum) == 1) {
      e.children().forEach(this::count);
    }
  }

  private void countIndex(Index index) {
    new Expr.IndexValue(index).children().forEach(this::count);
  }

  private Code code(Expr e) {
    Code c = known.get(e);
    if (c == null) {
      c = plain(e);
      boolean cheap = e instanceof Expr.Const || e instanceof Expr.Acc;
      if (uses.getOrDefault(e, 0) > 1 && !cheap) {
        c = once(c, shared++);
      }
      known.put(e, c);
    }
    return c;
  }

  private static Code once(Code c, int slot) {
    return f -> {
      if (f.memoStep[slot] != f.step) {
        f.memo[slot] = c.at(f);
        f.memoStep[slot] = f.step;
      }
      return f.memo[slot];
    };
  }

  private Code plain(Expr e) {
    return switch (e) {
      case Expr.Const c -> {
        double v = c.value();
        yield f -> v;
      }
      case Expr.Acc a -> {
        int slot = accSlots.get(a.id());
        yield f -> f.accs[slot];
      }
      case Expr.IndexValue v -> {
        IndexCode i = index(v.index());
        yield f -> toInt(i.at(f));
      }
      case Expr.Load l -> load(l);
      case Expr.Apply a -> apply(a);
      case Expr.Guarded g -> {
        Test holds = bounds(g.bounds());
        Code value = code(g.value());
        Code otherwise = code(g.otherwise());
        yield f -> holds.at(f) ? value.at(f) : otherwise.at(f);
      }
    };
  }

  private static int toInt(long i) {
    if (i != (int) i) {
      throw new Violation("index " + i + " is not an int32");
    }
    return (int) i;
  }

  private Code apply(Expr.Apply a) {
    Code x = code(a.args().get(0));
    DType in = a.args().get(0).dtype();
    return switch (a.op().arity()) {
      case 1 -> {
        Scalars.Unary op = Scalars.unary(a.op(), in, a.dtype());
        yield f -> op.at(x.at(f));
      }
      case 2 -> {
        Scalars.Binary op = Scalars.binary(a.op(), in);
        Code y = code(a.args().get(1));
        yield f -> op.at(x.at(f), y.at(f));
      }
      default -> {
        // Both operands are evaluated, so that a load which SELECT does not protect shows.
        Code y = code(a.args().get(1));
        Code z = code(a.args().get(2));
        yield f -> {
          double c = x.at(f);
          double t = y.at(f);
          double u = z.at(f);
          return c != 0 ? t : u;
        };
      }
    };
  }

  private Code load(Expr.Load l) {
    int p = l.param();
    int bytes = l.dtype().bytes();
    IndexCode index = index(l.index());
    Reader reader = reader(p, l.dtype());
    return f -> {
      long i = index.at(f);
      inRange("load", p, i);
      Monitor m = f.monitors[p];
      if (m != null) {
        m.read(f, f.monitorOffset[p] + i * bytes, bytes);
      }
      return reader.get(f, i);
    };
  }

  private static Reader reader(int p, DType type) {
    return switch (type) {
      case FLOAT32 -> (f, i) -> f.memory[p].getAtIndex(F32, i);
      case FLOAT64 -> (f, i) -> f.memory[p].getAtIndex(F64, i);
      case INT32 -> (f, i) -> f.memory[p].getAtIndex(I32, i);
      case BOOL -> (f, i) -> bool(p, f.memory[p].get(ValueLayout.JAVA_BYTE, i));
    };
  }

  private static double bool(int p, byte b) {
    if (b != 0 && b != 1) {
      throw new Violation("boolean parameter " + p + " holds " + b);
    }
    return b;
  }

  private Writer writer(int p, boolean adds) {
    DType type = kernel.params().get(p).dtype();
    int bytes = type.bytes();
    return (f, i, v) -> {
      inRange("store", p, i);
      Monitor m = f.monitors[p];
      if (m != null) {
        m.write(f, f.monitorOffset[p] + i * bytes, bytes, adds);
      }
      MemorySegment s = f.memory[p];
      switch (type) {
        case FLOAT32 -> s.setAtIndex(F32, i, (float) v);
        case FLOAT64 -> s.setAtIndex(F64, i, v);
        case INT32 -> s.setAtIndex(I32, i, (int) v);
        case BOOL -> s.set(ValueLayout.JAVA_BYTE, i, (byte) v);
      }
    };
  }

  private void inRange(String what, int p, long i) {
    if (i < 0 || i >= kernel.params().get(p).elements()) {
      throw new Violation(
          what
              + " at index "
              + i
              + " of parameter "
              + p
              + ", which has "
              + kernel.params().get(p).elements()
              + " elements");
    }
  }

  // ---- indices ----

  private interface Test {
    boolean at(Frame f);
  }

  private Test bounds(List<Expr.Bound> bounds) {
    int n = bounds.size();
    IndexCode[] indices = bounds.stream().map(b -> index(b.index())).toArray(IndexCode[]::new);
    long[] lo = bounds.stream().mapToLong(Expr.Bound::lo).toArray();
    long[] hi = bounds.stream().mapToLong(Expr.Bound::hi).toArray();
    return f -> {
      for (int i = 0; i < n; i++) {
        long v = indices[i].at(f);
        if (v < lo[i] || v >= hi[i]) {
          return false;
        }
      }
      return true;
    };
  }

  private IndexCode index(Index index) {
    int n = index.terms().size();
    long base = index.base();
    long[] coefs = index.terms().stream().mapToLong(Index.Term::coef).toArray();
    if (index.isAffine()) {
      int[] slots =
          index.terms().stream()
              .mapToInt(t -> loopSlots.get(((Index.Var) t.atom()).loop().id()))
              .toArray();
      return f -> {
        long v = base;
        for (int i = 0; i < n; i++) {
          v += coefs[i] * f.loops[slots[i]];
        }
        return v;
      };
    }
    IndexCode[] atoms = index.terms().stream().map(t -> atom(t.atom())).toArray(IndexCode[]::new);
    return f -> {
      long v = base;
      for (int i = 0; i < n; i++) {
        v += coefs[i] * atoms[i].at(f);
      }
      return v;
    };
  }

  private IndexCode atom(Index.Atom atom) {
    return switch (atom) {
      case Index.Var v -> {
        int slot = loopSlots.get(v.loop().id());
        yield f -> f.loops[slot];
      }
      case Index.Div d -> {
        IndexCode arg = index(d.arg());
        yield f -> notNegative(arg.at(f)) / d.by();
      }
      case Index.Mod m -> {
        IndexCode arg = index(m.arg());
        yield f -> notNegative(arg.at(f)) % m.by();
      }
      case Index.Dyn d -> {
        Code value = code(d.value());
        yield f -> {
          long i = (long) value.at(f);
          if (i < 0 || i >= d.extent()) {
            throw new Violation("dynamic index " + i + " is outside [0, " + d.extent() + ")");
          }
          return i;
        };
      }
    };
  }

  private static long notNegative(long i) {
    if (i < 0) {
      throw new Violation("index " + i + " to divide is negative");
    }
    return i;
  }
}
