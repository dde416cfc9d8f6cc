package tapedeck.bench.compare;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import tapedeck.bench.report.Stats;
import tapedeck.bench.report.TextTable;

/** Prints a comparison. */
public final class ReportText {
  private ReportText() {}

  /** All tables that have rows. */
  public static void print(Report r, PrintWriter out) {
    if (!r.lines.isEmpty()) {
      out.println();
      out.print(lines(r));
      out.println();
      out.println("medians; quartiles: of the samples, in per cent of the median");
      out.println(
          "GB/s, Gop/s: bytes and operations that the kernels need at least, over the time;"
              + " a library function counts as 12 or 24");
      out.println(
          "of limit: least time by measured copy bandwidth and peak rate, over the time;"
              + " above 100 % where caches hold the operands");
      out.println("difference: norm of the difference from the first device over the norm");
    }
    TextTable ratios = new TextTable("line", "Tapedeck on", "against", "time ratio [quartiles]");
    boolean any = false;
    for (Measured t : r.lines) {
      for (Measured p : r.lines) {
        boolean pair =
            t.tapedeck()
                && t.line().equals(p.line())
                && (!p.tapedeck() || (r.lines.indexOf(p) < r.lines.indexOf(t)));
        if (pair) {
          ratios.row(t.line(), t.on(), p.on(), Ratio.of(t.seconds(), p.seconds()).toString());
          any = true;
        }
      }
    }
    if (any) {
      out.println();
      out.print(ratios);
      out.println();
      out.println("below 1: the first is faster; quartiles: of ratios of neighbouring samples");
    }
    if (!r.kernels.isEmpty()) {
      out.println();
      out.print(kernels(r.kernels));
    }
    for (String n : r.notes) {
      out.println("note: " + n);
    }
    for (String d : r.differs) {
      out.println("DIFFERS: " + d);
    }
    out.flush();
  }

  private static TextTable lines(Report r) {
    TextTable t =
        new TextTable(
            "line", "on", "ms", "quartiles", "kernels", "GB/s", "Gop/s", "of limit", "difference");
    for (Measured m : r.lines) {
      double s = m.median();
      t.row(
          m.line(),
          m.on(),
          String.format("%.3f", 1e3 * s),
          String.format(
              "%+.0f %+.0f %%",
              100 * (Stats.quantile(m.seconds(), 0.25) / s - 1),
              100 * (Stats.quantile(m.seconds(), 0.75) / s - 1)),
          cell(m.cost().map(c -> Integer.toString(c.kernels()))),
          cell(m.cost().map(c -> String.format("%.1f", c.bytes() / s * 1e-9))),
          cell(m.cost().map(c -> String.format("%.1f", c.operations() / s * 1e-9))),
          cell(m.ofBound().map(b -> String.format("%.0f %%", 100 * b))),
          cell(m.error().map(e -> String.format("%.1e", e))));
    }
    return t;
  }

  private static String cell(Optional<String> s) {
    return s.orElse("-");
  }

  private static TextTable kernels(List<Report.Kernel> kernels) {
    TextTable t =
        new TextTable(
            "line", "on", "kernel", "us", "timed by", "MB", "GB/s", "Gop/s", "of limit", "what");
    for (Report.Kernel k : kernels) {
      t.row(
          k.line(),
          k.on(),
          Integer.toString(k.index()),
          String.format("%.1f", 1e6 * k.seconds()),
          k.source(),
          String.format("%.2f", 1e-6 * k.cost().bytes()),
          String.format("%.1f", 1e-9 * k.cost().bytes() / k.seconds()),
          String.format("%.1f", 1e-9 * k.cost().operations() / k.seconds()),
          String.format("%.0f %%", 100 * k.boundSeconds() / k.seconds()),
          k.label().length() <= 48 ? k.label() : k.label().substring(0, 45) + "...");
    }
    return t;
  }
}
