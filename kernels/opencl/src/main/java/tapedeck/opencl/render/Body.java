package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;

/** Writes the phases of one grid point (or of one vector of points) as one work-item runs them. */
final class Body {
  private final Writer w;
  private final int innerWidth;

  /**
   * @param innerWidth lanes of the phases' own innermost loops where they vectorise; 1 for none
   */
  Body(Writer w, int innerWidth) {
    this.w = w;
    this.innerWidth = innerWidth;
  }

  /** Writes all phases into the open block, at the writer's lanes. */
  void phases(List<Phase> phases) {
    for (Phase p : phases) {
      int lanes = w.width() == 1 ? lanes(p) : 1;
      switch (p) {
        case Phase.Reduce r -> {
          if (lanes > 1) {
            reduceLanes(r, lanes);
          } else {
            reduce(r);
          }
        }
        case Phase.Emit e -> {
          if (lanes > 1) {
            emitLanes(e, lanes);
          } else {
            w.openLoops(e.loops());
            w.stores(e.stores());
            w.closeLoops(e.loops());
          }
        }
        case Phase.ScatterAdd s -> scatter(s);
      }
      if (!(p instanceof Phase.Reduce)) {
        w.scope().forget(w.graph.readers());
      }
    }
  }

  private void reduce(Phase.Reduce r) {
    int width = w.width();
    for (Phase.Accumulator a : r.accs()) {
      w.line(declare(a, Writer.acc(a.id()), width));
    }
    w.openLoops(r.loops());
    accumulate(w, r, "");
    w.closeLoops(r.loops());
    define(r);
  }

  static String declare(Phase.Accumulator a, String name, int width) {
    return ScalarText.type(a.dtype(), width)
        + " "
        + name
        + " = "
        + ScalarText.splat(
            a.dtype(), width, ScalarText.literal(a.dtype(), a.reducer().identity(a.dtype())))
        + ";";
  }

  /** One step of every accumulator, into names with a prefix. */
  static void accumulate(Writer w, Phase.Reduce r, String prefix) {
    List<String> values = new ArrayList<>();
    for (Phase.Accumulator a : r.accs()) {
      values.add(w.vector(a.value()));
    }
    for (int i = 0; i < r.accs().size(); i++) {
      Phase.Accumulator a = r.accs().get(i);
      String name = prefix + Writer.acc(a.id());
      w.line(
          name
              + " = "
              + ScalarText.combine(a.reducer(), a.dtype(), name, values.get(i), w.width())
              + ";");
    }
  }

  /**
   * A reduction and its stores for several neighbouring vectors of grid points at once, so that
   * each step of the reduction reads a long run of memory.
   */
  void strips(Phase.Reduce r, Phase.Emit e, Loop last, int lanes, int strips, String first) {
    for (int u = 0; u < strips; u++) {
      for (Phase.Accumulator a : r.accs()) {
        w.line(declare(a, "s" + u + Writer.acc(a.id()), lanes));
      }
    }
    w.openLoops(r.loops());
    for (int u = 0; u < strips; u++) {
      openStrip(last, lanes, first + " + " + u * lanes);
      accumulate(w, r, "s" + u);
      w.lanes(null, 1, false);
      w.close("");
    }
    w.closeLoops(r.loops());
    for (int u = 0; u < strips; u++) {
      openStrip(last, lanes, first + " + " + u * lanes);
      for (Phase.Accumulator a : r.accs()) {
        String name = Writer.acc(a.id());
        w.line("const " + ScalarText.type(a.dtype(), lanes) + " " + name + " = s" + u + name + ";");
      }
      define(r);
      w.stores(e.stores());
      w.lanes(null, 1, false);
      w.close("");
    }
  }

  private void openStrip(Loop last, int lanes, String first) {
    w.open(false, List.of(last));
    w.line("const " + w.indexType() + " " + Writer.name(last) + " = " + first + ";");
    w.lanes(last, lanes, true);
  }

  void define(Phase.Reduce r) {
    for (Phase.Accumulator a : r.accs()) {
      w.scope().accs.set(a.id());
    }
  }

  private void scatter(Phase.ScatterAdd s) {
    w.openLoops(s.loops());
    w.open(true, List.of());
    Phase.Store st = s.store();
    String value = w.emit(st.value());
    String at = w.fresh("x");
    w.line("const " + w.indexType() + " " + at + " = " + w.index(st.index(), 0) + ";");
    String target = "p" + st.param() + "[" + at + "]";
    w.line(
        target
            + " = "
            + ScalarText.combine(Reducer.SUM, st.value().dtype(), target, value, 1)
            + ";");
    // NB: the condition's text may need values, which belong before the block.
    Scope body = w.scope();
    w.leave();
    w.scope().block("if (" + w.condition(s.bounds()) + ")", body);
    w.closeLoops(s.loops());
  }

  /** Width at which the innermost loop of a phase runs as vectors; 1 if it does not. */
  int lanes(Phase p) {
    if (innerWidth == 1 || p.loops().isEmpty() || p instanceof Phase.ScatterAdd) {
      return 1;
    }
    Loop l = p.loops().getLast();
    int width = innerWidth;
    while (width > 1 && l.extent() < width) {
      width /= 2;
    }
    return width > 1 && Access.of(w, List.of(p), l, false).worthLanes() ? width : 1;
  }

  private void reduceLanes(Phase.Reduce r, int lanes) {
    for (Phase.Accumulator a : r.accs()) {
      w.line(declare(a, Writer.acc(a.id()), 1));
      w.line(declare(a, "b" + Writer.acc(a.id()), lanes));
    }
    inner(r.loops(), lanes, width -> accumulate(w, r, width > 1 ? "b" : ""));
    for (Phase.Accumulator a : r.accs()) {
      String name = Writer.acc(a.id());
      String part = fold(a, "b" + name, lanes);
      w.line(name + " = " + ScalarText.combine(a.reducer(), a.dtype(), name, part, 1) + ";");
    }
    define(r);
  }

  /**
   * Combines the lanes of a partial result, halving the vector each time; returns the scalar's
   * name.
   */
  String fold(Phase.Accumulator a, String vector, int lanes) {
    String part = vector;
    for (int n = lanes / 2; n >= 1; n /= 2) {
      String half = w.fresh("h");
      w.line(
          "const "
              + ScalarText.type(a.dtype(), n)
              + " "
              + half
              + " = "
              + ScalarText.combine(a.reducer(), a.dtype(), part + ".lo", part + ".hi", n)
              + ";");
      part = half;
    }
    return part;
  }

  private void emitLanes(Phase.Emit e, int lanes) {
    inner(e.loops(), lanes, width -> w.stores(e.stores()));
  }

  /** The loops with the innermost one in vectors, and its last points one by one. */
  private void inner(List<Loop> loops, int lanes, IntConsumer body) {
    List<Loop> outer = loops.subList(0, loops.size() - 1);
    Loop l = loops.getLast();
    w.openLoops(outer);
    w.open(false, List.of(l));
    w.lanes(l, lanes, false);
    body.accept(lanes);
    w.lanes(null, 1, false);
    String extent = Long.toString(l.extent());
    w.close(w.forHeader(l, "0", extent, lanes));
    if (l.extent() % lanes != 0) {
      w.open(false, List.of(l));
      body.accept(1);
      w.close(w.forHeader(l, Long.toString(l.extent() / lanes * lanes), extent, 1));
    }
    w.closeLoops(outer);
  }
}
