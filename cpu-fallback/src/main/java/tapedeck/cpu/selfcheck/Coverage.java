package tapedeck.cpu.selfcheck;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import tapedeck.ad.type.DType;

/** The table of operations as a page of the documentation. */
public final class Coverage {
  private Coverage() {}

  /** {@return a Markdown table with a line per row of {@link OpSamples}} */
  public static String markdown() {
    StringBuilder s = new StringBuilder();
    s.append("# Operations and what is checked of each\n\n");
    s.append(
        "Made from `OpSamples` by `tapedeck.cpu.selfcheck.Coverage`; a test fails when it is"
            + " old.\n");
    s.append(
        "Every row is checked on every backend in every type of its line: values, operands that"
            + " are\n");
    s.append(
        "views, special values, vmap in every choice of operands, with and without fusion; up to"
            + " its\n");
    s.append(
        "order, derivatives in forward and reverse mode against finite differences and each"
            + " other.\n\n");
    s.append(
        "| Operation | Primitive | Methods | Types | Order | Variants | Special values | Notes"
            + " |\n");
    s.append("|---|---|---|---|---|---|---|---|\n");
    for (OpSample o : OpSamples.all()) {
      s.append("| ").append(o.name());
      s.append(" | ").append(o.primitive());
      s.append(" | ").append(String.join(", ", o.methods()));
      s.append(" | ")
          .append(o.dtypes().stream().map(DType::label).collect(Collectors.joining(" ")));
      s.append(" | ").append(o.order());
      s.append(" | ").append(o.variants().size());
      s.append(" | ").append(o.specials().isEmpty() ? "" : o.specials().size());
      s.append(" | ").append(o.notes()).append(" |\n");
    }
    return s.toString();
  }

  /**
   * Writes the page to a file.
   *
   * @param args its path, the only argument
   */
  public static void main(String[] args) {
    try {
      Files.writeString(Path.of(args[0]), markdown());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
