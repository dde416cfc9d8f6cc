package tapedeck.bench.adbench;

import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tapedeck.bench.report.AtomicFile;

/** ADBench's text forms of results. */
public final class AdbenchFormat {
  private static final MathContext DIGITS = new MathContext(18, RoundingMode.HALF_EVEN);

  private AdbenchFormat() {}

  /**
   * As C's {@code %.17e}: Java's own conversion pads its shortest decimal form with zeros instead.
   */
  public static String number(double v) {
    if (Double.isNaN(v)) {
      return "nan";
    }
    if (Double.isInfinite(v)) {
      return v > 0 ? "inf" : "-inf";
    }
    String sign = Double.doubleToRawLongBits(v) < 0 ? "-" : "";
    if (v == 0) {
      return sign + "0.00000000000000000e+00";
    }
    BigDecimal d = new BigDecimal(Math.abs(v)).round(DIGITS);
    StringBuilder digits = new StringBuilder(d.unscaledValue().toString());
    int exponent = digits.length() - 1 - d.scale();
    while (digits.length() < 18) {
      digits.append('0');
    }
    String e = Integer.toString(Math.abs(exponent));
    return sign
        + digits.charAt(0)
        + "."
        + digits.substring(1, 18)
        + (exponent < 0 ? "e-" : "e+")
        + (e.length() < 2 ? "0" + e : e);
  }

  /** One number a line. */
  public static void writeColumn(Path file, double[] values) {
    AtomicFile.write(file, out -> column(out, values));
  }

  /** Rows of tab-separated numbers from a row-major matrix. */
  public static void writeDense(Path file, double[] matrix, int columns) {
    AtomicFile.write(
        file,
        out -> {
          StringBuilder row = new StringBuilder();
          for (int i = 0; i < matrix.length; i++) {
            row.append(number(matrix[i])).append(i % columns == columns - 1 ? '\n' : '\t');
            if (i % columns == columns - 1) {
              put(out, row);
            }
          }
        });
  }

  /** The residuals of a bundle adjustment under their two headings. */
  public static void writeBaResiduals(Path file, double[] reprojection, double[] weight) {
    AtomicFile.write(
        file,
        out -> {
          put(out, new StringBuilder("Reprojection error:\n"));
          column(out, reprojection);
          put(out, new StringBuilder("Zach weight error:\n"));
          column(out, weight);
        });
  }

  /** Sizes, row offsets, columns, values. */
  public static void writeSparse(Path file, SparseJacobian j) {
    AtomicFile.write(
        file,
        out -> {
          StringBuilder s = new StringBuilder();
          s.append(j.nrows()).append(' ').append(j.ncols()).append('\n');
          ints(s, j.rows());
          ints(s, j.columns());
          put(out, s);
          for (double v : j.values()) {
            put(out, s.append(number(v)).append(' '));
          }
        });
  }

  /** Seconds of the objective and of its derivative, one a line. */
  public static void writeTimes(Path file, double objective, double derivative) {
    writeColumn(file, new double[] {objective, derivative});
  }

  /** All numbers of a result file in order; its headings are left out. */
  public static double[] readNumbers(Path file) {
    TokenReader in = new TokenReader(file, ' ');
    double[] a = new double[Math.toIntExact(in.remaining())];
    int n = 0;
    while (!in.atEnd()) {
      String w = in.word("a number");
      char c = w.charAt(0);
      if (c == '-' || c == '+' || Character.isDigit(c)) {
        try {
          a[n++] = Double.parseDouble(w);
        } catch (NumberFormatException e) {
          throw new tapedeck.ad.type.DataException(
              in.error("'" + w + "' is not a number").getMessage(), e);
        }
      }
    }
    return java.util.Arrays.copyOf(a, n);
  }

  private static void ints(StringBuilder s, int[] values) {
    s.append(values.length).append('\n');
    for (int v : values) {
      s.append(v).append(' ');
    }
    s.append('\n');
  }

  private static void column(OutputStream out, double[] values) throws IOException {
    StringBuilder line = new StringBuilder();
    for (double v : values) {
      put(out, line.append(number(v)).append('\n'));
    }
  }

  private static void put(OutputStream out, StringBuilder text) throws IOException {
    out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
    text.setLength(0);
  }
}
