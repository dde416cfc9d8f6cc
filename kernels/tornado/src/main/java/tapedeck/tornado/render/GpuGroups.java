package tapedeck.tornado.render;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;

/**
 * Reductions on GPUs: a work-group computes one grid point. Its work-items share out the points of
 * each phase; what they accumulated they put into local memory, where pairs are combined, half as
 * many in each round, with a barrier after it. The order depends on the kernel alone.
 */
final class GpuGroups {
  private static final int MOST_ITEMS = 256;
  private static final int LEAST_ITEMS = 32;

  /** Fewer terms are not worth a group, unless every kernel counts as large. */
  private static final long LEAST_TERMS = 64;

  private final Kernel kernel;
  private final Target target;
  private final int items;
  private ExprGen g;
  private CodeBuilder code;
  private int lid;

  private GpuGroups(Kernel kernel, long terms, Target target) {
    this.kernel = kernel;
    this.target = target;
    int n = LEAST_ITEMS;
    while (2 * n <= Math.min(MOST_ITEMS, target.maxGroup()) && n < terms) {
      n *= 2;
    }
    this.items = n;
  }

  /** The kernel in this form, or null where a work-item per grid point does as well. */
  static JavaKernel render(String name, Kernel kernel, Target target) {
    long terms = 0;
    long rows = 0;
    long columns = 0;
    for (Phase p : kernel.phases()) {
      switch (p) {
        case Phase.Reduce r -> {
          terms = Math.max(terms, ExprGen.points(r));
          if (!r.loops().isEmpty()) {
            rows += Uses.contiguous(r, r.loops().getLast());
          }
          if (!kernel.grid().isEmpty()) {
            columns += Uses.contiguous(r, kernel.grid().getLast());
          }
        }
        case Phase.Emit e -> {}
        case Phase.ScatterAdd s -> {
          return null;
        }
      }
    }
    // Work-items side by side read columns side by side, if there are enough of them.
    boolean few = kernel.points() < 64L * target.computeUnits();
    if (terms < Math.min(LEAST_TERMS, target.small())
        || (rows <= columns && !few)
        || target.maxGroup() < LEAST_ITEMS
        || bytes(kernel, MOST_ITEMS) > target.localBytes()) {
      return null;
    }
    return new GpuGroups(kernel, terms, target).write(name);
  }

  /** Local memory of a group. */
  private static long bytes(Kernel kernel, int items) {
    long sum = 0;
    for (Phase p : kernel.phases()) {
      if (p instanceof Phase.Reduce r) {
        sum += 8L * items * r.accs().size();
      }
    }
    return sum;
  }

  private JavaKernel write(String name) {
    return KernelClass.kernel(
        name,
        kernel,
        target,
        kernel.points() * items,
        items,
        "group of " + items,
        gen -> {
          g = gen;
          code = gen.code;
          body();
        });
  }

  private void body() {
    int group = g.workItem("groupIdx");
    lid = g.workItem("localIdx");
    g.decode(group, kernel.grid());
    for (int i = 0; i < kernel.phases().size(); i++) {
      switch (kernel.phases().get(i)) {
        case Phase.Reduce r -> reduce(r);
        case Phase.Emit e -> {
          emit(e);
          // Later phases may read what others of the group have written in place.
          if (i + 1 < kernel.phases().size()) {
            barrier("globalBarrier");
          }
        }
        case Phase.ScatterAdd s -> throw new IllegalStateException("[tornado] scatter in groups");
      }
    }
  }

  private void barrier(String kind) {
    code.aload(0).invokevirtual(Types.CONTEXT, kind, MethodTypeDesc.of(ConstantDescs.CD_void));
  }

  private void reduce(Phase.Reduce r) {
    List<Phase.Accumulator> accs = r.accs();
    int[] arrays = accs.stream().mapToInt(a -> g.localArray(a.dtype(), items)).toArray();
    int[] own = g.accumulators(r);
    share(
        Math.toIntExact(Contraction.extent(r.loops())),
        i -> {
          if (!r.loops().isEmpty()) {
            g.decode(i, r.loops());
          }
          g.accumulate(r, own);
        });
    for (int a = 0; a < own.length; a++) {
      code.aload(arrays[a]).iload(lid).loadLocal(kind(accs.get(a)), own[a]);
      code.arrayStore(kind(accs.get(a)));
    }
    barrier("localBarrier");
    for (int half = items / 2; half > 0; half /= 2) {
      int distance = half;
      below(
          half,
          () -> {
            for (int a = 0; a < own.length; a++) {
              TypeKind kind = kind(accs.get(a));
              code.aload(arrays[a]).iload(lid);
              code.aload(arrays[a]).iload(lid).arrayLoad(kind);
              code.aload(arrays[a]).iload(lid).loadConstant(distance).iadd().arrayLoad(kind);
              g.combine(accs.get(a).reducer(), accs.get(a).dtype());
              code.arrayStore(kind);
            }
          });
      barrier("localBarrier");
    }
    int[] results = new int[own.length];
    for (int a = 0; a < own.length; a++) {
      code.aload(arrays[a]).iconst_0().arrayLoad(kind(accs.get(a)));
      results[a] = g.keep(kind(accs.get(a)));
    }
    g.bindAll(r, results);
  }

  private void emit(Phase.Emit e) {
    if (e.loops().isEmpty()) {
      below(1, () -> g.stores(e.stores()));
      return;
    }
    share(
        Math.toIntExact(Contraction.extent(e.loops())),
        i -> {
          g.decode(i, e.loops());
          g.stores(e.stores());
        });
  }

  /** Runs a body for every number below an end, each in one work-item. */
  private void share(int end, IntConsumer body) {
    int i = code.allocateLocal(TypeKind.INT);
    g.count(i, () -> code.iload(lid), () -> code.loadConstant(end), items, () -> body.accept(i));
  }

  /** Runs a body in the first few work-items. */
  private void below(int end, Runnable body) {
    Label skip = code.newLabel();
    code.iload(lid).loadConstant(end).if_icmpge(skip);
    g.open();
    body.run();
    g.close();
    code.labelBinding(skip).nop();
  }

  private static TypeKind kind(Phase.Accumulator a) {
    return Types.kind(a.dtype());
  }
}
