package tapedeck.bench.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import tapedeck.ad.type.DataException;

/**
 * Images for training and held-out images.
 *
 * @param name for people, such as {@code UCI digits}
 */
public record ImageData(String name, Dataset train, Dataset test) {
  /** Where Debian's package dataset-fashion-mnist puts its files. */
  public static final Path DEBIAN = Path.of("/usr/share/datasets/fashion-mnist");

  private static final String DIGITS = "/tapedeck/data/digits.csv.gz";
  private static final int DIGITS_COUNT = 1797;
  private static final int DIGITS_PIXELS = 64;
  private static final int DIGITS_WHITE = 16;
  private static final int DIGITS_TEST = 360;

  /** Decides which digits are held out; part of the data's definition. */
  private static final long DIGITS_SPLIT = 20_240_601L;

  /**
   * The images to work on: those in {@code folder} where one is given, else Fashion-MNIST where
   * Debian's package put it, else the digits that are part of this program.
   *
   * @throws DataException if a given folder has no images, or a file is corrupt
   */
  public static ImageData find(Optional<Path> folder) {
    if (folder.isPresent()) {
      return idx(folder.get());
    }
    return Files.isDirectory(DEBIAN) ? idx(DEBIAN) : digits();
  }

  /** The 1,797 digits of 8x8 pixels of E. Alpaydin and C. Kaynak; 360 of them are held out. */
  public static ImageData digits() {
    byte[] pixels = new byte[DIGITS_COUNT * DIGITS_PIXELS];
    int[] labels = new int[DIGITS_COUNT];
    try (InputStream raw = ImageData.class.getResourceAsStream(DIGITS)) {
      if (raw == null) {
        throw new DataException("[digits] the program lacks its resource " + DIGITS);
      }
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(new GZIPInputStream(raw), StandardCharsets.US_ASCII));
      for (int row = 0; row < DIGITS_COUNT; row++) {
        String line = in.readLine();
        String[] fields = line == null ? new String[0] : line.split(",");
        if (fields.length != DIGITS_PIXELS + 1) {
          throw new DataException(
              "[digits] line " + (row + 1) + " has " + fields.length + " fields");
        }
        for (int k = 0; k < DIGITS_PIXELS; k++) {
          pixels[row * DIGITS_PIXELS + k] = (byte) Integer.parseInt(fields[k]);
        }
        labels[row] = Integer.parseInt(fields[DIGITS_PIXELS]);
      }
    } catch (IOException | NumberFormatException e) {
      throw new DataException(
          "[digits] the resource " + DIGITS + " is corrupt: " + e.getMessage(), e);
    }
    Dataset all = new Dataset(pixels, labels, DIGITS_PIXELS, 10, DIGITS_WHITE);
    int[] order = Batches.permutation(DIGITS_COUNT, DIGITS_SPLIT);
    int cut = DIGITS_COUNT - DIGITS_TEST;
    return new ImageData(
        "UCI digits",
        all.select(Arrays.copyOfRange(order, 0, cut)),
        all.select(Arrays.copyOfRange(order, cut, DIGITS_COUNT)));
  }

  /**
   * Reads four files in IDX form with the names of MNIST, plain or compressed.
   *
   * @throws DataException if one is missing or corrupt, or they do not belong together
   */
  public static ImageData idx(Path folder) {
    if (!Files.isDirectory(folder)) {
      String what = Files.exists(folder) ? folder + " is not a folder" : "no folder " + folder;
      throw new DataException("[idx] " + what);
    }
    Dataset train = pair(folder, "train");
    Dataset test = pair(folder, "t10k");
    if (train.features() != test.features()) {
      throw new DataException(
          "[idx] "
              + folder
              + ": images have "
              + train.features()
              + " pixels for training and "
              + test.features()
              + " in the held-out part");
    }
    int classes = Math.max(train.classes(), test.classes());
    String name = folder.toString().contains("fashion") ? "Fashion-MNIST" : folder.toString();
    return new ImageData(name, widen(train, classes), widen(test, classes));
  }

  private static Dataset widen(Dataset d, int classes) {
    return new Dataset(d.pixels(), d.labels(), d.features(), classes, d.white());
  }

  private static Dataset pair(Path folder, String part) {
    Path imageFile = locate(folder, part + "-images-idx3-ubyte");
    Path labelFile = locate(folder, part + "-labels-idx1-ubyte");
    Idx images = Idx.read(imageFile, 3);
    Idx labels = Idx.read(labelFile, 1);
    if (images.shape().dim(0) != labels.shape().dim(0)) {
      throw new DataException(
          "[idx] "
              + imageFile
              + " has "
              + images.shape().dim(0)
              + " images but "
              + labelFile
              + " has "
              + labels.shape().dim(0)
              + " labels");
    }
    int[] y = new int[labels.data().length];
    int classes = 0;
    for (int i = 0; i < y.length; i++) {
      y[i] = labels.data()[i] & 0xff;
      classes = Math.max(classes, y[i] + 1);
    }
    int features = images.shape().dim(1) * images.shape().dim(2);
    return new Dataset(images.data(), y, features, classes, 255);
  }

  private static Path locate(Path folder, String name) {
    for (Path p : List.of(folder.resolve(name + ".gz"), folder.resolve(name))) {
      if (Files.isRegularFile(p)) {
        return p;
      }
    }
    throw new DataException("[idx] " + folder + " has no file " + name + ".gz or " + name);
  }
}
