package tapedeck.opencl.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tapedeck.ad.type.DataException;
import tapedeck.ad.type.Settings;

/**
 * Parameters of the templates by device, as JSON:
 *
 * <pre>{@code
 * {"format": 1,
 *  "entries": [
 *    {"profile": "gpu", "vendor": "NVIDIA Corporation", "source": "reasoned, not measured: ...",
 *     "templates": {"elementwise": {"group": 256, "bytes": 16, "groups": 64}}}]}
 * }</pre>
 *
 * <p>For a device each template is looked up by device with driver, device, family, vendor, and in
 * the defaults, first in the user's file and then in the one that comes with the program. A
 * template is taken from one entry as a whole, because its parameters depend on each other.
 *
 * @param entries in the order of the file; of equally close ones the first counts
 */
public record TuningDatabase(List<TuningEntry> entries) {
  private static final String SHIPPED = "/tapedeck/opencl/tuning.json";
  private static final int FORMAT = 1;
  private static final Set<String> SAID = Collections.synchronizedSet(new HashSet<>());

  /** Copies the entries. */
  public TuningDatabase {
    entries = List.copyOf(entries);
  }

  /**
   * What a lookup found.
   *
   * @param tuning parameters of every template
   * @param sources for each template where they come from
   * @param rejected entries that the device cannot use, with the reasons
   */
  public record Lookup(Tuning tuning, Map<Template, String> sources, List<String> rejected) {

    /** Copies the collections. */
    public Lookup {
      sources = Map.copyOf(sources);
      rejected = List.copyOf(rejected);
    }
  }

  /** {@return the database that comes with the program} */
  public static TuningDatabase shipped() {
    try (InputStream in = TuningDatabase.class.getResourceAsStream(SHIPPED)) {
      if (in == null) {
        throw new DataException("[tuning] missing resource " + SHIPPED);
      }
      return parse(in.readAllBytes(), SHIPPED);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The user's file.
   *
   * @return that of {@link Settings#TUNING}; empty where it says that there is none
   */
  public static Optional<Path> userFile() {
    if (Settings.TUNING.is("off")) {
      return Optional.empty();
    }
    String set = Settings.TUNING.get();
    return Optional.of(
        set.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache", "tapedeck", "tuning.json")
            : Path.of(set));
  }

  /**
   * Reads a file.
   *
   * @param file a database
   * @return its entries
   * @throws DataException with the file and the reason if it cannot be read or is wrong anywhere
   */
  public static TuningDatabase read(Path file) {
    try {
      return parse(Files.readAllBytes(file), file.toString());
    } catch (IOException e) {
      throw new DataException("[tuning] cannot read " + file + ": " + e, e);
    }
  }

  /**
   * Parameters for a device from the user's file and the program's. A file that cannot be used, and
   * an entry that the device cannot use, are named once on standard error and left out.
   *
   * @param hardware the device
   * @return parameters of every template of its profile
   */
  public static Lookup lookup(Hardware hardware) {
    List<TuningDatabase> databases = new ArrayList<>();
    Optional<Path> file = userFile();
    if (file.isPresent() && (Files.exists(file.get()) || !Settings.TUNING.get().isEmpty())) {
      try {
        databases.add(read(file.get()));
      } catch (DataException e) {
        sayOnce(e.getMessage() + "; the parameters that come with the program are used instead");
      }
    }
    databases.add(shipped());
    Lookup found = lookup(databases, hardware);
    found.rejected.forEach(TuningDatabase::sayOnce);
    return found;
  }

  /**
   * Parameters for a device.
   *
   * @param databases in the order in which they are asked
   * @param hardware the device
   * @return parameters of every template of its profile
   * @throws DataException if a template has no entry for the device and no default
   */
  public static Lookup lookup(List<TuningDatabase> databases, Hardware hardware) {
    Map<Template, Parameters> tuning = new EnumMap<>(Template.class);
    Map<Template, String> sources = new HashMap<>();
    List<String> rejected = new ArrayList<>();
    for (Template t : Template.values()) {
      if (t.profile() == hardware.profile()) {
        find(t, databases, hardware, tuning, sources, rejected);
      }
    }
    return new Lookup(new Tuning(tuning), sources, rejected);
  }

  private static void find(
      Template t,
      List<TuningDatabase> databases,
      Hardware hardware,
      Map<Template, Parameters> tuning,
      Map<Template, String> sources,
      List<String> rejected) {
    TuningEntry last = null;
    for (TuningDatabase d : databases) {
      for (TuningEntry.Level level : TuningEntry.Level.values()) {
        for (TuningEntry e : d.entries) {
          Parameters p = e.templates().get(t);
          if (p == null || !level.matches(e, hardware)) {
            continue;
          }
          last = e;
          Optional<String> problem = p.problem(hardware);
          if (problem.isEmpty()) {
            tuning.put(t, p);
            sources.put(t, e.source());
            return;
          }
          String why =
              String.format(
                  "[tuning] %s of '%s' (%s) is left out on %s: %s",
                  t.label(), e.source(), p, hardware.device(), problem.get());
          if (!rejected.contains(why)) {
            rejected.add(why);
          }
        }
      }
    }
    if (last == null) {
      throw new DataException("[tuning] no default for " + t.label() + " on " + hardware.profile());
    }
    // Renderers do without a form that does not fit, so the last default is safe even then.
    tuning.put(t, last.templates().get(t));
    sources.put(t, last.source());
  }

  private static void sayOnce(String message) {
    if (SAID.add(message)) {
      System.err.println("tapedeck: " + message);
    }
  }

  /**
   * This database with an entry added; templates of an entry for the same devices are replaced.
   *
   * @param entry the new entry
   * @return the new database
   */
  public TuningDatabase with(TuningEntry entry) {
    List<TuningEntry> all = new ArrayList<>(entries);
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).sameDevices(entry)) {
        all.set(i, all.get(i).updatedBy(entry));
        return new TuningDatabase(all);
      }
    }
    all.add(entry);
    return new TuningDatabase(all);
  }

  /** {@return the database as maps, lists, texts and numbers, to be written as JSON} */
  public Map<String, Object> toMap() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("format", FORMAT);
    m.put("entries", entries.stream().map(TuningEntry::toMap).toList());
    return m;
  }

  /** Reads a text; {@code name} is what messages call it. */
  static TuningDatabase parse(byte[] text, String name) {
    try {
      return new TuningDatabase(EntryReader.entries(JsonTree.parse(text), FORMAT));
    } catch (DataException e) {
      throw new DataException("[tuning] " + name + " is not usable: " + e.getMessage(), e);
    }
  }
}
