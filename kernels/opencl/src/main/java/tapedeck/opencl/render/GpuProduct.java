package tapedeck.opencl.render;

import java.util.List;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.type.DType;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/**
 * Matrix product on GPUs: a square of work-items computes a square tile, stepping through k with
 * tiles of both operands in local memory; each work-item keeps a square of results in registers,
 * four neighbouring columns at a time. Operand expressions are evaluated while tiles are loaded, in
 * the order in which memory is contiguous.
 */
final class GpuProduct {
  /** The first form that fits and gives all compute units enough work is taken. */
  private static final List<Template> FORMS =
      List.of(Template.PRODUCT_LARGE, Template.PRODUCT_MIDDLE, Template.PRODUCT_SMALL);

  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final Writer w;
  private final DType t;
  private final int size;
  private final int step;

  /** Parts of each tile's k that different work-items take; their sums meet in local memory. */
  private final int slices;

  private final int group;

  /** Work-items along each side of a tile. */
  private final int threads;

  /** Rows of k that are in local memory at once. */
  private final int depth;

  private final int each;

  /** Columns that a work-item computes side by side. */
  private final int run;

  private GpuProduct(Kernel kernel, Target target, Product p, Writer w, Form form) {
    this.kernel = kernel;
    this.target = target;
    this.p = p;
    this.w = w;
    this.t = p.dtype();
    this.size = form.size();
    this.step = form.step();
    this.slices = form.slices();
    this.group = form.group();
    this.threads = (int) Math.sqrt((double) group / slices);
    this.depth = step * slices;
    this.each = size / threads;
    this.run = Math.min(16 / t.bytes(), each);
  }

  /**
   * The kernel in this form, or null where tiles would be mostly empty or do not fit the device.
   */
  static Draft render(Kernel kernel, Target target, boolean[] written, Facts facts, Tuning tuning) {
    Product p = Product.of(kernel).orElse(null);
    if (p == null || p.m() < 8 || p.n() < 8 || p.k() < 8) {
      return null;
    }
    for (Template t : FORMS) {
      Parameters chosen = tuning.get(t);
      Form form =
          new Form(
              chosen.get("size"), chosen.get("step"), chosen.get("slices"), chosen.get("group"));
      long tiles =
          p.batch()
              * LoopRenderer.ceilDiv(p.m(), form.size())
              * LoopRenderer.ceilDiv(p.n(), form.size());
      // Doubles take two registers each: the largest register tiles of them would spill.
      boolean registers = p.dtype() == DType.FLOAT32 || form.each() < 8;
      boolean fits =
          form.elements() * p.dtype().bytes() <= target.localBytes()
              && form.group() <= target.maxGroup()
              && registers;
      if (fits
          && (t == Template.PRODUCT_SMALL
              || tiles >= (long) target.computeUnits() * chosen.get("waves"))) {
        Writer w = new Writer(kernel, written, !facts.fits32(), true);
        return new GpuProduct(kernel, target, p, w, form).write();
      }
    }
    return null;
  }

  /** Sizes of a form: side of the tile, k rows of one slice, slices, work-items. */
  private record Form(int size, int step, int slices, int group) {

    /** Side of a work-item's square of results. */
    int each() {
      return size / (int) Math.sqrt((double) group / slices);
    }

    /** Elements in local memory. */
    long elements() {
      return 2L * step * slices * (size + 4) + (slices > 1 ? (long) slices * size * size : 0);
    }
  }

  private Draft write() {
    String type = ScalarText.type(t, 1);
    String it = "const " + w.indexType() + " ";
    String index = "(" + w.indexType() + ")";
    int pitch = size + 4;
    Scope top = w.scope();
    OperandTile a = new OperandTile(w, p, true, size, depth, group, 4, false, false);
    OperandTile b = new OperandTile(w, p, false, size, depth, group, 4, false, false);
    a.declareTiles(1);
    b.declareTiles(1);
    w.line("const int lid = (int)get_local_id(0);");
    if (slices > 1) {
      w.line(
          "__local " + type + " sums[" + slices * size * size + "] __attribute__((aligned(16)));");
      w.line("const int slice = lid / " + threads * threads + ";");
    }
    w.line("const int tx = lid % " + threads + ";");
    w.line("const int ty = lid / " + threads + (slices > 1 ? " % " + threads : "") + ";");
    w.line(it + "n0 = " + index + "get_group_id(0) * " + size + ";");
    w.line(it + "m0 = " + index + "get_group_id(1) * " + size + ";");
    w.open(false, p.c().batch());
    w.line(it + "batch = " + index + "get_group_id(2);");
    w.decode("batch", p.c().batch());
    a.declareRegisters();
    b.declareRegisters();
    w.line(type + " acc[" + each + "][" + each + "];");
    unrolled("i", each, () -> unrolled("j", each, () -> w.line("acc[i][j] = 0;")));
    w.open(false, List.of());
    // The next tile is on its way from global memory while this one is multiplied.
    w.open(true, List.of());
    a.load();
    b.load();
    w.close("if (k0 < " + p.k() + ")");
    multiply(pitch);
    w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    a.keep("", false);
    b.keep("", false);
    w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    long end = LoopRenderer.ceilDiv(p.k(), depth) * depth;
    w.close("for (" + w.indexType() + " k0 = 0; k0 <= " + end + "; k0 += " + depth + ")");
    if (slices > 1) {
      joinSlices();
    } else {
      epilogue();
    }
    w.close("");
    long gx = LoopRenderer.ceilDiv(p.n(), size);
    long gy = LoopRenderer.ceilDiv(p.m(), size);
    return new Draft(
        top,
        new long[] {gx * group, gy, p.batch()},
        new long[] {group, 1, 1},
        "product tile " + size + "x" + size + "x" + depth + (slices > 1 ? " sliced" : ""),
        "__attribute__((reqd_work_group_size(" + group + ", 1, 1)))\n");
  }

  private void unrolled(String i, int n, Runnable body) {
    w.line("#pragma unroll");
    w.open(false, List.of());
    body.run();
    w.close("for (int " + i + " = 0; " + i + " < " + n + "; " + i + "++)");
  }

  /**
   * Row of the tile that a work-item's i-th row is; columns alike. Neighbours differ by {@code
   * run}.
   */
  private String offset(String thread, String i) {
    return run == each
        ? thread + " * " + run + " + " + i
        : thread
            + " * "
            + run
            + " + "
            + i
            + " % "
            + run
            + " + "
            + i
            + " / "
            + run
            + " * "
            + run * threads;
  }

  private void multiply(int pitch) {
    String type = ScalarText.type(t, run);
    w.open(true, List.of());
    w.open(false, List.of());
    for (int h = 0; h < each / run; h++) {
      for (String name : List.of("a", "b")) {
        String row = slices > 1 ? "(slice * " + step + " + k)" : "k";
        String at =
            name
                + "s + "
                + row
                + " * "
                + pitch
                + " + "
                + (name.equals("a") ? "ty" : "tx")
                + " * "
                + run;
        w.line(
            "const "
                + type
                + " "
                + name
                + h
                + " = *(const __local "
                + type
                + " *)("
                + at
                + " + "
                + h * run * threads
                + ");");
      }
    }
    for (int i = 0; i < each; i++) {
      for (int j = 0; j < each; j++) {
        String acc = "acc[" + i + "][" + j + "]";
        w.line(
            acc
                + " = "
                + Product.multiplyAdd(t, target.fma32(), part("a", i), part("b", j), acc)
                + ";");
      }
    }
    Scope body = w.scope();
    w.leave();
    w.line("#pragma unroll");
    w.scope().block("for (int k = 0; k < " + step + "; k++)", body);
    w.close("if (k0 > 0)");
  }

  /** Adds the slices' tiles in order; every work-item then stores its share of the sums. */
  private void joinSlices() {
    String mine = "sums[(slice * " + size + " + " + offset("ty", "i") + ") * " + size + " + ";
    unrolled(
        "i",
        each,
        () -> unrolled("j", each, () -> w.line(mine + offset("tx", "j") + "] = acc[i][j];")));
    w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    int lanes = vectorStores() ? run : 1;
    int columns = size / lanes;
    w.open(false, List.of());
    w.line("const int u = lid + v * " + group + ";");
    w.line("const int x = u % " + columns + (lanes > 1 ? " * " + lanes : "") + ";");
    w.line("const int y = u / " + columns + ";");
    w.open(true, p.c().m());
    for (Loop l : p.c().n()) {
      w.scope().loops.set(l.id());
    }
    w.scope().accs.set(0);
    w.define(p.c().m(), "m0 + y");
    w.define(p.c().n(), "n0 + x");
    String vector = ScalarText.type(t, lanes);
    StringBuilder sum = new StringBuilder();
    for (int z = 0; z < slices; z++) {
      String at = "sums + " + z * size * size + " + y * " + size + " + x";
      sum.append(z == 0 ? "" : " + ").append("*(const __local ").append(vector).append(" *)(");
      sum.append(at).append(')');
    }
    w.line("const " + vector + " " + Writer.acc(0) + " = " + sum + ";");
    w.lanes(lanes > 1 ? p.c().n().getFirst() : null, lanes, true);
    w.stores(p.stores());
    w.lanes(null, 1, false);
    w.close(
        "if ("
            + OperandTile.inside("m0 + y", p.m(), size)
            + " && "
            + OperandTile.inside("n0 + x", p.n(), size)
            + ")");
    w.close("for (int v = 0; v < " + size * columns / group + "; v++)");
  }

  /** Whether rows are whole runs of neighbouring elements, so that stores may be vectors. */
  private boolean vectorStores() {
    List<Loop> n = p.c().n();
    return run > 1
        && n.size() == 1
        && p.n() % run == 0
        && Access.of(w, kernel.phases().subList(1, 2), n.getFirst(), true).worthLanes();
  }

  private String part(String side, int i) {
    return side + i / run + ".s" + i % run;
  }

  /** Stores of this work-item's elements, in vectors of a run where rows are whole runs. */
  private void epilogue() {
    List<Loop> n = p.c().n();
    boolean vec = vectorStores();
    w.line("#pragma unroll");
    w.open(true, p.c().m());
    w.define(p.c().m(), "m0 + " + offset("ty", "i"));
    w.line("#pragma unroll");
    w.open(true, n);
    w.scope().accs.set(0);
    if (vec) {
      w.define(n, "n0 + tx * " + run + " + j * " + run * threads);
      StringBuilder s = new StringBuilder();
      for (int q = 0; q < run; q++) {
        s.append(q == 0 ? "" : ", ")
            .append("acc[i][j * ")
            .append(run)
            .append(" + ")
            .append(q)
            .append(']');
      }
      String type = ScalarText.type(t, run);
      w.line("const " + type + " " + Writer.acc(0) + " = (" + type + ")(" + s + ");");
      w.lanes(n.getFirst(), run, true);
      w.stores(p.stores());
      w.lanes(null, 1, false);
      w.close(
          "for (int j = 0; j < "
              + each / run
              + "; j++) if ("
              + OperandTile.inside("n0 + tx * " + run + " + j * " + run * threads, p.n(), size)
              + ")");
    } else {
      w.define(n, "n0 + " + offset("tx", "j"));
      w.line("const " + ScalarText.type(t, 1) + " " + Writer.acc(0) + " = acc[i][j];");
      w.stores(p.stores());
      w.close(
          "for (int j = 0; j < "
              + each
              + "; j++) if ("
              + OperandTile.inside("n0 + " + offset("tx", "j"), p.n(), size)
              + ")");
    }
    w.close(
        "for (int i = 0; i < "
            + each
            + "; i++) if ("
            + OperandTile.inside("m0 + " + offset("ty", "i"), p.m(), size)
            + ")");
  }
}
