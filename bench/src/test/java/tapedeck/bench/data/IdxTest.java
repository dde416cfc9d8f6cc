package tapedeck.bench.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Shape;

class IdxTest {
  @TempDir Path folder;

  private static byte[] bytes(int... b) {
    byte[] a = new byte[b.length];
    for (int i = 0; i < b.length; i++) {
      a[i] = (byte) b[i];
    }
    return a;
  }

  private static final byte[] GOOD = bytes(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255);

  private Path file(byte[] content) throws IOException {
    return Files.write(folder.resolve("x-idx"), content);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream g = new GZIPOutputStream(out)) {
      g.write(content);
    }
    return out.toByteArray();
  }

  @Test
  void readsPlainAndCompressed() throws IOException {
    for (byte[] content : new byte[][] {GOOD, gzip(GOOD)}) {
      Idx idx = Idx.read(file(content), 2);
      assertEquals(Shape.of(2, 3), idx.shape());
      assertArrayEquals(bytes(1, 2, 3, 4, 5, 255), idx.data());
    }
  }

  private void fails(byte[] content, String message) throws IOException {
    Path file = file(content);
    DataException e = assertThrows(DataException.class, () -> Idx.read(file, 2));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void namesWhatIsWrongAndWhere() throws IOException {
    fails(new byte[0], "at byte 0: the file ends inside the magic number");
    fails(bytes(1, 0, 8, 2), "at byte 0: not an IDX file");
    fails(bytes(0, 0, 13, 2, 0, 0, 0, 1), "at byte 2: element type must be 8");
    fails(bytes(0, 0, 8, 3, 0, 0, 0, 1), "at byte 3: expected 2 axes, found 3");
    fails(bytes(0, 0, 8, 2, 0, 0, 0, 1, 0, 0), "at byte 8: the file ends inside the extents");
    fails(bytes(0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 1), "extents must be positive, found 0");
    fails(bytes(0, 0, 8, 2, 255, 0, 0, 0, 0, 0, 0, 1), "extents must be positive, found -");
    fails(bytes(0, 0, 8, 2, 127, 0, 0, 0, 127, 0, 0, 0), "more than 2^31 elements");
    fails(bytes(0, 0, 8, 2, 127, 0, 0, 0, 0, 0, 0, 1, 5), "at byte 13: the file is truncated");
    fails(
        Arrays.copyOf(GOOD, GOOD.length - 1),
        "at byte 17: the file is truncated: 6 elements expected, 5 found");
    fails(Arrays.copyOf(GOOD, GOOD.length + 1), "at byte 18: there is data after the last element");
  }

  @Test
  void everyTruncationOfACompressedFileFails() throws IOException {
    byte[] g = gzip(GOOD);
    for (int n = 0; n < g.length; n++) {
      Path file = file(Arrays.copyOf(g, n));
      assertThrows(DataException.class, () -> Idx.read(file, 2), "cut to " + n + " bytes");
    }
  }

  @Test
  void damageInCompressedDataIsFound() throws IOException {
    byte[] g = gzip(GOOD);
    g[g.length - 6] ^= 1;
    fails(g, "corrupt gzip data");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("none");
    DataException e = assertThrows(DataException.class, () -> Idx.read(file, 2));
    assertEquals("[idx] cannot read " + file + ": no such file or folder", e.getMessage());
  }

  @Test
  void imagesAndLabelsMustBelongTogether() throws IOException {
    Files.write(
        folder.resolve("train-images-idx3-ubyte"),
        bytes(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9));
    Files.write(folder.resolve("train-labels-idx1-ubyte"), bytes(0, 0, 8, 1, 0, 0, 0, 1, 3));
    DataException e = assertThrows(DataException.class, () -> ImageData.idx(folder));
    assertTrue(e.getMessage().contains("has 2 images but"), e.getMessage());
    Files.write(folder.resolve("train-labels-idx1-ubyte"), bytes(0, 0, 8, 1, 0, 0, 0, 2, 3, 1));
    e = assertThrows(DataException.class, () -> ImageData.idx(folder));
    assertTrue(e.getMessage().contains("has no file t10k-images-idx3-ubyte.gz"), e.getMessage());
    Files.write(
        folder.resolve("t10k-images-idx3-ubyte"),
        bytes(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 255));
    Files.write(folder.resolve("t10k-labels-idx1-ubyte"), bytes(0, 0, 8, 1, 0, 0, 0, 1, 4));
    ImageData d = ImageData.idx(folder);
    assertEquals(5, d.train().classes());
    assertArrayEquals(new float[] {1}, d.test().images(new int[] {0}));
    assertArrayEquals(new int[] {1, 3}, d.train().labels(new int[] {1, 0}));
  }
}
