package tapedeck.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads tensors of a safetensors file. Only the form that the benchmark itself writes is read; it
 * is checked in full by the benchmark's own reader.
 */
final class TensorFile {
  private static final Pattern ENTRY =
      Pattern.compile(
          "\"([^\"]+)\":\\{\"dtype\":\"(\\w+)\",\"shape\":\\[([\\d,]*)\\],"
              + "\"data_offsets\":\\[(\\d+),(\\d+)\\]\\}");

  private record Entry(String dtype, long[] shape, long begin, long end) {}

  private final Path file;
  private final long dataAt;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  TensorFile(Path file) throws IOException {
    this.file = file;
    try (FileChannel in = FileChannel.open(file)) {
      int length = Math.toIntExact(read(in, 0, 8).getLong());
      this.dataAt = 8L + length;
      String header =
          new String(read(in, 8, length).array(), StandardCharsets.UTF_8).replaceAll("\\s", "");
      Matcher m = ENTRY.matcher(header);
      while (m.find()) {
        long[] shape =
            m.group(3).isEmpty()
                ? new long[0]
                : Arrays.stream(m.group(3).split(",")).mapToLong(Long::parseLong).toArray();
        entries.put(
            m.group(1),
            new Entry(m.group(2), shape, Long.parseLong(m.group(4)), Long.parseLong(m.group(5))));
      }
    }
  }

  private static ByteBuffer read(FileChannel in, long at, int bytes) throws IOException {
    ByteBuffer b = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (b.hasRemaining()) {
      if (in.read(b, at + b.position()) < 0) {
        throw new IOException("the data file is too short");
      }
    }
    return b.flip();
  }

  boolean has(String name) {
    return entries.containsKey(name);
  }

  private Entry entry(String name) {
    Entry e = entries.get(name);
    if (e == null) {
      throw new UnsupportedOperationException("the data file has no tensor " + name);
    }
    return e;
  }

  long[] shape(String name) {
    return entry(name).shape.clone();
  }

  boolean isFloat64(String name) {
    return entry(name).dtype.equals("F64");
  }

  private ByteBuffer data(String name, String dtype) {
    Entry e = entry(name);
    if (!e.dtype.equals(dtype)) {
      throw new UnsupportedOperationException(name + " is " + e.dtype + ", not " + dtype);
    }
    try (FileChannel in = FileChannel.open(file)) {
      return read(in, dataAt + e.begin, Math.toIntExact(e.end - e.begin));
    } catch (IOException x) {
      throw new java.io.UncheckedIOException(x);
    }
  }

  float[] floats(String name) {
    ByteBuffer b = data(name, "F32");
    float[] out = new float[b.remaining() / Float.BYTES];
    b.asFloatBuffer().get(out);
    return out;
  }

  double[] doubles(String name) {
    ByteBuffer b = data(name, "F64");
    double[] out = new double[b.remaining() / Double.BYTES];
    b.asDoubleBuffer().get(out);
    return out;
  }

  int[] ints(String name) {
    ByteBuffer b = data(name, "I32");
    int[] out = new int[b.remaining() / Integer.BYTES];
    b.asIntBuffer().get(out);
    return out;
  }
}
