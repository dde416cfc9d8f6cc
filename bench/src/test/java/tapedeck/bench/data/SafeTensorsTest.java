package tapedeck.bench.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.tensor.Tensor;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Shape;

class SafeTensorsTest {
  @TempDir Path folder;

  private static byte[] content(String header, int... data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] h = header.getBytes(StandardCharsets.UTF_8);
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(h.length).array());
    out.writeBytes(h);
    for (int b : data) {
      out.write(b);
    }
    return out.toByteArray();
  }

  private Path file(byte[] content) throws IOException {
    return Files.write(folder.resolve("x.safetensors"), content);
  }

  @Test
  void roundTripOfAllTypes() {
    Path file = folder.resolve("all.safetensors");
    Map<String, Tensor> written =
        Map.of(
            "b/ü\"", Tensor.of(new float[] {1.5f, -0f, Float.NaN, 3e38f, 5, 6}, 2, 3),
            "a", Tensor.of(new double[] {Math.PI, Double.MIN_VALUE}, 2),
            "c", Tensor.of(new int[] {1, -2, Integer.MIN_VALUE}, 3, 1),
            "d", Tensor.of(true, false, true),
            "scalar", Tensor.scalar(7.0),
            "empty", Tensor.zeros(DType.FLOAT32, 0, 4));
    SafeTensors.write(file, written);
    Map<String, Tensor> read = SafeTensors.read(file);
    assertEquals(written.keySet(), read.keySet());
    written.forEach(
        (name, t) -> {
          assertEquals(t.aval(), read.get(name).aval(), name);
          assertArrayEquals(t.toDoubleArray(), read.get(name).toDoubleArray(), name);
        });
    assertEquals(List.of("all.safetensors"), Arrays.asList(folder.toFile().list()));
  }

  @Test
  void readsAFileOfTheSpecifiedForm() throws IOException {
    Path f =
        file(
            content(
                "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2],"
                    + "\"data_offsets\":[4,12]},\"i\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}  ",
                255,
                255,
                255,
                255,
                0,
                0,
                128,
                63,
                0,
                0,
                0,
                192));
    Map<String, Tensor> t = SafeTensors.read(f);
    assertEquals(Shape.of(2), t.get("w").shape());
    assertArrayEquals(new float[] {1, -2}, t.get("w").toFloatArray());
    assertEquals(-1, t.get("i").item());
  }

  private void fails(byte[] content, String message) throws IOException {
    Path f = file(content);
    DataException e = assertThrows(DataException.class, () -> SafeTensors.read(f));
    assertTrue(
        e.getMessage().startsWith("[safetensors] " + f) || e.getMessage().contains(f.toString()));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private static String entry(String dtype, String shape, String range) {
    return "{\"w\":{\"dtype\":\""
        + dtype
        + "\",\"shape\":"
        + shape
        + ",\"data_offsets\":"
        + range
        + "}}";
  }

  @Test
  void corruptFilesAreRejected() throws IOException {
    fails(new byte[3], "fewer than its header needs");
    fails(
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(9).array(),
        "header length 9 does not fit");
    fails(
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(-1).array(),
        "header length -1 does not fit");
    fails(content(" {}"), "does not begin with {");
    fails(content("{\"w\":"), "header:");
    fails(content("{}{}"), "more than one JSON value");
    fails(content("{\"w\":[]}"), "expected START_OBJECT");
    fails(content("{\"w\":{\"dtype\":\"F32\"}}"), "must have dtype, shape and data_offsets");
    fails(content(entry("F16", "[1]", "[0,2]"), 0, 0), "has type F16; supported are");
    fails(content(entry("F32", "[1]", "[0,4]"), 0, 0, 0), "ends at byte 4 of 3");
    fails(content(entry("F32", "[1]", "[0,4]"), 0, 0, 0, 0, 0), "1 bytes after the last tensor");
    fails(content(entry("F32", "[1]", "[1,5]"), 0, 0, 0, 0, 0), "begins at byte 1, not 0");
    fails(content(entry("F32", "[2]", "[0,4]"), 0, 0, 0, 0), "has 4 bytes");
    fails(content(entry("F32", "[1]", "[4,0]"), 0, 0, 0, 0), "has the byte range 4 to 0");
    fails(content(entry("F32", "[-1]", "[0,4]"), 0, 0, 0, 0), "has the extent -1");
    fails(content(entry("F32", "[65536,65536]", "[0,4]"), 0, 0, 0, 0), "more than 2^31 elements");
    fails(content(entry("F32", "[1]", "[0,4,8]"), 0, 0, 0, 0), "two data_offsets");
    fails(content(entry("F32", "[1.5]", "[0,4]"), 0, 0, 0, 0), "expected VALUE_NUMBER_INT");
    fails(content(entry("BOOL", "[1]", "[0,1]"), 2), "has the boolean 2");
    fails(
        content("{\"w\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"more\":1}}"),
        "unknown field 'more'");
    String w = "\"w\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
    fails(content("{" + w + "," + w + "}"), "Duplicate field");
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    Path f = file(new byte[] {1, 2, 3});
    Tensor closed = Tensor.of(1f, 2f);
    Map<String, Tensor> tensors = Map.of("w", closed);
    closed.close();
    assertThrows(RuntimeException.class, () -> SafeTensors.write(f, tensors));
    assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(f));
    assertEquals(List.of("x.safetensors"), Arrays.asList(folder.toFile().list()));
  }
}
