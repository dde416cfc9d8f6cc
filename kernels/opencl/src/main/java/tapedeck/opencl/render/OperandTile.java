package tapedeck.opencl.render;

import java.util.ArrayList;
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

  /** Elements along k in one word of local memory. */
  private final int perWord;

  /** Neighbours along k that a work-item loads one after the other to fill its words. */
  private final int halves;

  /**
   * @param size rows or columns of the result that a tile covers
   * @param depth elements of k that it covers
   * @param group work-items that load it together
   * @param padding elements after each row in local memory, where rows are of one k
   * @param either whether a tile may also lie in local memory with k innermost, where that is the
   *     order of global memory
   * @param packed whether local memory holds words of two bfloat16 that are neighbours along k
   */
  OperandTile(
      Writer w,
      Product p,
      boolean left,
      int size,
      int depth,
      int group,
      int padding,
      boolean either,
      boolean packed) {
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
    this.perWord = packed ? 2 : 1;
    this.pitch = rowsOfK ? size + padding : depth / perWord + 4;
    List<Loop> fast = alongK ? p.c().k() : loops;
    int wide = 16 / p.dtype().bytes();
    boolean vectors =
        fast.size() == 1
            && fast.getFirst().extent() % wide == 0
            && size * depth % (group * wide * (alongK ? 1 : perWord)) == 0
            && Product.vectorises(w, side, fast);
    this.lanes = vectors ? wide : 1;
    this.halves = alongK && vectors ? 1 : perWord;
  }

  private String name() {
    return left ? "a" : "b";
  }

  /** Elements, or words, of local memory for one tile. */
  int elements() {
    return rowsOfK ? depth / perWord * pitch : size * pitch;
  }

  /** Distance in local memory of neighbours along k, or of their words. */
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
            + (perWord > 1 ? "uint" : ScalarText.type(p.dtype(), 1))
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
    int wide = alongK ? lanes * halves : lanes;
    int fast = (alongK ? depth : size) / wide;
    String times = wide > 1 ? " * " + wide : "";
    String rows = !alongK && halves > 1 ? " * " + halves : "";
    w.line("const int u = lid + v * " + group + ";");
    w.line("const int x = u " + (alongK ? "/ " + fast : "% " + fast + times) + ";");
    w.line("const int y = u " + (alongK ? "% " + fast + times : "/ " + fast + rows) + ";");
  }

  private void close() {
    w.close("for (int v = 0; v < " + rounds() / halves + "; v++)");
  }

  /** Loads the tile at m0 or n0 and k0 into registers; elements beyond the matrix are zero. */
  void load() {
    String to = "r" + name() + (halves > 1 ? "[v * " + halves + " + h]" : "[v]");
    String x = (left ? "m0" : "n0") + " + x";
    String y = "k0 + y" + (halves > 1 ? " + h" : "");
    open();
    if (halves > 1) {
      w.line("#pragma unroll");
      w.open(false, List.of());
    }
    w.line(to + " = 0;");
    w.open(true, loops);
    for (Loop l : p.c().k()) {
      w.scope().loops.set(l.id());
    }
    w.define(loops, x);
    w.define(p.c().k(), y);
    if (lanes > 1) {
      w.lanes((alongK ? p.c().k() : loops).getFirst(), lanes, false);
      w.line(to + " = " + w.vector(side) + ";");
      w.lanes(null, 1, false);
    } else {
      w.line(to + " = " + w.emit(side) + ";");
    }
    String inside = inside(x, left ? p.m() : p.n(), size) + " && " + inside(y, p.k(), depth);
    w.close("if (" + inside + ")");
    if (halves > 1) {
      w.close("for (int h = 0; h < " + halves + "; h++)");
    }
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
    if (perWord > 1) {
      keepWords(first);
      return;
    }
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

  /** Writes the tile as words of two bfloat16. */
  private void keepWords(String first) {
    open();
    String at = name() + "s[" + first + "x * " + stride() + " + y / 2 * " + strideOfK() + "]";
    List<String> words = new ArrayList<>();
    if (halves == 1) {
      String r = "r" + name() + "[v].s";
      for (int q = 0; q < lanes; q += 2) {
        words.add(TensorCores.pack(r + q, r + (q + 1)));
      }
    } else {
      String r = "r" + name() + "[v * 2";
      for (int q = 0; q < lanes; q++) {
        String part = lanes > 1 ? ".s" + q : "";
        words.add(TensorCores.pack(r + "]" + part, r + " + 1]" + part));
      }
    }
    String type = "uint" + (words.size() > 1 ? words.size() : "");
    w.line(
        "*(__local "
            + type
            + " *)(&"
            + at
            + ") = ("
            + type
            + ")("
            + String.join(", ", words)
            + ");");
    close();
  }
}
