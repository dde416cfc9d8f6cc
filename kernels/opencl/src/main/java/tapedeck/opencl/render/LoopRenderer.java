package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Profile;

/**
 * The general form: every work-item runs whole grid points, without barriers. On CPU devices a
 * work-item takes a range of points, with the innermost grid loop or the phases' own loops in
 * vectors; on GPUs neighbouring work-items take neighbouring points, each a short vector of them
 * where all accesses are contiguous.
 */
final class LoopRenderer {
  private final Kernel kernel;
  private final Target target;
  private final Writer w;
  private final Parameters tuning;
  private final int width;
  private final long group;

  /**
   * @param group work-items of a work-group on GPUs; 0 leaves the choice
   */
  LoopRenderer(
      Kernel kernel, Target target, boolean[] written, Facts facts, Parameters tuning, long group) {
    this.kernel = kernel;
    this.target = target;
    this.tuning = tuning;
    this.group = group;
    boolean gpu = target.profile() == Profile.GPU;
    this.w = new Writer(kernel, written, !facts.fits32(), gpu);
    int bytes = gpu ? tuning.get("bytes") : Math.min(tuning.get("bytes"), target.vectorBytes());
    this.width = Math.max(1, Math.min(16, bytes / facts.widestBytes()));
  }

  Draft render() {
    return target.profile() == Profile.GPU ? gpu() : cpu();
  }

  /** A grid-stride loop over points, or over aligned vectors of points. */
  private Draft gpu() {
    List<Loop> grid = kernel.grid();
    int lanes = gpuLanes();
    Loop last = grid.isEmpty() ? null : grid.getLast();
    long points = kernel.points() / lanes;
    long group = this.group == 0 ? group(points) : this.group;
    long groups =
        Math.min((points + group - 1) / group, (long) target.computeUnits() * tuning.get("groups"));
    Scope top = w.scope();
    w.open(false, grid);
    List<Loop> counted = new ArrayList<>(grid);
    if (lanes > 1) {
      counted.removeLast();
      w.line(
          "const "
              + w.indexType()
              + " u = "
              + (counted.isEmpty() ? "g" : w.modulo("g", last.extent() / lanes))
              + ";");
      w.line("const " + w.indexType() + " " + Writer.name(last) + " = u * " + lanes + ";");
      if (!counted.isEmpty()) {
        w.line("const " + w.indexType() + " o = " + w.quotient("g", last.extent() / lanes) + ";");
      }
      w.decode("o", counted);
      w.lanes(last, lanes, true);
    } else {
      w.decode("g", counted);
    }
    new Body(w, 1).phases(kernel.phases());
    w.lanes(null, 1, false);
    String t = w.indexType();
    w.close(
        "for ("
            + t
            + " g = ("
            + t
            + ")get_global_id(0); g < "
            + points
            + "; g += "
            + groups * group
            + ")");
    return new Draft(
        top,
        new long[] {groups * group},
        new long[] {group},
        lanes > 1 ? "grid x" + lanes : "grid",
        "__attribute__((reqd_work_group_size(" + group + ", 1, 1)))\n");
  }

  private long group(long points) {
    long size = Integer.highestOneBit(Math.min(tuning.get("group"), target.maxGroup()));
    // Few points are spread over all multiprocessors.
    while (size > 64 && points < size * target.computeUnits()) {
      size /= 2;
    }
    return size;
  }

  private int gpuLanes() {
    if (kernel.grid().isEmpty() || width == 1) {
      return 1;
    }
    Loop last = kernel.grid().getLast();
    int lanes = width;
    while (lanes > 1 && last.extent() % lanes != 0) {
      lanes /= 2;
    }
    // Vectors must not leave multiprocessors without work.
    while (lanes > 1 && kernel.points() / lanes < target.computeUnits() * 256L) {
      lanes /= 2;
    }
    Access a = Access.of(w, kernel.phases(), last, true);
    return lanes > 1 && !a.blocked() && a.contiguous() > 0 && a.strided() == 0 ? lanes : 1;
  }

  private Draft cpu() {
    List<Loop> grid = kernel.grid();
    Loop last = grid.isEmpty() ? null : grid.getLast();
    Access across =
        last == null ? new Access(0, 0, true, 0) : Access.of(w, kernel.phases(), last, true);
    int lanes = width;
    while (lanes > 1 && (last == null || last.extent() < lanes)) {
      lanes /= 2;
    }
    boolean byGrid = lanes > 1 && across.worthLanes() && !innerBetter(across);
    boolean keep = byGrid || (last != null && !hasLoops());
    List<Loop> outer = keep ? grid.subList(0, grid.size() - 1) : grid;
    long outerPoints = Contraction.extent(outer);
    long inner = keep ? last.extent() : 1;
    long items = workItems(kernel.points(), across.work());
    long outerItems = Math.min(items, outerPoints);
    long innerItems = keep ? Math.max(1, Math.min(items / outerItems, inner / 256)) : 1;
    long outerStep = ceilDiv(outerPoints, outerItems);
    long innerStep = ceilDiv(ceilDiv(inner, innerItems), 64) * 64;
    innerStep = innerItems == 1 ? inner : innerStep;
    innerItems = ceilDiv(inner, innerStep);
    outerItems = ceilDiv(outerPoints, outerStep);
    int strips = strips(last, lanes);
    Scope top = w.scope();
    String t = w.indexType();
    range("ob", "oe", 1, outerStep, outerPoints, outerItems);
    if (keep) {
      range("nb", "ne", 0, innerStep, inner, innerItems);
    }
    w.open(false, outer);
    w.decode("g", outer);
    if (!keep) {
      new Body(w, width).phases(kernel.phases());
    } else {
      String from = innerItems == 1 ? "0" : "nb";
      String to = innerItems == 1 ? Long.toString(inner) : "ne";
      if (byGrid) {
        String start = from;
        if (strips > 1) {
          int step = strips * lanes;
          w.line(w.indexType() + " cb = " + from + ";");
          w.open(false, List.of());
          new Body(w, 1)
              .strips(
                  (Phase.Reduce) kernel.phases().get(0),
                  (Phase.Emit) kernel.phases().get(1),
                  last,
                  lanes,
                  strips,
                  "cb");
          w.close("for (; cb + " + (step - 1) + " < " + to + "; cb += " + step + ")");
          start = "cb";
        }
        w.open(false, List.of(last));
        w.lanes(last, lanes, true);
        new Body(w, 1).phases(kernel.phases());
        w.lanes(null, 1, false);
        w.close(w.forHeader(last, start, to, lanes));
        if (inner % lanes != 0) {
          w.open(false, List.of(last));
          new Body(w, 1).phases(kernel.phases());
          String rest =
              innerItems == 1 ? Long.toString(inner / lanes * lanes) : "ne - (ne - nb) % " + lanes;
          w.close(w.forHeader(last, rest, to, 1));
        }
      } else {
        w.open(false, List.of(last));
        new Body(w, 1).phases(kernel.phases());
        w.close(w.forHeader(last, from, to, 1));
      }
    }
    w.close("for (" + t + " g = ob; g < oe; g++)");
    return new Draft(
        top,
        new long[] {innerItems, outerItems},
        new long[] {1, 1},
        byGrid ? "vectors x" + lanes : keep ? "scalars" : "rows x" + width,
        "__attribute__((reqd_work_group_size(1, 1, 1)))\n");
  }

  private void range(String from, String to, int dim, long step, long extent, long items) {
    String t = "const " + w.indexType() + " ";
    if (items == 1) {
      w.line(t + from + " = 0, " + to + " = " + extent + ";");
    } else {
      w.line(t + from + " = (" + w.indexType() + ")get_global_id(" + dim + ") * " + step + ";");
      w.line(
          t
              + to
              + " = "
              + (extent % step == 0
                  ? from + " + " + step
                  : "min(" + from + " + " + step + ", (" + w.indexType() + ")" + extent + ")")
              + ";");
    }
  }

  /**
   * Vectors of neighbouring grid points that are reduced side by side, for a long reduction of each
   * grid point alone, such as sums of columns; 1 for other kernels.
   */
  private int strips(Loop last, int lanes) {
    boolean sums =
        kernel.phases().size() == 2
            && kernel.phases().get(0) instanceof Phase.Reduce r
            && Contraction.extent(r.loops()) >= 16
            && kernel.phases().get(1) instanceof Phase.Emit e
            && e.loops().isEmpty()
            && last != null;
    if (!sums) {
      return 1;
    }
    int strips = tuning.get("strips");
    return last.extent() >= (long) strips * lanes ? strips : 1;
  }

  private boolean hasLoops() {
    return kernel.phases().stream().anyMatch(p -> !p.loops().isEmpty());
  }

  /**
   * Whether vectors along the phases' own loops read more contiguously than vectors of grid points.
   */
  private boolean innerBetter(Access across) {
    Body body = new Body(w, width);
    long inner = 0;
    for (Phase p : kernel.phases()) {
      if (!p.loops().isEmpty()) {
        Access a = Access.of(w, List.of(p), p.loops().getLast(), false);
        inner += body.lanes(p) > 1 ? a.contiguous() - a.strided() : 0;
      }
    }
    return inner > across.contiguous() - across.strided();
  }

  /** Enough work-items to balance the cores, but none with less than a few microseconds of work. */
  private long workItems(long points, long workPerPoint) {
    double work = (double) points * Math.max(1, workPerPoint);
    long most = (long) Math.max(1, work / tuning.get("work"));
    return Math.max(1, Math.min(most, (long) target.computeUnits() * tuning.get("items")));
  }

  static long ceilDiv(long a, long b) {
    return (a + b - 1) / b;
  }
}
