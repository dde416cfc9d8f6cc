package tapedeck.bench.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.type.DataException;

/** Reports as JSON: maps, iterables, float64 arrays, numbers, booleans and text. */
public final class Json {
  private static final JsonFactory READER =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

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

  /**
   * Reads a file: maps by text, lists, {@link Double}, {@link Boolean}, text, and an empty {@link
   * Optional} for null.
   *
   * @throws DataException if it cannot be read or is not one JSON value
   */
  public static Object read(Path file) {
    try (JsonParser p = READER.createParser(file.toFile())) {
      p.nextToken();
      Object value = value(p, file);
      if (p.nextToken() != null) {
        throw new DataException("[json] " + file + " has more than one value");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw new DataException("[json] " + file + ": " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new DataException("[json] cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static Object value(JsonParser p, Path file) throws IOException {
    JsonToken t = p.currentToken();
    if (t == null) {
      throw new DataException("[json] " + file + " is empty");
    }
    return switch (t) {
      case START_OBJECT -> {
        Map<String, Object> m = new LinkedHashMap<>();
        while (p.nextToken() != JsonToken.END_OBJECT) {
          String name = p.currentName();
          p.nextToken();
          m.put(name, value(p, file));
        }
        yield m;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (p.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(p, file));
        }
        yield list;
      }
      case VALUE_STRING -> p.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> p.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> Optional.empty();
      default -> throw new DataException("[json] " + file + ": unexpected " + t);
    };
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
