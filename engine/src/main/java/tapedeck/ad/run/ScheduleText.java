package tapedeck.ad.run;

import java.util.Locale;
import java.util.stream.Collectors;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.Precision;

/** Prints schedules. */
public final class ScheduleText {
  private ScheduleText() {}

  /**
   * {@return a line with the totals, then one per kernel: its operations, the grid of parallel
   * loops, the slots it reads and writes, the bytes it moves at least, and the user's source line;
   * a plus sign marks kernels that may be one launch with the one before}
   *
   * <pre>
   * 2 kernels, 3 inputs, 1 outputs, arena 1024 bytes (live 1024)
   *   0  matmul+add  grid 32x8  in0 in1 in2 -> a0  2.5 KiB   # Model.java:42
   * </pre>
   *
   * @param s the schedule
   */
  public static String of(Schedule s) {
    StringBuilder text = new StringBuilder();
    text.append(s.launches().size()).append(s.launches().size() == 1 ? " kernel, " : " kernels, ");
    text.append(s.inputs().size())
        .append(" inputs, ")
        .append(s.outputs().size())
        .append(" outputs, ");
    text.append("arena ").append(s.arenaBytes()).append(" bytes (live ").append(s.liveBytes());
    text.append(")\n");
    for (int i = 0; i < s.launches().size(); i++) {
      Schedule.Launch l = s.launches().get(i);
      text.append(String.format(l.joins() ? "%4d+ " : "%4d  ", i)).append(l.label());
      text.append("  grid ").append(grid(l.kernel()));
      l.kernel().contraction().ifPresent(c -> text.append("  ").append(product(c)));
      text.append("  ").append(slots(s, l, false)).append(" -> ").append(slots(s, l, true));
      text.append("  ").append(size(moved(l.kernel())));
      text.append(l.source().isEmpty() ? "" : "   # " + l.source()).append('\n');
    }
    return text.toString();
  }

  private static String grid(Kernel k) {
    return k.grid().isEmpty()
        ? "1"
        : k.grid().stream().map(Loop::extent).map(String::valueOf).collect(Collectors.joining("x"));
  }

  private static String product(Contraction c) {
    return "product "
        + Contraction.extent(c.batch())
        + " x ("
        + Contraction.extent(c.m())
        + ","
        + Contraction.extent(c.k())
        + ")("
        + Contraction.extent(c.k())
        + ","
        + Contraction.extent(c.n())
        + ")"
        + (c.precision() == Precision.HIGHEST ? "" : " " + c.precision());
  }

  private static String slots(Schedule s, Schedule.Launch l, boolean written) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < l.slots().size(); i++) {
      Kernel.Param p = l.kernel().params().get(i);
      if (written ? p.written() : p.read()) {
        text.append(text.isEmpty() ? "" : " ").append(name(s, l.slots().get(i)));
      }
    }
    return text.isEmpty() ? "none" : text.toString();
  }

  private static String name(Schedule s, int slot) {
    Schedule.Slot at = s.slots().get(slot);
    String place =
        switch (at.place()) {
          case Schedule.Place.Input p -> "in" + p.position();
          case Schedule.Place.Output p -> "out" + p.position();
          case Schedule.Place.Arena p -> "arena@" + p.offset();
        };
    return place + ":" + at.dtype() + "[" + at.elements() + "]";
  }

  /** Bytes of all buffers that a kernel reads or writes, each counted once per direction. */
  static long moved(Kernel k) {
    long bytes = 0;
    for (Kernel.Param p : k.params()) {
      bytes += p.elements() * p.dtype().bytes() * ((p.read() ? 1 : 0) + (p.written() ? 1 : 0));
    }
    return bytes;
  }

  private static String size(long bytes) {
    return bytes < 1024
        ? bytes + " B"
        : bytes < 1 << 20
            ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
            : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }
}
