package tapedeck.opencl.render;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import tapedeck.ad.type.DataException;

/**
 * Tile sizes by device. The table is a properties resource whose keys are {@code OWNER.NAME}; a
 * value is looked up for the device's name, then its vendor, then {@code default}. Names are in
 * lower case with every run of other characters than letters and digits as one dash.
 */
final class Tuning {
  private static final String TABLE = "/tapedeck/opencl/tuning.properties";

  private final Properties table = new Properties();
  private final List<String> owners;

  Tuning(Target target) {
    this.owners = List.of(key(target.device()), key(target.vendor()), "default");
    try (InputStream in = Tuning.class.getResourceAsStream(TABLE)) {
      if (in == null) {
        throw new DataException("[opencl] missing resource " + TABLE);
      }
      table.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String key(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
  }

  /** The number for this device. */
  long number(String name) {
    for (String o : owners) {
      String v = table.getProperty(o + "." + name);
      if (v != null) {
        return Long.parseLong(v.trim());
      }
    }
    throw new DataException("[opencl] " + TABLE + " has no default." + name);
  }
}
