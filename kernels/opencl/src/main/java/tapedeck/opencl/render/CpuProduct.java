package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.type.DType;
import tapedeck.opencl.tuning.Parameters;

/**
 * Matrix product on CPU devices, without barriers: a work-item computes a block of m by n. For each
 * chunk of k it packs the right operand into panels of a few vectors, and the left one too unless
 * it is a plain load; the inner loop keeps a tile of rows by vectors in registers. Finished blocks
 * pass through the epilogue in vectors along n.
 */
final class CpuProduct {
  private final Kernel kernel;
  private final Target target;
  private final Product p;
  private final Writer w;
  private final DType t;
  private final int width;
  private final int rows;
  private final int vectors;
  private final int panel;
  private final long blockM;
  private final long blockN;
  private final long blockK;
  private final boolean leftPlain;
  private final boolean leftByK;
  private final String type;
  private final String vector;

  private CpuProduct(Kernel kernel, Target target, Product p, Writer w, Parameters tuning) {
    this.kernel = kernel;
    this.target = target;
    this.p = p;
    this.w = w;
    this.t = p.dtype();
    this.width = Math.max(2, Math.min(16, target.vectorBytes() / t.bytes()));
    this.vectors = (int) Math.min(tuning.get("vectors"), LoopRenderer.ceilDiv(p.n(), width));
    this.panel = width * vectors;
    this.rows = (int) Math.min(tuning.get("rows"), p.m());
    this.leftPlain = p.plain(p.c().lhs());
    this.leftByK = leftPlain || !Product.contiguous(w, p.c().lhs(), p.c().m());
    long n = Math.min(tuning.get("n"), roundUp(p.n(), panel));
    long m = Math.min(tuning.get("m"), roundUp(p.m(), rows));
    long k = Math.min(tuning.get("k"), p.k());
    n = Math.max(panel, n / panel * panel);
    m = Math.max(rows, m / rows * rows);
    // Enough blocks for all cores, unless that makes them tiny.
    while (blocks(m, n) < (long) target.computeUnits() * tuning.get("blocks")
        && (m > 4L * rows || n > 2L * panel)) {
      if (n > 2L * panel && n >= m) {
        n = Math.max(panel, n / 2 / panel * panel);
      } else if (m > 4L * rows) {
        m = Math.max(rows, m / 2 / rows * rows);
      } else {
        n = Math.max(panel, n / 2 / panel * panel);
      }
    }
    while (bytes(m, n, k) > target.localBytes() && (k > 16 || m > rows || n > panel)) {
      if (k > 64) {
        k = k / 2;
      } else if (n > panel) {
        n = Math.max(panel, n / 2 / panel * panel);
      } else if (m > rows) {
        m = Math.max(rows, m / 2 / rows * rows);
      } else {
        k = k / 2;
      }
    }
    this.blockM = m;
    this.blockN = n;
    this.blockK = k;
    this.type = ScalarText.type(t, 1);
    this.vector = ScalarText.type(t, width);
  }

  private long blocks(long m, long n) {
    return p.batch() * LoopRenderer.ceilDiv(p.m(), m) * LoopRenderer.ceilDiv(p.n(), n);
  }

  private long bytes(long m, long n, long k) {
    return t.bytes() * (m * n + k * panel + (leftPlain ? 0 : m * k));
  }

  private static long roundUp(long a, long to) {
    return LoopRenderer.ceilDiv(a, to) * to;
  }

  /** The kernel in this form, or null where it is not a product or too small for it. */
  static Draft render(
      Kernel kernel, Target target, boolean[] written, Facts facts, Parameters tuning) {
    Product p = Product.of(kernel).orElse(null);
    if (p == null || p.m() < 4 || p.n() < 8 || p.k() < 4) {
      return null;
    }
    Writer w = new Writer(kernel, written, !facts.fits32(), false);
    return new CpuProduct(kernel, target, p, w, tuning).write();
  }

  private Draft write() {
    long mBlocks = LoopRenderer.ceilDiv(p.m(), blockM);
    long nBlocks = LoopRenderer.ceilDiv(p.n(), blockN);
    boolean oneK = blockK >= p.k();
    String it = "const " + w.indexType() + " ";
    Scope top = w.scope();
    w.line("__local " + vector + " cs[" + blockM * blockN / width + "];");
    w.line("__local " + vector + " bs[" + blockK * vectors + "];");
    if (!leftPlain) {
      w.line("__local " + type + " as[" + blockM * blockK + "];");
    }
    w.line(it + "n0 = (" + w.indexType() + ")get_group_id(0) * " + blockN + ";");
    w.line(it + "m0 = (" + w.indexType() + ")get_group_id(1) * " + blockM + ";");
    w.line(it + "mn = min((" + w.indexType() + ")" + blockM + ", " + p.m() + " - m0);");
    w.line(it + "nn = min((" + w.indexType() + ")" + blockN + ", " + p.n() + " - n0);");
    w.open(false, p.c().batch());
    w.line(it + "batch = (" + w.indexType() + ")get_group_id(2);");
    w.decode("batch", p.c().batch());
    w.open(false, List.of());
    w.line(
        it
            + "kn = "
            + (oneK
                ? Long.toString(p.k())
                : "min((" + w.indexType() + ")" + blockK + ", " + p.k() + " - k0)")
            + ";");
    if (!leftPlain) {
      packLeft();
    }
    w.open(false, List.of());
    packRight();
    tile(oneK);
    w.close(count("pn", "0", "nn", panel));
    w.close(count("k0", "0", Long.toString(p.k()), blockK));
    epilogue();
    // The batch scope is a plain block.
    w.close("");
    return new Draft(
        top,
        new long[] {nBlocks, mBlocks, p.batch()},
        new long[] {1, 1, 1},
        "product "
            + blockM
            + "x"
            + blockN
            + "x"
            + blockK
            + " tile "
            + rows
            + "x"
            + panel
            + (leftPlain ? "" : " packed"),
        "__attribute__((reqd_work_group_size(1, 1, 1)))\n");
  }

  private String count(String i, String from, String to, long step) {
    return "for ("
        + w.indexType()
        + " "
        + i
        + " = "
        + from
        + "; "
        + i
        + " < "
        + to
        + "; "
        + i
        + " += "
        + step
        + ")";
  }

  /** Defines a loop group's variables from an offset, in the open block. */
  private void define(List<Loop> loops, String value) {
    if (loops.size() == 1) {
      w.line("const " + w.indexType() + " " + Writer.name(loops.getFirst()) + " = " + value + ";");
    } else {
      w.decode("(" + value + ")", loops);
    }
  }

  private static List<Loop> join(List<Loop> a, List<Loop> b) {
    List<Loop> out = new ArrayList<>(a);
    out.addAll(b);
    return out;
  }

  /** Left block: rows of k, or rows of m where the operand is contiguous along m. */
  private void packLeft() {
    List<Loop> outer = leftByK ? p.c().m() : p.c().k();
    List<Loop> inner = leftByK ? p.c().k() : p.c().m();
    String outerAt = leftByK ? "m0 + x" : "k0 + x";
    String innerAt = leftByK ? "k0 + y" : "m0 + y";
    String innerEnd = leftByK ? "kn" : "mn";
    long row = leftByK ? blockK : blockM;
    boolean vec =
        inner.size() == 1
            && inner.getFirst().extent() >= width
            && Product.vectorises(w, p.c().lhs(), inner);
    w.open(false, outer);
    define(outer, outerAt);
    w.line("int y = 0;");
    if (vec) {
      w.open(false, inner);
      define(inner, innerAt);
      w.lanes(inner.getFirst(), width, false);
      String v = w.vector(p.c().lhs());
      w.line("vstore" + width + "(" + v + ", 0, as + x * " + row + " + y);");
      w.lanes(null, 1, false);
      w.close("for (; y + " + (width - 1) + " < " + innerEnd + "; y += " + width + ")");
    }
    if (!vec || inner.getFirst().extent() % width != 0 || row % width != 0) {
      w.open(false, inner);
      define(inner, innerAt);
      w.line("as[x * " + row + " + y] = " + w.emit(p.c().lhs()) + ";");
      w.close("for (; y < " + innerEnd + "; y++)");
    }
    w.close("for (int x = 0; x < " + (leftByK ? "mn" : "kn") + "; x++)");
  }

  /** One panel of the right operand: k rows of a few vectors, zero beyond the matrix. */
  private void packRight() {
    List<Loop> n = p.c().n();
    List<Loop> k = p.c().k();
    Expr side = p.c().rhs();
    boolean vec = n.size() == 1 && p.n() >= width && Product.vectorises(w, side, n);
    w.line("__local " + type + " *b = (__local " + type + " *)bs;");
    w.line("const int pw = min(" + panel + ", (int)(nn - pn));");
    if (vec) {
      w.open(false, k);
      define(k, "k0 + x");
      for (int u = 0; u < vectors; u++) {
        w.open(false, n);
        define(n, "n0 + pn + " + u * width);
        w.lanes(n.getFirst(), width, false);
        w.line("bs[x * " + vectors + " + " + u + "] = " + w.vector(side) + ";");
        w.lanes(null, 1, false);
        w.close("");
      }
      w.close("if (pw == " + panel + ") for (int x = 0; x < kn; x++)");
    } else if (transposes(side)) {
      packTransposed(side);
    }
    boolean whole = vec || transposes(side);
    if (whole && p.n() % panel == 0) {
      return;
    }
    w.open(false, k);
    define(k, "k0 + x");
    w.open(false, n);
    define(n, "n0 + pn + y");
    w.line("b[x * " + panel + " + y] = " + w.emit(side) + ";");
    w.close("for (int y = 0; y < pw; y++)");
    w.line("for (int y = pw; y < " + panel + "; y++) b[x * " + panel + " + y] = 0;");
    w.close((whole ? "else " : "") + "for (int x = 0; x < kn; x++)");
  }

  /**
   * Whether the right operand is contiguous along k, so that blocks of it are transposed in
   * registers.
   */
  private boolean transposes(Expr side) {
    return p.c().n().size() == 1
        && p.c().k().size() == 1
        && p.n() >= width
        && p.k() >= 4
        && !Product.vectorises(w, side, p.c().n())
        && Product.vectorises(w, side, p.c().k());
  }

  private void packTransposed(Expr side) {
    Loop k = p.c().k().getFirst();
    Loop n = p.c().n().getFirst();
    String four = ScalarText.type(t, 4);
    w.open(true, List.of());
    w.open(false, List.of());
    w.line("int x = 0;");
    w.open(false, List.of(k));
    define(List.of(k), "k0 + x");
    List<String> parts = new ArrayList<>();
    for (int q = 0; q < 4; q++) {
      w.line(four + " r" + q + ";");
      w.open(false, List.of(n));
      define(List.of(n), "n0 + pn + y + " + q);
      w.lanes(k, 4, false);
      w.line("r" + q + " = " + w.vector(side) + ";");
      w.lanes(null, 1, false);
      w.close("");
      parts.add("r" + q);
    }
    for (int q = 0; q < 4; q++) {
      StringBuilder s = new StringBuilder("(" + four + ")(");
      for (int i = 0; i < 4; i++) {
        s.append(i == 0 ? "" : ", ").append(parts.get(i)).append(".s").append(q);
      }
      w.line("vstore4(" + s + "), 0, b + (x + " + q + ") * " + panel + " + y);");
    }
    w.close("for (; x + 3 < kn; x += 4)");
    w.open(false, List.of(k));
    define(List.of(k), "k0 + x");
    for (int q = 0; q < 4; q++) {
      w.open(false, List.of(n));
      define(List.of(n), "n0 + pn + y + " + q);
      w.line("b[x * " + panel + " + y + " + q + "] = " + w.emit(side) + ";");
      w.close("");
    }
    w.close("for (; x < kn; x++)");
    w.close("for (int y = 0; y < " + panel + "; y += 4)");
    w.close("if (pw == " + panel + ")");
  }

  /** All register tiles of one panel. */
  private void tile(boolean oneK) {
    w.open(false, List.of());
    for (int i = 0; i < rows; i++) {
      String at = i == 0 ? "tm" : "min(tm + " + i + ", (int)mn - 1)";
      if (leftPlain) {
        Expr.Load l = (Expr.Load) p.c().lhs();
        w.line("const __global " + type + " *a" + i + ";");
        w.open(false, join(p.c().m(), p.c().k()));
        define(p.c().m(), "m0 + " + at);
        define(p.c().k(), "k0");
        w.line("a" + i + " = p" + l.param() + " + " + w.index(l.index(), 0) + ";");
        w.close("");
      } else {
        w.line(
            "const __local "
                + type
                + " *a"
                + i
                + " = as + "
                + at
                + (leftByK ? " * " + blockK : "")
                + ";");
      }
    }
    long step =
        leftPlain ? Product.stride(p.c().lhs(), p.c().k().getFirst()) : leftByK ? 1 : blockM;
    for (int i = 0; i < rows; i++) {
      for (int u = 0; u < vectors; u++) {
        w.line(vector + " c" + i + "_" + u + " = (" + vector + ")(0);");
      }
    }
    w.open(false, List.of());
    for (int u = 0; u < vectors; u++) {
      w.line("const " + vector + " b" + u + " = bs[k * " + vectors + " + " + u + "];");
    }
    for (int i = 0; i < rows; i++) {
      w.line(
          "const "
              + vector
              + " l"
              + i
              + " = ("
              + vector
              + ")(a"
              + i
              + "[k"
              + (step == 1 ? "" : " * " + step)
              + "]);");
      for (int u = 0; u < vectors; u++) {
        String c = "c" + i + "_" + u;
        w.line(c + " = " + Product.multiplyAdd(t, target.fma32(), "l" + i, "b" + u, c) + ";");
      }
    }
    w.close("for (" + w.indexType() + " k = 0; k < kn; k++)");
    w.line("__local " + vector + " *c = cs + (tm * " + blockN + " + pn) / " + width + ";");
    for (int i = 0; i < rows; i++) {
      for (int u = 0; u < vectors; u++) {
        String at = "c[" + (i * blockN / width + u) + "]";
        String v = "c" + i + "_" + u;
        w.line(at + " = " + (oneK ? v : "k0 == 0 ? " + v + " : " + at + " + " + v) + ";");
      }
    }
    w.close("for (int tm = 0; tm < mn; tm += " + rows + ")");
  }

  /** Stores of the block's elements, each with its sum as accumulator 0. */
  private void epilogue() {
    List<Loop> n = p.c().n();
    w.open(false, p.c().m());
    define(p.c().m(), "m0 + x");
    w.line("__local " + type + " *c = (__local " + type + " *)cs + x * " + blockN + ";");
    w.line("int y = 0;");
    boolean vec =
        n.size() == 1
            && Access.of(w, kernel.phases().subList(1, 2), n.getFirst(), true).worthLanes();
    if (vec) {
      w.open(false, n);
      w.scope().accs.set(0);
      define(n, "n0 + y");
      w.line("const " + vector + " " + Writer.acc(0) + " = vload" + width + "(0, c + y);");
      w.lanes(n.getFirst(), width, true);
      w.stores(p.stores());
      w.lanes(null, 1, false);
      w.close("for (; y + " + (width - 1) + " < nn; y += " + width + ")");
    }
    if (!vec || p.n() % width != 0) {
      w.open(false, n);
      w.scope().accs.set(0);
      define(n, "n0 + y");
      w.line("const " + type + " " + Writer.acc(0) + " = c[y];");
      w.stores(p.stores());
      w.close("for (; y < nn; y++)");
    }
    w.close("for (int x = 0; x < mn; x++)");
  }
}
