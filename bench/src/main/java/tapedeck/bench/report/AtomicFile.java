package tapedeck.bench.report;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import tapedeck.ad.type.DataException;

/** Files that appear complete or not at all: written beside their place and moved into it. */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes a file, replacing one of that name.
   *
   * @throws DataException if it cannot be written; the old file, if any, is then unchanged
   */
  public static void write(Path file, Content content) {
    Path target = file.toAbsolutePath();
    Path folder = target.getParent();
    Path part = null;
    try {
      Files.createDirectories(folder);
      // Not createTempFile: its files are readable by their owner alone.
      part = folder.resolve("." + target.getFileName() + "-" + System.nanoTime() + ".part");
      try (OutputStream out =
          new BufferedOutputStream(
              Files.newOutputStream(part, StandardOpenOption.CREATE_NEW), 1 << 16)) {
        content.writeTo(out);
      }
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new DataException("[write] cannot write " + file + ": " + reason(e), e);
    } finally {
      discard(part);
    }
  }

  /** Writes text in UTF-8; see {@link #write(Path, Content)}. */
  public static void write(Path file, String text) {
    write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** What went wrong, in words, without the class name. */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "access denied";
      default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    };
  }

  private static void discard(Path part) {
    if (part != null) {
      try {
        Files.deleteIfExists(part);
      } catch (IOException e) {
        throw new DataException("[write] cannot remove " + part + ": " + reason(e), e);
      }
    }
  }
}
