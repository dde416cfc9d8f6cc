package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.opencl.tuning.Parameters;

/**
 * The form for long reductions on GPUs: a work-group runs a few grid points at once, several
 * work-items (lanes) share each point's loops, and partial results meet in a tree in local memory.
 * The tree's shape depends on sizes only, so results are reproducible. Neighbouring work-items step
 * along whatever is contiguous in memory: the reduction's own innermost loop (rows), or the grid's
 * (columns).
 */
final class GroupRenderer {
  /** Reductions shorter than this are left to single work-items. */
  private static final long LONG = 32;

  private final Kernel kernel;
  private final Target target;
  private final Writer w;
  private final Parameters tuning;
  private final int width;
  private final boolean columns;
  private final int lanes;
  private final int points;
  private final KeptLoads kept;
  private boolean blocks;
  private boolean repeats;

  private GroupRenderer(
      Kernel kernel, Target target, Writer w, Parameters tuning, int width, boolean columns) {
    this.kernel = kernel;
    this.target = target;
    this.w = w;
    this.width = width;
    this.columns = columns;
    this.tuning = tuning;
    int group = Integer.highestOneBit(Math.min(tuning.get("group"), target.maxGroup()));
    while (group > 32 && (long) group * tileBytes(kernel) > target.localBytes()) {
      group /= 2;
    }
    long longest = longest(kernel);
    // Columns are not read in vectors, so that half as many elements keep a work-item busy.
    long serial = columns ? Math.max(1, tuning.get("serial") / 2) : tuning.get("serial");
    int most = columns ? Math.max(1, group / tuning.get("columns")) : group;
    int fit = 1;
    while (fit < most && fit * serial < longest) {
      fit *= 2;
    }
    this.lanes = fit;
    this.points = group / fit;
    int words = columns ? 0 : tuning.get("keep");
    this.kept = KeptLoads.of(kernel, w, this::vector, lanes, words);
  }

  /** The kernel in this form, or null where single work-items are as good. */
  static Draft render(
      Kernel kernel, Target target, boolean[] written, Facts facts, Parameters tuning) {
    if (longest(kernel) < LONG || target.maxGroup() < 32) {
      return null;
    }
    Writer w = new Writer(kernel, written, !facts.fits32(), true);
    boolean columns =
        !kernel.grid().isEmpty()
            && Access.of(w, kernel.phases(), kernel.grid().getLast(), true).mostlyContiguous();
    if (columns && kernel.points() >= target.computeUnits() * 512L) {
      return null;
    }
    int width = Math.max(1, Math.min(4, tuning.get("bytes") / facts.widestBytes()));
    return new GroupRenderer(kernel, target, w, tuning, width, columns).write();
  }

  /** Points of the longest reduction. */
  private static long longest(Kernel k) {
    long most = 0;
    for (Phase p : k.phases()) {
      if (p instanceof Phase.Reduce) {
        most = Math.max(most, Contraction.extent(p.loops()));
      }
    }
    return most;
  }

  /** Local memory per work-item: one element of each accumulator of a phase. */
  private static long tileBytes(Kernel k) {
    long most = 0;
    for (Phase p : k.phases()) {
      if (p instanceof Phase.Reduce r) {
        most += r.accs().stream().mapToLong(a -> a.dtype().bytes()).sum();
      }
    }
    return most;
  }

  private Draft write() {
    long all = kernel.points();
    long groups = LoopRenderer.ceilDiv(all, points);
    long launched = Math.min(groups, (long) target.computeUnits() * tuning.get("groups"));
    repeats = launched < groups;
    String t = w.indexType();
    Scope top = w.scope();
    w.line("const int lid = (int)get_local_id(0);");
    w.line("const int c = " + (columns ? "lid % " + points : "lid / " + lanes) + ";");
    w.line("const int r = " + (columns ? "lid / " + points : "lid % " + lanes) + ";");
    List<Draft.Local> locals = new ArrayList<>();
    for (Phase p : kernel.phases()) {
      if (p instanceof Phase.Reduce r) {
        for (Phase.Accumulator a : r.accs()) {
          locals.add(new Draft.Local(a.dtype(), "t" + a.id(), (long) lanes * points));
        }
      }
    }
    w.open(false, kernel.grid());
    boolean ragged = all % points != 0;
    w.line(
        "const "
            + t
            + " g = "
            + (ragged ? "min(first + c, (" + t + ")" + (all - 1) + ")" : "first + c")
            + ";");
    w.decode("g", kernel.grid());
    String active = ragged ? "first + c < " + all : "";
    kept.declare(kept.isEmpty() ? 1 : vectorOfKept());
    Body body = new Body(w, 1);
    for (int i = 0; i < kernel.phases().size(); i++) {
      Phase p = kernel.phases().get(i);
      switch (p) {
        case Phase.Reduce r -> reduce(r, body);
        case Phase.Emit e -> emit(e, active);
        case Phase.ScatterAdd s -> {
          w.open(true, List.of());
          body.phases(List.of(s));
          w.close("if (" + and("r == 0", active) + ")");
        }
      }
      if (!(p instanceof Phase.Reduce)) {
        w.scope().forget(w.graph.readers());
        if (i + 1 < kernel.phases().size()) {
          w.line("barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);");
        }
      }
    }
    w.close(
        "for ("
            + t
            + " first = ("
            + t
            + ")get_group_id(0) * "
            + points
            + "; first < "
            + all
            + "; first += "
            + launched * points
            + ")");
    long size = (long) lanes * points;
    return new Draft(
        top,
        new long[] {launched * size},
        new long[] {size},
        (columns ? "columns " : "rows ")
            + points
            + " x "
            + lanes
            + " lanes"
            + (blocks ? " x" + width : "")
            + (kept.isEmpty() ? "" : " kept"),
        "__attribute__((reqd_work_group_size(" + size + ", 1, 1)))\n",
        "",
        locals);
  }

  /** The vectors of the phases that keep values are equally wide. */
  private int vectorOfKept() {
    return kernel.phases().stream().filter(kept::has).mapToInt(this::vector).findFirst().orElse(1);
  }

  private static String and(String a, String b) {
    return b.isEmpty() ? a : a + " && " + b;
  }

  private void emit(Phase.Emit e, String active) {
    if (e.loops().isEmpty()) {
      w.open(true, List.of());
      w.stores(e.stores());
      w.close("if (" + and("r == 0", active) + ")");
      return;
    }
    if (active.isEmpty()) {
      share(e, n -> w.stores(e.stores()));
    } else {
      w.open(true, List.of());
      share(e, n -> w.stores(e.stores()));
      w.close("if (" + active + ")");
    }
  }

  private void reduce(Phase.Reduce r, Body body) {
    int v = vector(r);
    for (Phase.Accumulator a : r.accs()) {
      w.line(Body.declare(a, "b" + Writer.acc(a.id()), v));
    }
    share(r, n -> Body.accumulate(w, r, "b"));
    int stride = columns ? points : 1;
    for (Phase.Accumulator a : r.accs()) {
      w.line("t" + a.id() + "[lid] = " + body.fold(a, "b" + Writer.acc(a.id()), v) + ";");
    }
    w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    for (int s = lanes / 2; s >= 1; s /= 2) {
      w.open(true, List.of());
      for (Phase.Accumulator a : r.accs()) {
        String mine = w.fresh("h");
        String other = w.fresh("h");
        String type = "const " + ScalarText.type(a.dtype(), 1) + " ";
        w.line(type + mine + " = t" + a.id() + "[lid];");
        w.line(type + other + " = t" + a.id() + "[lid + " + s * stride + "];");
        w.line(
            "t"
                + a.id()
                + "[lid] = "
                + ScalarText.combine(a.reducer(), a.dtype(), mine, other, 1)
                + ";");
      }
      w.close("if (r < " + s + ")");
      w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    }
    for (Phase.Accumulator a : r.accs()) {
      w.line(
          "const "
              + ScalarText.type(a.dtype(), 1)
              + " "
              + Writer.acc(a.id())
              + " = t"
              + a.id()
              + "["
              + (columns ? "c" : "c * " + lanes)
              + "];");
    }
    if (repeats) {
      // The next point of this group writes the same local memory.
      w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    }
    body.define(r);
  }

  /**
   * Width of the vectors in which a phase's innermost loop runs; 1 where it does not divide or is
   * not contiguous.
   */
  private int vector(Phase p) {
    if (columns || p.loops().isEmpty() || width == 1) {
      return 1;
    }
    Loop l = p.loops().getLast();
    Access a = Access.of(w, List.of(p), l, false);
    return l.extent() % width == 0
            && Contraction.extent(p.loops()) >= (long) width * lanes
            && !a.blocked()
            && a.strided() == 0
            && a.contiguous() > 0
        ? width
        : 1;
  }

  /** The phase's loops, dealt out to the lanes of a point. */
  private void share(Phase p, IntConsumer body) {
    int v = vector(p);
    List<Loop> loops = p.loops();
    long total = Contraction.extent(loops) / v;
    boolean keeps = kept.has(p);
    w.open(false, loops);
    if (keeps) {
      w.line("const " + w.indexType() + " n = r + j * " + lanes + ";");
    }
    if (v > 1) {
      blocks = true;
      Loop last = loops.getLast();
      List<Loop> outer = new ArrayList<>(loops.subList(0, loops.size() - 1));
      String step = "n";
      if (!outer.isEmpty()) {
        w.line("const " + w.indexType() + " o = " + w.quotient("n", last.extent() / v) + ";");
        w.decode("o", outer);
        step = w.modulo("n", last.extent() / v);
      }
      w.line("const " + w.indexType() + " " + Writer.name(last) + " = " + step + " * " + v + ";");
      w.lanes(last, v, false);
      if (keeps) {
        kept.use(p);
      }
      body.accept(v);
      w.lanes(null, 1, false);
    } else {
      w.decode("n", loops);
      if (keeps) {
        kept.use(p);
      }
      body.accept(1);
    }
    if (keeps) {
      String inside = total % lanes == 0 ? "" : " if (r + j * " + lanes + " < " + total + ")";
      // NB: values that the body has moved out of the loop belong before the pragma.
      Scope unrolled = w.scope();
      w.leave();
      w.line("#pragma unroll");
      w.scope().block("for (int j = 0; j < " + kept.rounds() + "; j++)" + inside, unrolled);
      return;
    }
    w.close("for (" + w.indexType() + " n = r; n < " + total + "; n += " + lanes + ")");
  }
}
