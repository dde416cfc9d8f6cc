package tapedeck.bench.adbench;

/**
 * A Jacobian by compressed rows.
 *
 * @param rows nrows + 1 offsets into columns and values
 */
public record SparseJacobian(int nrows, int ncols, int[] rows, int[] columns, double[] values) {}
