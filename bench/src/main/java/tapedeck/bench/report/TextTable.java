package tapedeck.bench.report;

import java.util.ArrayList;
import java.util.List;

/** A table for the terminal: the first column to the left, the others to the right. */
public final class TextTable {
  private final List<String[]> rows = new ArrayList<>();

  public TextTable(String... header) {
    rows.add(header.clone());
  }

  /** Adds a row with a cell for each column. */
  public TextTable row(String... cells) {
    if (cells.length != rows.get(0).length) {
      throw new IllegalArgumentException(
          "[table] " + cells.length + " cells for " + rows.get(0).length);
    }
    rows.add(cells.clone());
    return this;
  }

  /** Number of rows below the header. */
  public int rows() {
    return rows.size() - 1;
  }

  @Override
  public String toString() {
    int columns = rows.get(0).length;
    int[] width = new int[columns];
    for (String[] r : rows) {
      for (int c = 0; c < columns; c++) {
        width[c] = Math.max(width[c], r[c].length());
      }
    }
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      line(s, rows.get(i), width);
      if (i == 0) {
        for (int c = 0; c < columns; c++) {
          s.append(c == 0 ? "" : "  ").append("-".repeat(width[c]));
        }
        s.append('\n');
      }
    }
    return s.toString();
  }

  private static void line(StringBuilder s, String[] cells, int[] width) {
    StringBuilder line = new StringBuilder();
    for (int c = 0; c < cells.length; c++) {
      String pad = " ".repeat(width[c] - cells[c].length());
      line.append(c == 0 ? cells[c] + pad : "  " + pad + cells[c]);
    }
    s.append(line.toString().stripTrailing()).append('\n');
  }
}
