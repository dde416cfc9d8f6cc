package tapedeck.bench.report;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
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
   * Looks whether a file could be written, so that this is not found out after long work. Creates
   * nothing.
   *
   * @throws DataException if its name is a folder's, or the folder it belongs into is none, cannot
   *     be made or cannot be written to
   */
  public static void check(Path file) {
    Path target = file.toAbsolutePath();
    if (Files.isDirectory(target)) {
      throw new DataException("[write] cannot write " + file + ": it is a folder");
    }
    Path folder = target.getParent();
    while (!Files.exists(folder)) {
      folder = folder.getParent();
    }
    if (!Files.isDirectory(folder)) {
      throw new DataException("[write] cannot write " + file + ": " + folder + " is not a folder");
    }
    if (!Files.isWritable(folder)) {
      throw new DataException("[write] cannot write " + file + ": access to " + folder + " denied");
    }
  }

  /**
   * Writes a file, replacing one of that name.
   *
   * @throws DataException if it cannot be written; the old file, if any, is then unchanged
   */
  public static void write(Path file, Content content) {
    check(file);
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
      // Its message begins with the file's name, which the caller tells anyway.
      case FileSystemException f when f.getReason() != null -> f.getReason();
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
