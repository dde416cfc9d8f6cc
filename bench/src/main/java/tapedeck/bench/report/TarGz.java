package tapedeck.bench.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** Writes a folder as a compressed archive in the POSIX ustar form; names and sizes must fit it. */
public final class TarGz {
  private static final int BLOCK = 512;
  private static final int MOST_NAME = 100;

  private TarGz() {}

  private static final class BestGzip extends GZIPOutputStream {
    BestGzip(OutputStream out) throws IOException {
      super(out, 1 << 16);
      def.setLevel(Deflater.BEST_COMPRESSION);
    }
  }

  /** Writes all that is in {@code folder}, by names relative to it, in the order of their names. */
  public static void write(Path folder, OutputStream out) throws IOException {
    List<Path> all;
    try (var files = Files.walk(folder)) {
      all = files.filter(p -> !p.equals(folder)).sorted().toList();
    }
    GZIPOutputStream gzip = new BestGzip(out);
    for (Path p : all) {
      entry(folder, p, gzip);
    }
    gzip.write(new byte[2 * BLOCK]);
    gzip.finish();
  }

  private static void entry(Path folder, Path p, OutputStream out) throws IOException {
    boolean link = Files.isSymbolicLink(p);
    boolean directory = Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS);
    long size = link || directory ? 0 : Files.size(p);
    boolean executable =
        directory
            || (!link
                && Files.getPosixFilePermissions(p).contains(PosixFilePermission.OWNER_EXECUTE));
    byte[] header = new byte[BLOCK];
    put(header, 0, folder.relativize(p) + (directory ? "/" : ""), MOST_NAME);
    put(header, 100, executable ? "0000755" : "0000644", 7);
    put(header, 108, "0000000", 7);
    put(header, 116, "0000000", 7);
    put(header, 124, String.format("%011o", size), 11);
    put(
        header,
        136,
        String.format(
            "%011o", Files.getLastModifiedTime(p, LinkOption.NOFOLLOW_LINKS).toMillis() / 1000),
        11);
    Arrays.fill(header, 148, 156, (byte) ' ');
    header[156] = (byte) (directory ? '5' : link ? '2' : '0');
    if (link) {
      put(header, 157, Files.readSymbolicLink(p).toString(), MOST_NAME);
    }
    put(header, 257, "ustar", 5);
    put(header, 263, "00", 2);
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, String.format("%06o", sum), 6);
    header[154] = 0;
    out.write(header);
    if (!link && !directory) {
      Files.copy(p, out);
      out.write(new byte[(int) ((BLOCK - size % BLOCK) % BLOCK)]);
    }
  }

  private static void put(byte[] header, int at, String text, int most) throws IOException {
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    if (b.length > most) {
      throw new IOException("too long for a tar archive: " + text);
    }
    System.arraycopy(b, 0, header, at, b.length);
  }
}
