package tapedeck.opencl.tuning;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tapedeck.ad.type.DataException;

/** Turns parsed JSON into entries; whatever is unknown, missing or impossible is an error. */
final class EntryReader {
  private static final Set<String> FIELDS =
      Set.of(
          "profile",
          "device",
          "driver",
          "family",
          "vendor",
          "source",
          "date",
          "templates",
          "measurements");

  private EntryReader() {}

  static List<TuningEntry> entries(Object json, int format) {
    Map<String, Object> root = object(json, "the file");
    known(root, Set.of("format", "entries"), "the file");
    if (!Integer.valueOf(format).equals(root.get("format"))) {
      throw new DataException("format must be " + format + ", not " + root.get("format"));
    }
    List<TuningEntry> out = new ArrayList<>();
    for (Object e : list(root.get("entries"), "entries")) {
      out.add(entry(e, "entries[" + out.size() + "]"));
    }
    return out;
  }

  private static TuningEntry entry(Object json, String where) {
    Map<String, Object> m = object(json, where);
    known(m, FIELDS, where);
    String label = text(m, "profile", where);
    Profile profile = null;
    for (Profile p : Profile.values()) {
      profile = p.label().equals(label) ? p : profile;
    }
    if (profile == null) {
      throw new DataException(where + ".profile must be cpu or gpu, not '" + label + "'");
    }
    String source = text(m, "source", where);
    if (source.isEmpty()) {
      throw new DataException(where + " must say its source");
    }
    String device = text(m, "device", where);
    String driver = text(m, "driver", where);
    if (device.isEmpty() && !driver.isEmpty()) {
      throw new DataException(where + " names a driver without a device");
    }
    return new TuningEntry(
        profile,
        device,
        driver,
        text(m, "family", where),
        text(m, "vendor", where),
        source,
        text(m, "date", where),
        templates(profile, m.get("templates"), where + ".templates"),
        measurements(m.get("measurements"), where + ".measurements"));
  }

  private static Map<Template, Parameters> templates(Profile profile, Object json, String where) {
    Map<Template, Parameters> out = new EnumMap<>(Template.class);
    for (Map.Entry<String, Object> e : object(json, where).entrySet()) {
      String here = where + "." + e.getKey();
      Template t =
          Template.of(profile, e.getKey())
              .orElseThrow(
                  () -> new DataException(here + ": no such template for " + profile.label()));
      Map<String, Object> given = new LinkedHashMap<>(object(e.getValue(), here));
      List<Integer> values = new ArrayList<>();
      for (Parameter p : t.parameters()) {
        if (!(given.remove(p.name()) instanceof Integer v)) {
          throw new DataException(here + " must have the integer " + p.name());
        }
        values.add(v);
      }
      known(given, Set.of(), here);
      Parameters p = new Parameters(t, values);
      Optional<String> wrong = p.contradiction();
      if (wrong.isPresent()) {
        throw new DataException(here + ": " + wrong.get());
      }
      out.put(t, p);
    }
    return out;
  }

  private static List<TuningEntry.Measurement> measurements(Object json, String where) {
    List<TuningEntry.Measurement> out = new ArrayList<>();
    if (json == null) {
      return out;
    }
    for (Object o : list(json, where)) {
      Map<String, Object> m = object(o, where);
      known(m, Set.of("template", "work", "before_seconds", "after_seconds"), where);
      out.add(
          new TuningEntry.Measurement(
              text(m, "template", where),
              text(m, "work", where),
              seconds(m.get("before_seconds"), where),
              seconds(m.get("after_seconds"), where)));
    }
    return out;
  }

  private static List<Double> seconds(Object json, String where) {
    List<Double> out = new ArrayList<>();
    for (Object o : list(json, where)) {
      if (!(o instanceof Number n)) {
        throw new DataException(where + " must hold numbers");
      }
      out.add(n.doubleValue());
    }
    return out;
  }

  private static Map<String, Object> object(Object json, String where) {
    if (!(json instanceof Map<?, ?> m)) {
      throw new DataException(where + " must be an object");
    }
    Map<String, Object> out = new LinkedHashMap<>();
    m.forEach((k, v) -> out.put(k.toString(), v));
    return out;
  }

  private static List<?> list(Object json, String where) {
    if (!(json instanceof List<?> l)) {
      throw new DataException(where + " must be a list");
    }
    return l;
  }

  /** A text, empty where there is none. */
  private static String text(Map<String, Object> m, String key, String where) {
    Object v = m.getOrDefault(key, "");
    if (!(v instanceof String s)) {
      throw new DataException(where + "." + key + " must be a text");
    }
    return s;
  }

  private static void known(Map<String, Object> m, Set<String> names, String where) {
    for (String k : m.keySet()) {
      if (!names.contains(k)) {
        throw new DataException(where + " has the unknown field '" + k + "'");
      }
    }
  }
}
