package tapedeck.opencl.render;

import java.util.List;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Loop;

/**
 * Tile of one operand of a product on its way to local memory. The operand's expression is
 * evaluated in the order in which memory is contiguous, 16 bytes at a time where that is possible,
 * into registers; from there the tile goes to local memory.
 */
final class OperandTile {
  private final Writer w;
  private final Product p;
  private final boolean left;
  private final Expr side;
  private final List<Loop> loops;
  private final int size;
  private final int depth;
  private final int group;
  private final int lanes;
  private final boolean alongK;
  private final boolean rowsOfK;
  private final int pitch;

  /**
   * @param size rows or columns of the result that a tile covers
   * @param depth elements of k that it covers
   * @param group work-items that load it together
   * @param padding elements after each row in local memory, where rows are of one k
   * @param either whether a tile may also lie in local memory with k innermost, where that is the
   *     order of global memory
   */
  OperandTile(
      Writer w,
      Product p,
      boolean left,
      int size,
      int depth,
      int group,
      int padding,
      boolean either) {
    this.w = w;
    this.p = p;
    this.left = left;
    this.side = left ? p.c().lhs() : p.c().rhs();
    this.loops = left ? p.c().m() : p.c().n();
    this.size = size;
    this.depth = depth;
    this.group = group;
    this.alongK =
        Product.contiguous(w, side, p.c().k()) && !Product.contiguous(w, side, this.loops);
    this.rowsOfK = !(either && alongK);
    this.pitch = rowsOfK ? size + padding : depth + 4;
    List<Loop> fast = alongK ? p.c().k() : loops;
    int wide = 16 / p.dtype().bytes();
    boolean vectors =
        fast.size() == 1
            && fast.getFirst().extent() % wide == 0
            && size * depth % (group * wide) == 0
            && Product.vectorises(w, side, fast);
    this.lanes = vectors ? wide : 1;
  }

  private String name() {
    return left ? "a" : "b";
  }

  /** Elements of local memory for one tile. */
  int elements() {
    return rowsOfK ? depth * pitch : size * pitch;
  }

  /** Distance in local memory of neighbours along k. */
  int strideOfK() {
    return rowsOfK ? pitch : 1;
  }

  /** Distance in local memory of neighbours along m or n. */
  int stride() {
    return rowsOfK ? 1 : pitch;
  }

  private int rounds() {
    return size * depth / (group * lanes);
  }

  /** Declares local memory for some tiles, before any block that is not the kernel's own. */
  void declareTiles(int tiles) {
    w.line(
        "__local "
            + ScalarText.type(p.dtype(), 1)
            + " "
            + name()
            + "s["
            + tiles * elements()
            + "] __attribute__((aligned(16)));");
  }

  void declareRegisters() {
    w.line(ScalarText.type(p.dtype(), lanes) + " r" + name() + "[" + rounds() + "];");
  }

  /** Opens a loop over this work-item's vectors; x and y are the first one's place in the tile. */
  private void open() {
    w.line("#pragma unroll");
    w.open(false, List.of());
    int fast = (alongK ? depth : size) / lanes;
    String times = lanes > 1 ? " * " + lanes : "";
    w.line("const int u = lid + v * " + group + ";");
    w.line("const int x = u " + (alongK ? "/ " + fast : "% " + fast + times) + ";");
    w.line("const int y = u " + (alongK ? "% " + fast + times : "/ " + fast) + ";");
  }

  private void close() {
    w.close("for (int v = 0; v < " + rounds() + "; v++)");
  }

  /** Loads the tile at m0 or n0 and k0 into registers; elements beyond the matrix are zero. */
  void load() {
    String to = "r" + name() + "[v]";
    String x = (left ? "m0" : "n0") + " + x";
    open();
    w.line(to + " = 0;");
    w.open(true, loops);
    for (Loop l : p.c().k()) {
      w.scope().loops.set(l.id());
    }
    w.define(loops, x);
    w.define(p.c().k(), "k0 + y");
    if (lanes > 1) {
      w.lanes((alongK ? p.c().k() : loops).getFirst(), lanes, false);
      w.line(to + " = " + w.vector(side) + ";");
      w.lanes(null, 1, false);
    } else {
      w.line(to + " = " + w.emit(side) + ";");
    }
    String inside = inside(x, left ? p.m() : p.n(), size) + " && " + inside("k0 + y", p.k(), depth);
    w.close("if (" + inside + ")");
    close();
  }

  /** A condition for an index that runs in whole tiles, beyond the extent too. */
  static String inside(String at, long extent, long tile) {
    return extent % tile == 0 ? "1" : at + " < " + extent;
  }

  /**
   * Writes the tile from registers to local memory.
   *
   * @param first text of the tile's place in local memory, followed by a plus; empty for the start
   * @param rounded whether each element is rounded to TensorFloat-32
   */
  void keep(String first, boolean rounded) {
    String r = "r" + name() + "[v]";
    open();
    String at = name() + "s[" + first + "x * " + stride() + " + y * " + strideOfK();
    String value = rounded ? TensorCores.round(r, lanes) : r;
    if (lanes > 1 && alongK != rowsOfK) {
      String type = ScalarText.type(p.dtype(), lanes);
      w.line("*(__local " + type + " *)(&" + at + "]) = " + value + ";");
    } else if (lanes > 1) {
      w.line("const " + ScalarText.type(p.dtype(), lanes) + " e = " + value + ";");
      for (int q = 0; q < lanes; q++) {
        int step = q * (alongK ? strideOfK() : stride());
        w.line(at + " + " + step + "] = e.s" + q + ";");
      }
    } else {
      w.line(at + "] = " + value + ";");
    }
    close();
  }
}
