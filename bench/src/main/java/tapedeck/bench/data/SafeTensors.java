package tapedeck.bench.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Shape;
import tapedeck.bench.report.AtomicFile;

/**
 * Named tensors in the safetensors form: the length of a JSON header as eight little-endian bytes,
 * the header with type, shape and byte range of each tensor, then all elements little endian.
 * Accepted are the types F32, F64, I32 and BOOL. The byte ranges must cover the data exactly,
 * without holes or overlap.
 */
public final class SafeTensors {
  private static final long MAX_HEADER = 100_000_000L;
  private static final String METADATA = "__metadata__";
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private SafeTensors() {}

  private record Entry(String name, DType dtype, Shape shape, long begin, long end) {}

  /**
   * Writes tensors to a file, in the order of their names.
   *
   * @throws DataException if the file cannot be written; it is then unchanged
   */
  public static void write(Path file, Map<String, Tensor> tensors) {
    List<Entry> entries = new ArrayList<>();
    long at = 0;
    for (Map.Entry<String, Tensor> e : new TreeMap<>(tensors).entrySet()) {
      Tensor t = e.getValue();
      long bytes = t.size() * t.dtype().bytes();
      entries.add(new Entry(e.getKey(), t.dtype(), t.shape(), at, at + bytes));
      at += bytes;
    }
    AtomicFile.write(
        file,
        out -> {
          byte[] header = header(entries);
          out.write(
              ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
          out.write(header);
          for (Entry e : entries) {
            byte[] data = new byte[Math.toIntExact(e.end - e.begin)];
            tensors.get(e.name).copyTo(MemorySegment.ofArray(data));
            out.write(data);
          }
        });
  }

  private static byte[] header(List<Entry> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator g = JSON.createGenerator(bytes)) {
      g.writeStartObject();
      for (Entry e : entries) {
        g.writeObjectFieldStart(e.name);
        g.writeStringField("dtype", label(e.dtype));
        g.writeFieldName("shape");
        g.writeArray(e.shape.dims(), 0, e.shape.rank());
        g.writeFieldName("data_offsets");
        g.writeArray(new long[] {e.begin, e.end}, 0, 2);
        g.writeEndObject();
      }
      g.writeEndObject();
    }
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  /**
   * Reads all tensors of a file, in the order of their data.
   *
   * @throws DataException if the file is missing or is not valid
   */
  public static Map<String, Tensor> read(Path file) {
    byte[] all;
    try {
      all = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DataException("[safetensors] cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    check(
        file,
        all.length >= 8,
        "the file has " + all.length + " bytes, fewer than its header needs");
    long length = ByteBuffer.wrap(all, 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong();
    check(
        file,
        length >= 2 && length <= MAX_HEADER && length <= all.length - 8,
        "header length " + length + " does not fit a file of " + all.length + " bytes");
    check(file, all[8] == '{', "the header does not begin with {");
    int data = 8 + (int) length;
    List<Entry> entries = parse(file, all, (int) length);
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Entry e : entries) {
      check(
          file, e.begin == at, "tensor '" + e.name + "' begins at byte " + e.begin + ", not " + at);
      check(
          file,
          e.end - e.begin == e.shape.size() * e.dtype.bytes(),
          "tensor '"
              + e.name
              + "' of "
              + e.dtype
              + e.shape
              + " has "
              + (e.end - e.begin)
              + " bytes");
      check(
          file,
          e.end <= all.length - data,
          "tensor '" + e.name + "' ends at byte " + e.end + " of " + (all.length - data));
      at = e.end;
    }
    check(file, at == all.length - data, (all.length - data - at) + " bytes after the last tensor");
    MemorySegment segment = MemorySegment.ofArray(all);
    for (Entry e : entries) {
      MemorySegment part = segment.asSlice(data + e.begin, e.end - e.begin);
      if (e.dtype == DType.BOOL) {
        part.elements(java.lang.foreign.ValueLayout.JAVA_BYTE)
            .forEach(
                b -> checkBool(file, e.name, b.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)));
      }
      tensors.put(e.name, Tensor.fromSegment(e.dtype, e.shape, part));
    }
    return tensors;
  }

  private static void checkBool(Path file, String name, byte b) {
    check(file, b == 0 || b == 1, "tensor '" + name + "' has the boolean " + b);
  }

  private static List<Entry> parse(Path file, byte[] all, int length) {
    List<Entry> entries = new ArrayList<>();
    try (JsonParser p = JSON.createParser(all, 8, length)) {
      expect(file, p.nextToken(), JsonToken.START_OBJECT, "the header");
      while (p.nextToken() != JsonToken.END_OBJECT) {
        String name = p.currentName();
        expect(file, p.nextToken(), JsonToken.START_OBJECT, "'" + name + "'");
        if (name.equals(METADATA)) {
          while (p.nextToken() != JsonToken.END_OBJECT) {
            expect(file, p.nextToken(), JsonToken.VALUE_STRING, METADATA);
          }
        } else {
          entries.add(entry(file, p, name));
        }
      }
      check(file, p.nextToken() == null, "there is more than one JSON value in the header");
    } catch (JsonProcessingException e) {
      throw new DataException("[safetensors] " + file + ": header: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new DataException("[safetensors] cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    return entries;
  }

  private static Entry entry(Path file, JsonParser p, String name) throws IOException {
    String where = "tensor '" + name + "'";
    DType dtype = null;
    List<Long> shape = null;
    List<Long> range = null;
    while (p.nextToken() != JsonToken.END_OBJECT) {
      String key = p.currentName();
      switch (key) {
        case "dtype" -> {
          expect(file, p.nextToken(), JsonToken.VALUE_STRING, where);
          dtype = dtype(file, where, p.getText());
        }
        case "shape" -> shape = longs(file, p, where);
        case "data_offsets" -> range = longs(file, p, where);
        default -> check(file, false, where + " has the unknown field '" + key + "'");
      }
    }
    check(
        file,
        dtype != null && shape != null && range != null,
        where + " must have dtype, shape and data_offsets");
    check(file, range.size() == 2, where + " must have two data_offsets");
    long size = 1;
    int[] dims = new int[shape.size()];
    for (int i = 0; i < dims.length; i++) {
      long d = shape.get(i);
      check(file, d >= 0 && d <= Integer.MAX_VALUE, where + " has the extent " + d);
      dims[i] = (int) d;
      size *= d;
      check(file, size <= Integer.MAX_VALUE, where + " has more than 2^31 elements");
    }
    long begin = range.get(0);
    long end = range.get(1);
    check(file, begin >= 0 && end >= begin, where + " has the byte range " + begin + " to " + end);
    return new Entry(name, dtype, Shape.of(dims), begin, end);
  }

  private static List<Long> longs(Path file, JsonParser p, String where) throws IOException {
    expect(file, p.nextToken(), JsonToken.START_ARRAY, where);
    List<Long> list = new ArrayList<>();
    while (p.nextToken() != JsonToken.END_ARRAY) {
      expect(file, p.currentToken(), JsonToken.VALUE_NUMBER_INT, where);
      list.add(p.getLongValue());
    }
    return list;
  }

  private static String label(DType dtype) {
    return switch (dtype) {
      case FLOAT32 -> "F32";
      case FLOAT64 -> "F64";
      case INT32 -> "I32";
      case BOOL -> "BOOL";
    };
  }

  private static DType dtype(Path file, String where, String label) {
    for (DType d : DType.values()) {
      if (label(d).equals(label)) {
        return d;
      }
    }
    throw new DataException(
        "[safetensors] "
            + file
            + ": "
            + where
            + " has type "
            + label
            + "; supported are F32, F64, I32, BOOL");
  }

  private static void expect(Path file, JsonToken found, JsonToken wanted, String where) {
    check(file, found == wanted, where + ": expected " + wanted + ", found " + found);
  }

  private static void check(Path file, boolean ok, String message) {
    if (!ok) {
      throw new DataException("[safetensors] " + file + ": " + message);
    }
  }
}
