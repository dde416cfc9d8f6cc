package tapedeck.cpu.gemm;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The innermost loop of a product: a tile of the result that stays in registers. */
interface Tile {
  /**
   * Writes to c, by rows ld bytes apart, the product of rows of A with columns of B, or adds it.
   * Rows of B lie pitch bytes apart, which is their width where the form has them packed.
   *
   * @param a an array of the element type
   * @param from index of A's first element
   * @param lda elements from row to row of A, where the form lays it by rows
   */
  void run(
      Object a, int from, int lda, int depth, long b, long pitch, long c, long ld, boolean add);

  /**
   * Height in rows and width in vectors of a tile, and where A's elements are.
   *
   * @param byRows whether A lies by rows, lda elements apart, rather than by columns
   * @param packed whether rows of B have no gaps between them
   */
  record Form(boolean f64, boolean byRows, boolean packed, int height, int vectors) {
    private static final Map<Form, Rehearsal<Tile>> TILES = new ConcurrentHashMap<>();

    /** The loop of this form, generated when it is first used. */
    Rehearsal<Tile> tile() {
      return TILES.computeIfAbsent(this, TileWriter::rehearsal);
    }

    /** Elements from one column of A to the next. */
    int step() {
      return byRows ? 1 : columnStep(height);
    }

    /**
     * Elements from one column to the next where A lies by columns of so many rows: a power of two,
     * so that a processor scales an index into A to one of B without an instruction for it.
     */
    static int columnStep(int height) {
      return Integer.highestOneBit(2 * height - 1);
    }
  }
}
