package tapedeck.bench.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Shape;
import tapedeck.bench.report.AtomicFile;

/**
 * Reader of the IDX form of unsigned bytes, plain or compressed with gzip: two zero bytes, the type
 * 8, the number of axes, big-endian extents, then the elements in row-major order (LeCun, Cortes,
 * Burges: The MNIST database).
 */
public record Idx(Shape shape, byte[] data) {
  private static final int UNSIGNED_BYTE = 8;

  /**
   * Reads a file.
   *
   * @param rank the number of axes it must have
   * @throws DataException if the file is missing or is not exactly one such array
   */
  public static Idx read(Path file, int rank) {
    long at = 0;
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        InputStream in = plain(raw)) {
      byte[] magic = in.readNBytes(4);
      check(file, at, magic.length == 4, "the file ends inside the magic number");
      check(
          file,
          at,
          magic[0] == 0 && magic[1] == 0,
          "not an IDX file: the first two bytes must be 0");
      check(
          file,
          2,
          magic[2] == UNSIGNED_BYTE,
          "element type must be 8 (unsigned byte), not " + magic[2]);
      check(file, 3, magic[3] == rank, "expected " + rank + " axes, found " + magic[3]);
      at = 4;
      int[] dims = new int[rank];
      for (int i = 0; i < rank; i++) {
        byte[] b = in.readNBytes(4);
        check(file, at, b.length == 4, "the file ends inside the extents");
        dims[i] = (b[0] & 0xff) << 24 | (b[1] & 0xff) << 16 | (b[2] & 0xff) << 8 | (b[3] & 0xff);
        check(file, at, dims[i] > 0, "extents must be positive, found " + dims[i]);
        at += 4;
      }
      long size = 1;
      for (int d : dims) {
        size *= d;
        check(file, 4, size <= Integer.MAX_VALUE - 64, "more than 2^31 elements");
      }
      // readNBytes grows its array as data arrives: a false extent costs no memory.
      byte[] data = in.readNBytes((int) size);
      at += data.length;
      check(
          file,
          at,
          data.length == size,
          "the file is truncated: " + size + " elements expected, " + data.length + " found");
      check(file, at, in.read() < 0, "there is data after the last element");
      return new Idx(Shape.of(dims), data);
    } catch (EOFException | ZipException e) {
      throw new DataException(
          "[idx] " + file + ": after byte " + at + ": corrupt gzip data: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new DataException("[idx] cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static InputStream plain(InputStream in) throws IOException {
    in.mark(2);
    int a = in.read();
    int b = in.read();
    in.reset();
    return a == 0x1f && b == 0x8b ? new GZIPInputStream(in, 1 << 16) : in;
  }

  private static void check(Path file, long offset, boolean ok, String message) {
    if (!ok) {
      throw new DataException("[idx] " + file + ": at byte " + offset + ": " + message);
    }
  }
}
