package tapedeck.bench.draw;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Places a graph on a character grid, in columns from left to right (Sugiyama, Tagawa, Toda:
 * Methods for visual understanding of hierarchical system structures, 1981). A node and the labels
 * of its edge have a cell of their own; between two columns every value has a vertical track of its
 * own. So no label meets another or a line, and lines only cross.
 */
final class Layout {
  /** Rows between cells of a column. */
  private static final int GAP = 1;

  private static final int SWEEPS = 8;

  /** A node's place, or that of a value that passes a column on its way. */
  static final class Cell {
    /** Position in the graph. */
    final int node;

    final int column;

    /** Width of the node's box, 0 where the value only passes. */
    final int box;

    final int above;
    final int below;
    final int ports;
    final int width;

    /** Cells of the previous column that feed this one, by port. */
    final List<Cell> sources = new ArrayList<>();

    /** Row of the edge that leaves this cell. */
    int row;

    Cell(Graph graph, int node, int column, boolean passes) {
      Graph.Node n = graph.nodes().get(node);
      this.node = node;
      this.column = column;
      this.ports = passes ? 1 : n.inputs().size();
      this.box = passes ? 0 : n.label().length() + (n.isInput() ? 1 : 4);
      int half = passes ? 0 : ports / 2;
      this.above = passes ? 0 : Math.max(half, n.value().size());
      this.below = passes ? 0 : Math.max(half, n.gradient().size());
      this.width = passes ? 0 : box + 2 + Math.max(longest(n.value()), longest(n.gradient()));
    }

    boolean passes() {
      return box == 0;
    }

    /** Row at which the value for a port arrives; an even number of ports leaves out the middle. */
    int portRow(int port) {
      int offset = port - ports / 2;
      return row + (ports % 2 == 0 && offset >= 0 ? offset + 1 : offset);
    }

    private static int longest(List<String> lines) {
      return lines.stream().mapToInt(String::length).max().orElse(0);
    }
  }

  /**
   * The way of one value through the gap between two columns: from its row to some rows, along a
   * track.
   */
  record Net(Cell from, int gap, List<Integer> rows, int track) {
    int top() {
      return Math.min(from.row, rows.stream().mapToInt(r -> r).min().orElseThrow());
    }

    int bottom() {
      return Math.max(from.row, rows.stream().mapToInt(r -> r).max().orElseThrow());
    }

    boolean isStraight() {
      return top() == bottom();
    }
  }

  final Graph graph;
  final List<List<Cell>> columns = new ArrayList<>();
  final List<Net> nets = new ArrayList<>();

  /** First character of each column, and of the gap behind it. */
  final int[] columnX;

  final int[] gapX;
  final int width;
  final int height;

  Layout(Graph graph) {
    this.graph = graph;
    int[] layer = layers();
    int count = Arrays.stream(layer).max().orElse(-1) + 1;
    for (int c = 0; c < count; c++) {
      columns.add(new ArrayList<>());
    }
    fill(layer);
    order();
    for (List<Cell> column : columns) {
      place(column);
    }
    int top = columns.stream().flatMap(List::stream).mapToInt(c -> c.row - c.above).min().orElse(0);
    columns.forEach(column -> column.forEach(c -> c.row -= top));
    this.height =
        columns.stream().flatMap(List::stream).mapToInt(c -> c.row + c.below + 1).max().orElse(0);
    this.columnX = new int[count];
    this.gapX = new int[count];
    int x = 0;
    for (int c = 0; c < count; c++) {
      columnX[c] = x;
      x += columns.get(c).stream().mapToInt(cell -> cell.width).max().orElse(0);
      gapX[c] = x;
      List<Net> crossing = route(c);
      nets.addAll(crossing);
      x += crossing.stream().mapToInt(n -> n.track + 2).max().orElse(1);
    }
    this.width = x;
  }

  /** Operations as early as possible, inputs right before their first use. */
  private int[] layers() {
    List<Graph.Node> nodes = graph.nodes();
    int[] layer = new int[nodes.size()];
    int[] firstUse = new int[nodes.size()];
    Arrays.fill(firstUse, Integer.MAX_VALUE);
    for (int i = 0; i < layer.length; i++) {
      for (int in : nodes.get(i).inputs()) {
        layer[i] = Math.max(layer[i], layer[in] + 1);
      }
    }
    for (int i = 0; i < layer.length; i++) {
      for (int in : nodes.get(i).inputs()) {
        firstUse[in] = Math.min(firstUse[in], layer[i]);
      }
    }
    for (int i = 0; i < layer.length; i++) {
      if (nodes.get(i).isInput() && firstUse[i] != Integer.MAX_VALUE) {
        layer[i] = firstUse[i] - 1;
      }
    }
    return layer;
  }

  private void fill(int[] layer) {
    Map<Integer, List<Cell>> way = new HashMap<>();
    for (int i = 0; i < layer.length; i++) {
      Cell cell = new Cell(graph, i, layer[i], false);
      columns.get(layer[i]).add(cell);
      way.put(i, new ArrayList<>(List.of(cell)));
      for (int in : graph.nodes().get(i).inputs()) {
        List<Cell> cells = way.get(in);
        while (layer[in] + cells.size() < layer[i]) {
          Cell pass = new Cell(graph, in, layer[in] + cells.size(), true);
          pass.sources.add(cells.getLast());
          columns.get(pass.column).add(pass);
          cells.add(pass);
        }
        cell.sources.add(cells.get(layer[i] - layer[in] - 1));
      }
    }
  }

  /**
   * Orders the columns so that few lines cross: by the mean place of the neighbours, to and fro.
   */
  private void order() {
    List<List<Cell>> best = copy();
    long fewest = crossings();
    for (int sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
      boolean forward = sweep % 2 == 0;
      for (int k = 1; k < columns.size(); k++) {
        int c = forward ? k : columns.size() - 1 - k;
        sort(c, forward);
      }
      long now = crossings();
      if (now < fewest) {
        fewest = now;
        best = copy();
      }
    }
    for (int c = 0; c < columns.size(); c++) {
      columns.set(c, best.get(c));
    }
  }

  private List<List<Cell>> copy() {
    List<List<Cell>> all = new ArrayList<>();
    columns.forEach(c -> all.add(new ArrayList<>(c)));
    return all;
  }

  private void sort(int c, boolean bySources) {
    Map<Cell, Double> key = new HashMap<>();
    List<Cell> column = columns.get(c);
    List<Cell> beside = columns.get(bySources ? c - 1 : c + 1);
    for (Cell cell : column) {
      double sum = 0;
      int n = 0;
      for (int i = 0; i < beside.size(); i++) {
        Cell other = beside.get(i);
        List<Cell> sources = bySources ? cell.sources : other.sources;
        Cell wanted = bySources ? other : cell;
        for (int port = 0; port < sources.size(); port++) {
          if (sources.get(port) == wanted) {
            sum += bySources ? i : i + port / (sources.size() + 1.0);
            n++;
          }
        }
      }
      key.put(cell, n == 0 ? column.indexOf(cell) : sum / n);
    }
    column.sort(Comparator.comparingDouble(key::get));
  }

  private long crossings() {
    long n = 0;
    for (int c = 1; c < columns.size(); c++) {
      List<double[]> lines = new ArrayList<>();
      List<Cell> before = columns.get(c - 1);
      for (int i = 0; i < columns.get(c).size(); i++) {
        List<Cell> sources = columns.get(c).get(i).sources;
        for (int port = 0; port < sources.size(); port++) {
          lines.add(
              new double[] {before.indexOf(sources.get(port)), i + port / (sources.size() + 1.0)});
        }
      }
      for (double[] a : lines) {
        for (double[] b : lines) {
          n += a[0] < b[0] && a[1] > b[1] ? 1 : 0;
        }
      }
    }
    return n;
  }

  /**
   * Rows of a column: each cell at the middle of what feeds it, moved down where the one above is
   * in the way.
   */
  private void place(List<Cell> column) {
    int free = Integer.MIN_VALUE;
    for (Cell cell : column) {
      int wanted =
          cell.sources.isEmpty()
              ? free == Integer.MIN_VALUE ? cell.above : free + cell.above
              : (int)
                  Math.round(cell.sources.stream().mapToInt(s -> s.row).average().orElseThrow());
      cell.row = free == Integer.MIN_VALUE ? wanted : Math.max(wanted, free + cell.above);
      free = cell.row + cell.below + 1 + GAP;
    }
    // Tracks exist unless values would have to turn in a circle of orders; a shift breaks every
    // such circle at last,
    // because then no value arrives in a row that another one leaves.
    int c = column.isEmpty() ? 0 : column.get(0).column;
    int tries = 0;
    while (c > 0 && tracks(wires(c - 1)) == null) {
      if (tries++ > 10_000) {
        throw new IllegalStateException("[draw] no tracks for column " + c);
      }
      column.forEach(cell -> cell.row++);
    }
  }

  private Map<Cell, List<Integer>> wires(int gap) {
    Map<Cell, List<Integer>> wires = new java.util.LinkedHashMap<>();
    if (gap + 1 < columns.size()) {
      for (Cell cell : columns.get(gap + 1)) {
        for (int port = 0; port < cell.sources.size(); port++) {
          wires
              .computeIfAbsent(cell.sources.get(port), _ -> new ArrayList<>())
              .add(cell.portRow(port));
        }
      }
    }
    return wires;
  }

  private List<Net> route(int gap) {
    Map<Cell, List<Integer>> wires = wires(gap);
    Map<Cell, Integer> tracks = tracks(wires);
    List<Net> routed = new ArrayList<>();
    wires.forEach((from, rows) -> routed.add(new Net(from, gap, rows, tracks.get(from))));
    return routed;
  }

  /**
   * A track for each value, such that one that leaves a row turns before another arrives in it;
   * null if none fits.
   */
  private static Map<Cell, Integer> tracks(Map<Cell, List<Integer>> wires) {
    Map<Cell, Integer> track = new HashMap<>();
    List<Cell> left = new ArrayList<>(wires.keySet());
    left.sort(Comparator.comparingInt(cell -> cell.row));
    int next = 1;
    while (!left.isEmpty()) {
      Cell ready = null;
      for (Cell cell : left) {
        boolean waits = false;
        for (Cell other : left) {
          waits |= other != cell && wires.get(cell).contains(other.row);
        }
        if (!waits) {
          ready = cell;
          break;
        }
      }
      if (ready == null) {
        return null;
      }
      track.put(ready, next);
      next += 2;
      left.remove(ready);
    }
    return track;
  }
}
