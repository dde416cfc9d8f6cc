package tapedeck.opencl.tuning;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One entry of a database: parameters for the devices that it names. An empty text names none, so
 * an entry without any is a default.
 *
 * @param profile kind of device
 * @param device name of a device, or empty
 * @param driver driver version that belongs to the device's name, or empty
 * @param family architecture, or empty
 * @param vendor vendor, or empty
 * @param source where the values come from: measured how, or reasoned from what
 * @param date day of the measurement, or empty
 * @param templates parameters by template
 * @param measurements what they were chosen by; empty where nothing was measured
 */
public record TuningEntry(
    Profile profile,
    String device,
    String driver,
    String family,
    String vendor,
    String source,
    String date,
    Map<Template, Parameters> templates,
    List<Measurement> measurements) {

  /** Copies the collections. */
  public TuningEntry {
    templates = Map.copyOf(templates);
    measurements = List.copyOf(measurements);
  }

  /**
   * Samples of one piece of work, taken in turns.
   *
   * @param template name of the template that was tuned
   * @param work what was computed
   * @param before seconds with the parameters that were in force before
   * @param after seconds with the chosen ones
   */
  public record Measurement(String template, String work, List<Double> before, List<Double> after) {

    /** Copies the samples. */
    public Measurement {
      before = List.copyOf(before);
      after = List.copyOf(after);
    }
  }

  /** How closely an entry names a device; closer ones come first. */
  enum Level {
    DRIVER,
    DEVICE,
    FAMILY,
    VENDOR,
    DEFAULT;

    /** Whether this entry is for the device at this level. */
    boolean matches(TuningEntry e, Hardware h) {
      if (e.profile != h.profile()) {
        return false;
      }
      return switch (this) {
        case DRIVER -> same(e.device, h.device()) && same(e.driver, h.driver());
        // Measured under another driver is closer than anything of other devices.
        case DEVICE -> same(e.device, h.device());
        case FAMILY -> e.device.isEmpty() && same(e.family, h.family());
        case VENDOR -> e.device.isEmpty() && e.family.isEmpty() && same(e.vendor, h.vendor());
        case DEFAULT -> e.device.isEmpty() && e.family.isEmpty() && e.vendor.isEmpty();
      };
    }

    private static boolean same(String wanted, String found) {
      return !wanted.isEmpty() && wanted.equalsIgnoreCase(found);
    }
  }

  /** Whether two entries are for the same devices. */
  boolean sameDevices(TuningEntry o) {
    return profile == o.profile
        && device.equals(o.device)
        && driver.equals(o.driver)
        && family.equals(o.family)
        && vendor.equals(o.vendor);
  }

  /** A newer entry for the same devices, with what only this one has added. */
  TuningEntry updatedBy(TuningEntry newer) {
    Map<Template, Parameters> all = new LinkedHashMap<>(templates);
    all.putAll(newer.templates);
    List<Measurement> samples =
        new ArrayList<>(
            measurements.stream()
                .filter(
                    m ->
                        newer.templates.keySet().stream()
                            .noneMatch(t -> t.label().equals(m.template)))
                .toList());
    samples.addAll(newer.measurements);
    return new TuningEntry(
        profile, device, driver, family, vendor, newer.source, newer.date, all, samples);
  }

  /** The entry as the object that is written as JSON. */
  Map<String, Object> toMap() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("profile", profile.label());
    optional(m, "device", device);
    optional(m, "driver", driver);
    optional(m, "family", family);
    optional(m, "vendor", vendor);
    m.put("source", source);
    optional(m, "date", date);
    Map<String, Object> parameters = new LinkedHashMap<>();
    new TreeMap<>(templates).forEach((t, p) -> parameters.put(t.label(), p.toMap()));
    m.put("templates", parameters);
    if (!measurements.isEmpty()) {
      List<Object> list = new ArrayList<>();
      for (Measurement x : measurements) {
        Map<String, Object> sample = new LinkedHashMap<>();
        sample.put("template", x.template);
        sample.put("work", x.work);
        sample.put("before_seconds", x.before);
        sample.put("after_seconds", x.after);
        list.add(sample);
      }
      m.put("measurements", list);
    }
    return m;
  }

  private static void optional(Map<String, Object> m, String key, String value) {
    if (!value.isEmpty()) {
      m.put(key, value);
    }
  }
}
