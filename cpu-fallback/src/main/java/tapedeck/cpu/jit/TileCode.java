package tapedeck.cpu.jit;

/** Layout of the {@code tile} argument of {@link KernelCode#run} for parts of a matrix product. */
final class TileCode {
  /** Position in the flattened batch. */
  static final int BATCH = 0;

  /** First row of the tile in the whole matrix. */
  static final int ROW = 1;

  /** First column of the tile in the whole matrix. */
  static final int COLUMN = 2;

  /** Number of columns. */
  static final int COLUMNS = 3;

  /** Address of the dense row-major tile. */
  static final int ADDRESS = 4;

  /** Elements from one row of the tile to the next. */
  static final int STRIDE = 5;

  static final int LENGTH = 6;

  private TileCode() {}
}
