package tapedeck.bench.draw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class DrawTest {
  private static Graph.Node node(
      String label, List<Integer> inputs, String value, String gradient) {
    return new Graph.Node(label, inputs, List.of(value), List.of(gradient));
  }

  private static Graph sumTimesZ() {
    return new Graph(
        "f = (x + y)·z",
        List.of(
            node("x", List.of(), "5", "4"),
            node("y", List.of(), "-2", "4"),
            node("z", List.of(), "4", "3"),
            node("+", List.of(0, 1), "3", "4"),
            node("·", List.of(3, 2), "12", "1")));
  }

  @Test
  void textOfASmallGraph() {
    assertEquals(
        """
        f = (x + y)·z

           5
        x ─────┐
           4   └───┤   │ 3
                   │ + ├────┐
           -2    ┌─┤   │ 4  └───┤   │ 12
        y ───────┘              │ · ├────
           4          4       ┌─┤   │ 1
                   z ─────────┘
                      3
        """,
        TextPainter.paint(sumTimesZ()));
  }

  /**
   * Random graphs whose labels are all different; a label that anything overlaps would not be found
   * whole.
   */
  private static Graph random(Random r) {
    List<Graph.Node> nodes = new ArrayList<>();
    int n = 3 + r.nextInt(25);
    for (int i = 0; i < n; i++) {
      List<Integer> inputs = new ArrayList<>();
      for (int k = i < 2 ? 0 : r.nextInt(4); k > 0; k--) {
        inputs.add(Math.max(0, i - 1 - r.nextInt(i)));
      }
      List<String> value = new ArrayList<>();
      for (int k = r.nextInt(4); k >= 0; k--) {
        value.add("<v" + i + "." + k + ">");
      }
      nodes.add(new Graph.Node("<op" + i + ">", inputs, value, List.of("<g" + i + ">")));
    }
    return new Graph("random", nodes);
  }

  @Test
  void labelsAreNeverOverlapped() {
    for (int seed = 0; seed < 300; seed++) {
      Graph g = random(new Random(seed));
      String text = TextPainter.paint(g);
      for (Graph.Node n : g.nodes()) {
        assertTrue(text.contains(n.label()), "seed " + seed + ": " + n.label() + "\n" + text);
        n.value().forEach(v -> assertTrue(text.contains(v), v + "\n" + text));
        n.gradient().forEach(v -> assertTrue(text.contains(v), v + "\n" + text));
      }
    }
  }

  /**
   * In the drawing every operand reaches its operation: as many lines end at boxes as there are
   * operands.
   */
  @Test
  void everyOperandArrives() {
    for (int seed = 0; seed < 300; seed++) {
      Graph g = random(new Random(seed));
      Layout layout = new Layout(g);
      for (List<Layout.Cell> column : layout.columns) {
        for (Layout.Cell c : column) {
          for (int port = 0; port < c.sources.size(); port++) {
            Layout.Cell source = c.sources.get(port);
            int row = c.portRow(port);
            assertTrue(
                layout.nets.stream().anyMatch(n -> n.from() == source && n.rows().contains(row)),
                "seed " + seed);
          }
        }
      }
    }
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  @Test
  void svgHasValuesAboveAndGradientsBelowTheEdges() throws Exception {
    Document d = parse(SvgPainter.paint(sumTimesZ()));
    NodeList texts = d.getElementsByTagName("text");
    assertEquals("3", at(texts, "#0b6b2e", "3").getTextContent());
    int value = Integer.parseInt(at(texts, "#0b6b2e", "12").getAttribute("y"));
    int gradient = Integer.parseInt(at(texts, "#b3261e", "1").getAttribute("y"));
    int box = Integer.parseInt(at(texts, "#111", "·").getAttribute("y"));
    assertTrue(value < box && box < gradient, value + " " + box + " " + gradient);
    double width = Double.parseDouble(d.getDocumentElement().getAttribute("width"));
    for (int i = 0; i < texts.getLength(); i++) {
      Element e = (Element) texts.item(i);
      String length = e.getAttribute("textLength");
      double end = Double.parseDouble(e.getAttribute("x"));
      end += length.isEmpty() ? 0 : Double.parseDouble(length);
      assertTrue(end <= width, e.getTextContent() + " ends at " + end + " of " + width);
    }
  }

  private static Element at(NodeList texts, String colour, String content) {
    for (int i = 0; i < texts.getLength(); i++) {
      Element e = (Element) texts.item(i);
      if (e.getAttribute("fill").equals(colour) && e.getTextContent().equals(content)) {
        return e;
      }
    }
    throw new AssertionError("no text " + content + " in " + colour);
  }

  @Test
  void svgEscapesItsText() throws Exception {
    Graph g = new Graph("a < b & c", List.of(node("<x>", List.of(), "&", "<")));
    Document d = parse(SvgPainter.paint(g));
    assertEquals("a < b & c", d.getElementsByTagName("title").item(0).getTextContent());
  }

  @Test
  void anInputMustComeBeforeItsUse() {
    List<Graph.Node> nodes = List.of(node("f", List.of(0), "", ""));
    assertThrows(IllegalArgumentException.class, () -> new Graph("loop", nodes));
  }

  @Test
  void numbersHaveFourDigits() {
    assertEquals("0.088", TracedGraph.number(0.088));
    assertEquals("12", TracedGraph.number(12));
    assertEquals("0", TracedGraph.number(-0.0));
    assertEquals("1.235e+07", TracedGraph.number(12345678));
    assertEquals("100", TracedGraph.number(100));
  }
}
