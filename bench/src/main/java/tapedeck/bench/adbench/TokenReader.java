package tapedeck.bench.adbench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tapedeck.ad.type.DataException;
import tapedeck.bench.report.AtomicFile;

/**
 * Reads numbers that are separated by white space or by a given character, and knows the line it is
 * at.
 */
final class TokenReader {
  private final Path file;
  private final byte[] text;
  private final char separator;
  private int at;
  private int line = 1;
  private int tokenLine = 1;

  TokenReader(Path file, char separator) {
    this.file = file;
    this.separator = separator;
    try {
      this.text = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DataException("[adbench] cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private boolean isSeparator(byte b) {
    return b == separator || b == ' ' || b == '\n' || b == '\r' || b == '\t';
  }

  private void skip() {
    while (at < text.length && isSeparator(text[at])) {
      if (text[at++] == '\n') {
        line++;
      }
    }
  }

  boolean atEnd() {
    skip();
    return at == text.length;
  }

  /** Tokens from here to the end. */
  long remaining() {
    long n = 0;
    boolean inside = false;
    for (int i = at; i < text.length; i++) {
      boolean s = isSeparator(text[i]);
      if (!s && !inside) {
        n++;
      }
      inside = !s;
    }
    return n;
  }

  String word(String what) {
    if (atEnd()) {
      throw error(line, "the file ends where " + what + " should be");
    }
    tokenLine = line;
    int from = at;
    while (at < text.length && !isSeparator(text[at])) {
      at++;
    }
    return new String(text, from, at - from, java.nio.charset.StandardCharsets.US_ASCII);
  }

  double number(String what) {
    String w = word(what);
    try {
      double v = Double.parseDouble(w);
      if (Double.isFinite(v)) {
        return v;
      }
    } catch (NumberFormatException e) {
      throw new DataException(message(tokenLine, what + " must be a number, not '" + w + "'"), e);
    }
    throw error(tokenLine, what + " must be finite, not '" + w + "'");
  }

  double[] numbers(int count, String what) {
    double[] a = new double[count];
    for (int i = 0; i < count; i++) {
      a[i] = number(what);
    }
    return a;
  }

  int integer(String what, int min, int max) {
    String w = word(what);
    int v;
    try {
      v = Integer.parseInt(w);
    } catch (NumberFormatException e) {
      throw new DataException(message(tokenLine, what + " must be an integer, not '" + w + "'"), e);
    }
    if (v < min || v > max) {
      throw error(tokenLine, what + " must be in " + min + ".." + max + ", not " + v);
    }
    return v;
  }

  /**
   * A size whose product with others must stay an array's length; checked before anything is
   * allocated.
   */
  void checkCount(long numbers, String what) {
    long have = remaining();
    if (have < numbers) {
      throw error(line, what + " need " + numbers + " more numbers, the file has " + have);
    }
  }

  void expectEnd() {
    if (!atEnd()) {
      throw error(line, "the file goes on after the last number that it should have");
    }
  }

  DataException error(String what) {
    return error(tokenLine, what);
  }

  private DataException error(int line, String what) {
    return new DataException(message(line, what));
  }

  private String message(int line, String what) {
    return "[adbench] " + file + ": line " + line + ": " + what;
  }
}
