package tapedeck.bench.draw;

import java.util.Arrays;
import java.util.List;

/** Draws a graph with box-drawing characters: values above the edges, gradients below. */
public final class TextPainter {
  private static final int UP = 1;
  private static final int DOWN = 2;
  private static final int LEFT = 4;
  private static final int RIGHT = 8;

  /** Characters by the sum of the directions in which a line leaves them. */
  private static final String LINES = " │││─┘┐┤─└┌├─┴┬┼";

  private final Layout layout;
  private final char[][] text;
  private final int[][] lines;

  private TextPainter(Layout layout) {
    this.layout = layout;
    this.text = new char[layout.height][layout.width];
    this.lines = new int[layout.height][layout.width];
    for (char[] row : text) {
      Arrays.fill(row, ' ');
    }
  }

  /** The drawing, with its title as the first line. */
  public static String paint(Graph graph) {
    TextPainter p = new TextPainter(new Layout(graph));
    p.edges();
    p.nodes();
    StringBuilder s = new StringBuilder(graph.title()).append("\n\n");
    for (int y = 0; y < p.text.length; y++) {
      StringBuilder row = new StringBuilder();
      for (int x = 0; x < p.text[y].length; x++) {
        row.append(p.text[y][x] != ' ' ? p.text[y][x] : LINES.charAt(p.lines[y][x]));
      }
      s.append(row.toString().stripTrailing()).append('\n');
    }
    return s.toString();
  }

  private void horizontal(int y, int from, int to) {
    for (int x = from; x <= to; x++) {
      lines[y][x] |= (x > from ? LEFT : 0) | (x < to ? RIGHT : 0);
    }
  }

  private void edges() {
    for (List<Layout.Cell> column : layout.columns) {
      for (Layout.Cell c : column) {
        boolean used = layout.nets.stream().anyMatch(n -> n.from() == c);
        horizontal(
            c.row, layout.columnX[c.column] + c.box, layout.gapX[c.column] + (used ? 0 : -1));
      }
    }
    for (Layout.Net n : layout.nets) {
      int start = layout.gapX[n.gap()];
      int end = layout.columnX[n.gap() + 1];
      int x = start + n.track();
      horizontal(n.from().row, start - 1, n.isStraight() ? end : x);
      if (!n.isStraight()) {
        n.rows().forEach(row -> horizontal(row, x, end));
      }
    }
    for (Layout.Net n : layout.nets) {
      if (!n.isStraight()) {
        vertical(n, layout.gapX[n.gap()] + n.track());
      }
    }
  }

  private void vertical(Layout.Net n, int x) {
    for (int y = n.top(); y <= n.bottom(); y++) {
      boolean own = y == n.from().row || n.rows().contains(y);
      int through = (y > n.top() ? UP : 0) | (y < n.bottom() ? DOWN : 0);
      // A value that only crosses another one is drawn over it, without a knot.
      lines[y][x] = own ? lines[y][x] | through : through;
    }
  }

  private void nodes() {
    for (List<Layout.Cell> column : layout.columns) {
      for (Layout.Cell c : column) {
        if (!c.passes()) {
          node(c);
        }
      }
    }
  }

  private void node(Layout.Cell c) {
    Graph.Node n = layout.graph.nodes().get(c.node);
    int x = layout.columnX[c.column];
    if (n.isInput()) {
      write(c.row, x, n.label());
    } else {
      write(c.row, x + 2, n.label());
      for (int y = c.row - c.ports / 2; y <= c.row + c.ports / 2; y++) {
        lines[y][x] = UP | DOWN;
        lines[y][x + c.box - 1] = UP | DOWN;
      }
      for (int port = 0; port < c.ports; port++) {
        lines[c.portRow(port)][x] = UP | DOWN | LEFT;
      }
      lines[c.row][x + c.box - 1] = UP | DOWN | RIGHT;
    }
    for (int i = 0; i < n.value().size(); i++) {
      write(c.row - n.value().size() + i, x + c.box + 1, n.value().get(i));
    }
    for (int i = 0; i < n.gradient().size(); i++) {
      write(c.row + 1 + i, x + c.box + 1, n.gradient().get(i));
    }
  }

  private void write(int y, int x, String s) {
    for (int i = 0; i < s.length(); i++) {
      text[y][x + i] = s.charAt(i);
    }
  }
}
