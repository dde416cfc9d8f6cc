package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.tape.Var;
import tapedeck.ad.type.Shape;

/**
 * A kernel under construction: a loop domain and the variables computed in it. Axes of extent 1
 * have no loop. A member is computed once per grid point (ROW) or once per point of the whole
 * domain (FULL).
 */
final class Group {
  enum Kind {
    MAP,
    REDUCE,
    PRODUCT,
    SCATTER
  }

  enum Level {
    ROW,
    FULL
  }

  /**
   * Longest row that a reduction shares with elementwise work in one kernel; it is read again from
   * cache.
   */
  static final long ROW_LIMIT = 16384;

  /** Most scalar operations in one kernel; beyond, compilers of any backend become slow. */
  static final int OPS_LIMIT = 320;

  /** Most buffers of one kernel; devices limit the arguments of a kernel. */
  static final int BUFFER_LIMIT = 40;

  final int position;
  final List<Loop> domain;
  final Map<Var, Level> members = new LinkedHashMap<>();
  Kind kind;
  boolean[] reduced;
  int ops;

  Group(int position, Kind kind, List<Loop> domain, boolean[] reduced) {
    this.position = position;
    this.kind = kind;
    this.domain = domain;
    this.reduced = reduced;
  }

  /** Loops over the axes that are not 1, numbered from {@code firstId}. */
  static List<Loop> loops(Shape s, int firstId) {
    List<Loop> out = new ArrayList<>();
    for (int i = 0; i < s.rank(); i++) {
      if (s.dim(i) != 1) {
        out.add(new Loop(firstId + out.size(), s.dim(i)));
      }
    }
    return out;
  }

  /** One index per axis of a shape: the loops in order, and 0 for axes of extent 1. */
  static List<Index> indices(Shape s, List<Loop> loops) {
    List<Index> out = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < s.rank(); i++) {
      out.add(s.dim(i) == 1 ? Index.ZERO : Index.of(loops.get(next++)));
    }
    return out;
  }

  /** Whether the axes of a shape that are not 1 have the extents of these loops. */
  static boolean fits(Shape s, List<Loop> loops) {
    int next = 0;
    for (int i = 0; i < s.rank(); i++) {
      if (s.dim(i) != 1 && (next == loops.size() || loops.get(next++).extent() != s.dim(i))) {
        return false;
      }
    }
    return next == loops.size();
  }

  /** Parallel loops. */
  List<Loop> grid() {
    return select(false);
  }

  /** Loops that are reduced over. */
  List<Loop> inner() {
    return select(true);
  }

  private List<Loop> select(boolean which) {
    List<Loop> out = new ArrayList<>();
    for (int i = 0; i < domain.size(); i++) {
      if (reduced[i] == which) {
        out.add(domain.get(i));
      }
    }
    return out;
  }

  List<Loop> loops(Level level) {
    return level == Level.ROW ? grid() : domain;
  }

  /**
   * Whether the reduced loops are the innermost ones and short enough to be walked several times.
   */
  static boolean hasShortRows(List<Loop> domain, boolean[] reduced) {
    long row = 1;
    boolean inside = false;
    for (int i = 0; i < reduced.length; i++) {
      if (inside && !reduced[i]) {
        return false;
      }
      inside |= reduced[i];
      row *= reduced[i] ? domain.get(i).extent() : 1;
    }
    return row <= ROW_LIMIT;
  }

  boolean hasDomain(List<Loop> other, boolean[] mask) {
    return domain.equals(other) && Arrays.equals(reduced, mask);
  }
}
