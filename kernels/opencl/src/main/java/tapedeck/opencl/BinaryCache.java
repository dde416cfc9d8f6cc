package tapedeck.opencl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import tapedeck.ad.type.Settings;

/**
 * Program binaries on disk. An entry's name is a hash of source, build options, device, driver and
 * platform version; its content carries a hash of itself, so that a damaged entry is found and
 * built again. A folder that cannot be written to only costs build time, so it is named once on
 * standard error and then left alone.
 */
final class BinaryCache {
  private static final byte[] MAGIC = "TDCL0001".getBytes(StandardCharsets.US_ASCII);

  private final String identity;
  private boolean complained;

  BinaryCache(String identity) {
    this.identity = identity;
  }

  String key(String source) {
    return HexFormat.of()
        .formatHex(sha256((identity + "\n" + source).getBytes(StandardCharsets.UTF_8)));
  }

  private static Optional<Path> folder() {
    if (Settings.CACHE.is("off")) {
      return Optional.empty();
    }
    String set = Settings.CACHE.get();
    Path base =
        set.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache", "tapedeck")
            : Path.of(set);
    return Optional.of(base.resolve("opencl"));
  }

  /** The stored binary, unless there is none or it is damaged. */
  Optional<byte[]> load(String key) {
    Optional<Path> folder = folder();
    if (folder.isEmpty()) {
      return Optional.empty();
    }
    Path file = folder.get().resolve(key + ".bin");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      byte[] all = Files.readAllBytes(file);
      int head = MAGIC.length + 32;
      if (all.length > head
          && Arrays.equals(Arrays.copyOf(all, MAGIC.length), MAGIC)
          && Arrays.equals(
              Arrays.copyOfRange(all, MAGIC.length, head),
              sha256(Arrays.copyOfRange(all, head, all.length)))) {
        return Optional.of(Arrays.copyOfRange(all, head, all.length));
      }
      Files.deleteIfExists(file);
    } catch (IOException e) {
      complain(e);
    }
    return Optional.empty();
  }

  /** Stores a binary; readers see the old state or the whole new one. */
  void store(String key, byte[] binary) {
    Optional<Path> folder = folder();
    if (folder.isEmpty()) {
      return;
    }
    try {
      Files.createDirectories(folder.get());
      Path part = Files.createTempFile(folder.get(), key.substring(0, 8), ".part");
      ByteBuffer all = ByteBuffer.allocate(MAGIC.length + 32 + binary.length);
      all.put(MAGIC).put(sha256(binary)).put(binary);
      Files.write(part, all.array());
      Files.move(
          part,
          folder.get().resolve(key + ".bin"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      complain(e);
    }
  }

  /** Removes an entry that the driver refused. */
  void remove(String key) {
    try {
      Optional<Path> folder = folder();
      if (folder.isPresent()) {
        Files.deleteIfExists(folder.get().resolve(key + ".bin"));
      }
    } catch (IOException e) {
      complain(e);
    }
  }

  private synchronized void complain(IOException e) {
    if (!complained) {
      complained = true;
      System.err.println("tapedeck: the program cache is not usable: " + e);
    }
  }

  private static byte[] sha256(byte[] b) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(b);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
