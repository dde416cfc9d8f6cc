package tapedeck.bench.draw;

import java.util.List;
import java.util.Locale;

/** Draws a graph as SVG: values above the edges, gradients below. */
public final class SvgPainter {
  private static final int CHAR = 8;
  private static final int LINE = 20;
  private static final int MARGIN = 16;
  private static final int HEADING = 84;
  private static final String VALUE = "#0b6b2e";
  private static final String GRADIENT = "#b3261e";
  private static final String VALUE_LEGEND = "value above the edge";
  private static final String GRADIENT_LEGEND = "gradient below it";

  private final Layout layout;
  private final StringBuilder svg = new StringBuilder();

  private SvgPainter(Layout layout) {
    this.layout = layout;
  }

  /** The drawing as a complete SVG document. */
  public static String paint(Graph graph) {
    SvgPainter p = new SvgPainter(new Layout(graph));
    p.document();
    return p.svg.toString();
  }

  private static int x(int column) {
    return MARGIN + column * CHAR;
  }

  private static int y(int row) {
    return HEADING + row * LINE + LINE / 2;
  }

  private void document() {
    int gradientLegend = MARGIN + (VALUE_LEGEND.length() + 2) * CHAR;
    int heading =
        Math.max(
            MARGIN + 9 * layout.graph.title().length(),
            gradientLegend + GRADIENT_LEGEND.length() * CHAR);
    int width = Math.max(x(layout.width), heading) + MARGIN;
    int height = HEADING + layout.height * LINE + MARGIN;
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\"",
        width, height, width, height);
    add(" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\">\n");
    add("<title>%s</title>\n", escape(layout.graph.title()));
    add("<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
    text(MARGIN, 30, "#111", "font-size=\"15\"", layout.graph.title());
    text(MARGIN, 54, VALUE, "", VALUE_LEGEND);
    text(gradientLegend, 54, GRADIENT, "", GRADIENT_LEGEND);
    add("<g fill=\"none\" stroke=\"#555\" stroke-width=\"1.4\">\n");
    edges();
    add("</g>\n");
    for (List<Layout.Cell> column : layout.columns) {
      for (Layout.Cell c : column) {
        if (!c.passes()) {
          node(c);
        }
      }
    }
    add("</svg>\n");
  }

  private void edges() {
    for (List<Layout.Cell> column : layout.columns) {
      for (Layout.Cell c : column) {
        add(
            "<path d=\"M%d %dH%d\"/>\n",
            x(layout.columnX[c.column] + c.box), y(c.row), x(layout.gapX[c.column]));
      }
    }
    for (Layout.Net n : layout.nets) {
      int track = x(layout.gapX[n.gap()] + n.track());
      for (int row : n.rows()) {
        add(
            "<path d=\"M%d %dH%dV%dH%d\"/>\n",
            x(layout.gapX[n.gap()]),
            y(n.from().row),
            track,
            y(row),
            x(layout.columnX[n.gap() + 1]));
      }
      if (n.rows().size() > 1) {
        add("<circle cx=\"%d\" cy=\"%d\" r=\"3\" fill=\"#555\"/>\n", track, y(n.from().row));
      }
    }
  }

  private void node(Layout.Cell c) {
    Graph.Node n = layout.graph.nodes().get(c.node);
    int left = layout.columnX[c.column];
    if (n.isInput()) {
      text(x(left), y(c.row) + 5, "#111", "font-weight=\"bold\"", n.label());
    } else {
      int half = c.ports / 2;
      add(
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#eef3fb\" stroke=\"#3b5b92\"/>\n",
          x(left), y(c.row - half) - LINE / 2 + 1, c.box * CHAR, (2 * half + 1) * LINE - 2);
      text(x(left + 2), y(c.row) + 5, "#111", "", n.label());
    }
    int lines = n.value().size();
    for (int i = 0; i < lines; i++) {
      text(x(left + c.box + 1), y(c.row - lines + i) + 6, VALUE, "", n.value().get(i));
    }
    for (int i = 0; i < n.gradient().size(); i++) {
      text(x(left + c.box + 1), y(c.row + 1 + i) + 4, GRADIENT, "", n.gradient().get(i));
    }
  }

  /** A text as long as its characters' cells, whatever the font. */
  private void text(int x, int y, String colour, String more, String s) {
    add("<text x=\"%d\" y=\"%d\" fill=\"%s\" %s xml:space=\"preserve\"", x, y, colour, more);
    if (!more.contains("size")) {
      add(" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"", s.length() * CHAR);
    }
    add(">%s</text>\n", escape(s));
  }

  private void add(String format, Object... args) {
    svg.append(String.format(Locale.ROOT, format, args));
  }

  private static String escape(String s) {
    return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
