package tapedeck.opencl.render;

import java.util.List;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.Precision;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/**
 * Matrix product on tensor cores, for float32 products that need not be float32 throughout. A
 * work-group computes a tile, each of its warps a part of it in steps of (16,8) x (8,8), or with
 * bfloat16 of (16,16) x (16,8). Tiles of both operands are double-buffered in local memory, and the
 * next one is on its way through registers while one is multiplied. With {@link Precision#HIGH}
 * operands are split in a TensorFloat-32 value and the TensorFloat-32 rest, and three of the four
 * products are summed, the small ones first (NVIDIA CUTLASS calls it 3xTF32).
 */
final class TensorProduct {
  private static final int WARP = 32;

  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final Writer w;
  private final Form form;
  private final boolean split;
  private final boolean bfloat16;
  private final OperandTile a;
  private final OperandTile b;

  /** Sizes: tile of a group, k of a step, tile of a warp. */
  private record Form(int m, int n, int step, int rows, int columns) {
    static Form of(Parameters p) {
      return new Form(p.get("m"), p.get("n"), p.get("step"), p.get("rows"), p.get("columns"));
    }

    int warps() {
      return m / rows * (n / columns);
    }

    int group() {
      return WARP * warps();
    }

    long tiles(Product p) {
      return p.batch() * LoopRenderer.ceilDiv(p.m(), m) * LoopRenderer.ceilDiv(p.n(), n);
    }

    /** The same number of warps on a quarter of the tile. */
    Form quarter() {
      return new Form(m / 2, n / 2, step, rows / 2, columns / 2);
    }

    boolean possible() {
      return rows >= 16 && columns >= 8 && Math.min(m, n) * step % (4 * group()) == 0;
    }
  }

  private TensorProduct(Kernel kernel, Target target, Product p, Writer w, Form form) {
    this.kernel = kernel;
    this.target = target;
    this.p = p;
    this.w = w;
    this.form = form;
    this.split = p.c().precision() == Precision.HIGH;
    this.bfloat16 = p.c().precision() == Precision.BFLOAT16;
    // Fragments are read without bank conflicts: rows of k are 8 banks apart, of m or n 4 or 20.
    this.a = new OperandTile(w, p, true, form.m, form.step, form.group(), 8, true, bfloat16);
    this.b = new OperandTile(w, p, false, form.n, form.step, form.group(), 8, true, bfloat16);
  }

  /** The kernel in this form, or null where the device or the product is not for it. */
  static Draft render(Kernel kernel, Target target, boolean[] written, Facts facts, Tuning tuning) {
    Product p = Product.of(kernel).orElse(null);
    if (p == null
        || target.tensorCores() == TensorCores.NONE
        || p.c().precision() == Precision.HIGHEST
        || p.dtype() != DType.FLOAT32
        || p.m() < 16
        || p.n() < 16
        || p.k() < 8) {
      return null;
    }
    Parameters chosen =
        tuning.get(
            switch (p.c().precision()) {
              case HIGH, HIGHEST -> Template.PRODUCT_3XTF32;
              case DEFAULT -> Template.PRODUCT_TF32;
              case BFLOAT16 -> Template.PRODUCT_BF16;
            });
    Form form = Form.of(chosen);
    while (form.tiles(p) < (long) target.computeUnits() * chosen.get("waves")
        && form.quarter().possible()) {
      form = form.quarter();
    }
    Writer w = new Writer(kernel, written, !facts.fits32(), true);
    TensorProduct t = new TensorProduct(kernel, target, p, w, form);
    long local = 8L * (t.a.elements() + t.b.elements());
    return local <= target.localBytes() && form.group() <= target.maxGroup() ? t.write() : null;
  }

  private Draft write() {
    String it = "const " + w.indexType() + " ";
    String index = "(" + w.indexType() + ")";
    Scope top = w.scope();
    a.declareTiles(2);
    b.declareTiles(2);
    if (target.tensorCores() == TensorCores.EMULATED) {
      w.line("__local " + word("") + " xs[" + form.warps() * TensorCores.EXCHANGE + "];");
    }
    int across = form.m / form.rows;
    w.line("const int lid = (int)get_local_id(0);");
    w.line("const int lane = lid % " + WARP + ";");
    w.line("const int warp = lid / " + WARP + ";");
    w.line("const int row = warp % " + across + " * " + form.rows + " + lane / 4;");
    w.line("const int column = warp / " + across + " * " + form.columns + ";");
    w.line(it + "n0 = " + index + "get_group_id(0) * " + form.n + ";");
    w.line(it + "m0 = " + index + "get_group_id(1) * " + form.m + ";");
    w.open(false, p.c().batch());
    w.line(it + "batch = " + index + "get_group_id(2);");
    w.decode("batch", p.c().batch());
    a.declareRegisters();
    b.declareRegisters();
    w.line("float4 acc[" + form.rows / 16 + "][" + form.columns / 8 + "];");
    unrolled(
        "i", form.rows / 16, () -> unrolled("j", form.columns / 8, () -> w.line("acc[i][j] = 0;")));
    w.open(false, List.of());
    w.line("const int odd = k0 / " + form.step + " % 2;");
    String more = "if (k0 < " + p.k() + ")";
    w.open(true, List.of());
    a.load();
    b.load();
    w.close(more);
    w.open(true, List.of());
    multiply();
    w.close("if (k0 > 0)");
    w.open(true, List.of());
    a.keep("odd * " + a.elements() + " + ", !split);
    b.keep("odd * " + b.elements() + " + ", !split);
    w.close(more);
    w.line("barrier(CLK_LOCAL_MEM_FENCE);");
    long end = LoopRenderer.ceilDiv(p.k(), form.step) * form.step;
    w.close("for (" + w.indexType() + " k0 = 0; k0 <= " + end + "; k0 += " + form.step + ")");
    epilogue();
    w.close("");
    long gx = LoopRenderer.ceilDiv(p.n(), form.n);
    long gy = LoopRenderer.ceilDiv(p.m(), form.m);
    String sizes = form.m + "x" + form.n + "x" + form.step;
    return new Draft(
        top,
        new long[] {gx * form.group(), gy, p.batch()},
        new long[] {form.group(), 1, 1},
        "product " + (split ? "3xtf32 " : bfloat16 ? "bf16 " : "tf32 ") + sizes,
        "__attribute__((reqd_work_group_size(" + form.group() + ", 1, 1)))\n",
        target.tensorCores().functions(bfloat16));
  }

  /** The emulation's barriers would make an unrolled text very long. */
  private void unrolled(String i, int n, Runnable body) {
    if (target.tensorCores() != TensorCores.EMULATED) {
      w.line("#pragma unroll");
    }
    w.open(false, List.of());
    body.run();
    w.close("for (int " + i + " = 0; " + i + " < " + n + "; " + i + "++)");
  }

  /** Multiplies the tiles that the step before has written. */
  private void multiply() {
    String first = "(1 - odd) * ";
    w.line(
        "const __local "
            + word("")
            + " *ta = as + "
            + (first + a.elements() + " + row * " + a.stride() + " + lane % 4 * " + a.strideOfK())
            + ";");
    w.line(
        "const __local "
            + word("")
            + " *tb = bs + "
            + (first + b.elements() + " + (column + lane / 4) * " + b.stride())
            + (" + lane % 4 * " + b.strideOfK())
            + ";");
    int tall = form.rows / 16;
    int wide = form.columns / 8;
    unrolled("k", form.step / (bfloat16 ? 16 : 8), () -> step(tall, wide));
  }

  /** Type of some words of an operand: an element of TensorFloat-32, or two of bfloat16. */
  private String word(String lanes) {
    return (bfloat16 ? "uint" : "float") + lanes;
  }

  private void step(int tall, int wide) {
    w.line(word("4") + " fa[" + tall + "]" + (split ? ", la[" + tall + "]" : "") + ";");
    w.line(word("2") + " fb[" + wide + "]" + (split ? ", lb[" + wide + "]" : "") + ";");
    int down = 8 * a.stride();
    int deep = 4 * a.strideOfK();
    unrolled(
        "i",
        tall,
        () -> {
          w.line(
              "const __local "
                  + word("")
                  + " *f = ta + k * "
                  + 8 * a.strideOfK()
                  + " + i * "
                  + 2 * down
                  + ";");
          w.line(
              "fa[i] = ("
                  + word("4")
                  + ")(f[0], f["
                  + (down + "], f[" + deep + "], f[" + (down + deep))
                  + "]);");
          splitInto("fa[i]", "la[i]", 4);
        });
    unrolled(
        "j",
        wide,
        () -> {
          w.line(
              "const __local "
                  + word("")
                  + " *f = tb + k * "
                  + (8 * b.strideOfK() + " + j * " + 8 * b.stride())
                  + ";");
          w.line("fb[j] = (" + word("2") + ")(f[0], f[" + 4 * b.strideOfK() + "]);");
          splitInto("fb[j]", "lb[j]", 2);
        });
    unrolled(
        "i",
        tall,
        () ->
            unrolled(
                "j",
                wide,
                () -> {
                  if (split) {
                    add("la[i]", "fb[j]");
                    add("fa[i]", "lb[j]");
                  }
                  add("fa[i]", "fb[j]");
                }));
  }

  private void add(String x, String y) {
    w.line("acc[i][j] = " + target.tensorCores().multiplyAdd(bfloat16, x, y, "acc[i][j]") + ";");
  }

  private void splitInto(String value, String rest, int lanes) {
    if (split) {
      String type = ScalarText.type(DType.FLOAT32, lanes);
      w.line("const " + type + " all = " + value + ";");
      w.line(value + " = " + TensorCores.round("all", lanes) + ";");
      w.line(rest + " = " + TensorCores.round("all - " + value, lanes) + ";");
    }
  }

  /** Stores of this work-item's elements, of which two at a time are neighbours in a row. */
  private void epilogue() {
    List<Loop> n = p.c().n();
    boolean pairs =
        n.size() == 1
            && p.n() % 2 == 0
            && Access.of(w, kernel.phases().subList(1, 2), n.getFirst(), true).worthLanes();
    String m = "m0 + row + i * 8";
    String at = "n0 + column + lane % 4 * 2 + j " + (pairs ? "* 8" : "/ 2 * 8 + j % 2");
    int wide = form.columns / 8;
    w.line("#pragma unroll");
    w.open(true, p.c().m());
    w.define(p.c().m(), m);
    w.line("#pragma unroll");
    w.open(true, n);
    w.scope().accs.set(0);
    w.define(n, at);
    if (pairs) {
      w.line("const float2 " + Writer.acc(0) + " = i % 2 ? acc[i / 2][j].hi : acc[i / 2][j].lo;");
      w.lanes(n.getFirst(), 2, true);
      w.stores(p.stores());
      w.lanes(null, 1, false);
    } else {
      w.line("const float2 c = i % 2 ? acc[i / 2][j / 2].hi : acc[i / 2][j / 2].lo;");
      w.line("const float " + Writer.acc(0) + " = j % 2 ? c.s1 : c.s0;");
      w.stores(p.stores());
    }
    w.close(
        "for (int j = 0; j < "
            + (pairs ? wide : 2 * wide)
            + "; j++) if ("
            + OperandTile.inside(at, p.n(), form.n)
            + ")");
    w.close(
        "for (int i = 0; i < "
            + form.rows / 8
            + "; i++) if ("
            + OperandTile.inside(m, p.m(), form.m)
            + ")");
  }
}
