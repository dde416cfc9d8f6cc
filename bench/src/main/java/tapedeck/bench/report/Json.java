package tapedeck.bench.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;

/** Writes reports as JSON: maps, iterables, float64 arrays, numbers, booleans and text. */
public final class Json {
  private Json() {}

  /**
   * The value as indented JSON text. NaN and infinities become text, since JSON has no such
   * numbers.
   */
  public static String text(Object value) {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      write(g, value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out + "\n";
  }

  /** Writes a report to a file; see {@link AtomicFile}. */
  public static void write(Path file, Object value) {
    AtomicFile.write(file, text(value));
  }

  private static void write(JsonGenerator g, Object value) throws IOException {
    switch (value) {
      case Map<?, ?> m -> {
        g.writeStartObject();
        for (Map.Entry<?, ?> e : m.entrySet()) {
          g.writeFieldName(e.getKey().toString());
          write(g, e.getValue());
        }
        g.writeEndObject();
      }
      case Iterable<?> list -> {
        g.writeStartArray();
        for (Object o : list) {
          write(g, o);
        }
        g.writeEndArray();
      }
      case double[] a -> g.writeArray(a, 0, a.length);
      case Double d when !Double.isFinite(d) -> g.writeString(d.toString());
      case Double d -> g.writeNumber(d);
      case Integer i -> g.writeNumber(i);
      case Long l -> g.writeNumber(l);
      case Boolean b -> g.writeBoolean(b);
      case String s -> g.writeString(s);
      default -> throw new IllegalArgumentException("[json] no form for " + value.getClass());
    }
  }
}
