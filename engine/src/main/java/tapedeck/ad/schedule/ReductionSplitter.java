package tapedeck.ad.schedule;

import java.util.ArrayList;
import java.util.List;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Elementwise;
import tapedeck.ad.tensor.Movement;
import tapedeck.ad.tensor.Reduce;
import tapedeck.ad.type.Shape;

/**
 * Splits a reduction of many elements to few results in two, so that the first part has enough
 * parallel work. The split depends on the shapes alone, so results are the same on any number of
 * threads.
 */
final class ReductionSplitter {
  /** Fewer results than this leave a device idle. */
  private static final long FEW = 256;

  /** More elements per result than this are worth a second launch. */
  private static final long LONG = 32768;

  /** Partial results that a split aims at. */
  private static final int CHUNKS = 1024;

  private ReductionSplitter() {}

  /**
   * Whether few results are sums of so many elements each that one pass would leave a device idle.
   */
  static boolean isLong(long results, long elements) {
    return results < FEW && elements > LONG;
  }

  /** The split reduction, or null if one pass is fine. */
  static Var split(Rewriter out, Reduce r, Var x, String source) {
    Shape s = x.aval().shape();
    long results = 1;
    int widest = -1;
    for (int i = 0; i < s.rank(); i++) {
      if (!r.axes().contains(i)) {
        results *= s.dim(i);
      } else if (widest < 0 || s.dim(i) > s.dim(widest)) {
        widest = i;
      }
    }
    if (!isLong(results, s.size() / results)) {
      return null;
    }
    // Reduce the trailing axes first if the leading ones alone give enough results.
    long kept = results;
    List<Integer> leading = new ArrayList<>();
    for (int i : r.axes()) {
      if (kept < FEW && s.size() / (kept * s.dim(i)) >= 64) {
        kept *= s.dim(i);
        leading.add(i);
      }
    }
    if (kept >= FEW && !leading.isEmpty() && leading.size() < r.axes().size()) {
      List<Integer> trailing = r.axes().stream().filter(i -> !leading.contains(i)).toList();
      return twoSteps(out, r, x, trailing, leading, source);
    }
    int n = s.dim(widest);
    int chunks = divisor(n);
    if (chunks > 1) {
      return chunked(out, r, x, widest, chunks, source);
    }
    if (n < 2 * CHUNKS) {
      return null;
    }
    int even = n / CHUNKS * CHUNKS;
    Var main = chunked(out, r, slice(out, x, widest, 0, even, source), widest, CHUNKS, source);
    Var tail = out.emit(r, List.of(slice(out, x, widest, even, n, source)), source);
    Elementwise join =
        switch (r.reducer()) {
          case SUM -> Elementwise.ADD;
          case PROD -> Elementwise.MUL;
          case MAX -> Elementwise.MAX;
          case MIN -> Elementwise.MIN;
        };
    return out.emit(join, List.of(main, tail), source);
  }

  private static Var twoSteps(
      Rewriter out, Reduce r, Var x, List<Integer> first, List<Integer> second, String source) {
    Var partial = out.emit(new Reduce(r.reducer(), first), List.of(x), source);
    List<Integer> rest = new ArrayList<>();
    for (int a : second) {
      rest.add(a - (int) first.stream().filter(f -> f < a).count());
    }
    return out.emit(new Reduce(r.reducer(), rest), List.of(partial), source);
  }

  /** Splits one axis into (chunks, n/chunks) and reduces the second part first. */
  private static Var chunked(Rewriter out, Reduce r, Var x, int axis, int chunks, String source) {
    Shape s = x.aval().shape();
    Shape parts = s.without(axis).with(axis, s.dim(axis) / chunks).with(axis, chunks);
    Var view = out.emit(new Movement.Reshape(parts), List.of(x), source);
    List<Integer> first = new ArrayList<>();
    for (int a : r.axes()) {
      first.add(a < axis ? a : a + 1);
    }
    return twoSteps(out, r, view, first, List.of(axis), source);
  }

  private static Var slice(Rewriter out, Var x, int axis, int start, int stop, String source) {
    List<Integer> lo = new ArrayList<>();
    List<Integer> hi = new ArrayList<>();
    List<Integer> step = new ArrayList<>();
    for (int i = 0; i < x.aval().rank(); i++) {
      lo.add(i == axis ? start : 0);
      hi.add(i == axis ? stop : x.aval().shape().dim(i));
      step.add(1);
    }
    return out.emit(new Movement.Slice(lo, hi, step), List.of(x), source);
  }

  /** The divisor of n nearest to {@link #CHUNKS} from below that still leaves long chunks, or 1. */
  private static int divisor(int n) {
    for (int c = Math.min(CHUNKS, n / 64); c >= 64; c--) {
      if (n % c == 0) {
        return c;
      }
    }
    return 1;
  }
}
