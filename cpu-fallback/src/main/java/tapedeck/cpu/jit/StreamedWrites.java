package tapedeck.cpu.jit;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.type.Optimisation;

/**
 * Work units that write large results around the caches: a few of them at a time into scratch
 * memory that stays in the cache, from where it is copied. The kernel's code is the same; it is
 * told other addresses.
 *
 * @param targets results that are written so
 * @param work the kernel's units
 * @param batch units of which the results lie one after another and are copied at once
 * @param stage bytes of scratch memory for each target
 */
record StreamedWrites(List<Target> targets, WorkUnits work, long batch, long stage) {
  /** Bytes of a result that no cache keeps until it is read. */
  static final long LARGE = 32L << 20;

  /** Bytes that are copied at once, if a unit has no more. */
  private static final long COPIED = 32 << 10;

  /** Most bytes of one unit's results. */
  private static final long MOST = 128 << 10;

  /**
   * A result.
   *
   * @param param position among the kernel's parameters
   * @param start bytes before the first grid point's
   * @param perPoint bytes of a grid point
   */
  record Target(int param, long start, long perPoint) {
    long offset(long point) {
      return start + point * perPoint;
    }
  }

  /** How a kernel's results are written around the caches, or null if none of them is. */
  static @Nullable StreamedWrites of(Kernel kernel, WorkUnits work) {
    return of(kernel, work, LARGE);
  }

  /**
   * The same.
   *
   * @param large bytes that a result must have
   */
  static @Nullable StreamedWrites of(Kernel kernel, WorkUnits work, long large) {
    if (!Optimisation.STREAMED_WRITES.isOn() || !StreamingCopy.exists() || !work.liesInOnePiece()) {
      return null;
    }
    List<Target> targets = new ArrayList<>();
    Set<Integer> written = new TreeSet<>();
    Set<Integer> several = new TreeSet<>();
    for (Phase p : kernel.phases()) {
      if (p instanceof Phase.Emit e) {
        for (Phase.Store s : e.stores()) {
          (written.add(s.param()) ? written : several).add(s.param());
          if (isDense(kernel, e, s, large)) {
            targets.add(target(kernel, e, s));
          }
        }
      } else if (p instanceof Phase.ScatterAdd) {
        return null;
      }
    }
    targets.removeIf(t -> several.contains(t.param()));
    long unit = 0;
    for (Target t : targets) {
      unit = Math.max(unit, work.most() * t.perPoint());
    }
    if (unit == 0 || unit > MOST) {
      return null;
    }
    long batch = work.followOneAnother() ? Math.max(1, COPIED / unit) : 1;
    return new StreamedWrites(targets, work, batch, batch * unit + 2L * StreamingCopy.LINE);
  }

  /** Whether a store writes all of a large buffer that is not read, in the order of grid points. */
  private static boolean isDense(Kernel kernel, Phase.Emit e, Phase.Store s, long large) {
    Kernel.Param p = kernel.params().get(s.param());
    long points = kernel.points() * Contraction.extent(e.loops());
    if (p.read() || points * p.dtype().bytes() < large || !s.index().isAffine()) {
      return false;
    }
    List<Loop> loops = new ArrayList<>(kernel.grid());
    loops.addAll(e.loops());
    long stride = 1;
    for (Loop l : loops.reversed()) {
      if (l.extent() > 1 && s.index().coef(l) != stride) {
        return false;
      }
      stride *= l.extent();
    }
    return true;
  }

  private static Target target(Kernel kernel, Phase.Emit e, Phase.Store s) {
    long bytes = kernel.params().get(s.param()).dtype().bytes();
    return new Target(s.param(), s.index().base() * bytes, Contraction.extent(e.loops()) * bytes);
  }

  /** Scratch bytes that a thread needs, the kernel's own included. */
  long scratchBytes(long own) {
    return align(own) + targets.size() * align(stage);
  }

  static long align(long bytes) {
    return (bytes + StreamingCopy.LINE - 1) & -StreamingCopy.LINE;
  }

  /**
   * What of this is to be done in a run, null if nothing: targets that nothing reads before they
   * are long out of the caches, and that are not in the place of something that is read.
   *
   * @param results by parameter whether the schedule reads it no more; null if it reads none
   */
  @Nullable StreamedWrites in(long[] addresses, boolean @Nullable [] results) {
    List<Target> now =
        targets.stream()
            .filter(t -> results == null || results[t.param()])
            .filter(t -> isApart(addresses, t.param()))
            .toList();
    return now.isEmpty()
        ? null
        : now.size() == targets.size() ? this : new StreamedWrites(now, work, batch, stage);
  }

  private static boolean isApart(long[] addresses, int param) {
    for (int i = 0; i < addresses.length; i++) {
      if (i != param && addresses[i] == addresses[param]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Does units from (inclusive) to (exclusive).
   *
   * @param scratch address of as many bytes as {@link #scratchBytes} tells
   */
  void run(KernelGen.Generated kernel, long[] addresses, long from, long to, long scratch) {
    long stages = scratch + align(kernel.scratchBytes());
    long[] redirected = addresses.clone();
    long[] source = new long[targets.size()];
    long[] destination = new long[targets.size()];
    for (long u = from; u < to; u += batch) {
      long end = Math.min(to, u + batch);
      long first = work.start(u);
      long points = work.start(end - 1) + work.points(end - 1) - first;
      for (int i = 0; i < source.length; i++) {
        Target t = targets.get(i);
        destination[i] = addresses[t.param()] + t.offset(first);
        source[i] = stages + i * align(stage) + (destination[i] & (StreamingCopy.LINE - 1));
        redirected[t.param()] = source[i] - t.offset(first);
      }
      kernel.code().run(redirected, u, end, scratch, null);
      for (int i = 0; i < source.length; i++) {
        StreamingCopy.copy(source[i], destination[i], points * targets.get(i).perPoint());
      }
    }
  }
}
