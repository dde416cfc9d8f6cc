package tapedeck.opencl.tuning;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Values for all parameters of a template.
 *
 * @param template the template
 * @param values a value for each of its parameters, in their order
 */
public record Parameters(Template template, List<Integer> values) {

  /**
   * Checks that there are as many values as parameters.
   *
   * @throws IllegalArgumentException if not
   */
  public Parameters {
    values = List.copyOf(values);
    if (values.size() != template.parameters().size()) {
      throw new IllegalArgumentException(
          "[tuning] " + values.size() + " values for " + template.parameters().size());
    }
  }

  /**
   * The value of a parameter.
   *
   * @param name name of the parameter
   * @return its value
   * @throws IllegalArgumentException if the template has no such parameter
   */
  public int get(String name) {
    return values.get(index(name));
  }

  /**
   * These values with another one for a parameter.
   *
   * @param name name of the parameter
   * @param value its new value
   * @return the new values
   * @throws IllegalArgumentException if the template has no such parameter
   */
  public Parameters with(String name, int value) {
    List<Integer> changed = new ArrayList<>(values);
    changed.set(index(name), value);
    return new Parameters(template, changed);
  }

  private int index(String name) {
    for (int i = 0; i < values.size(); i++) {
      if (template.parameters().get(i).name().equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException("[tuning] " + template.label() + " has no " + name);
  }

  /**
   * Why kernels cannot be written with these values on any device.
   *
   * @return the reason, empty where they can
   */
  public Optional<String> contradiction() {
    for (int i = 0; i < values.size(); i++) {
      Parameter p = template.parameters().get(i);
      int v = values.get(i);
      if (v < p.min() || v > p.max()) {
        return Optional.of(
            p.name() + " " + v + " is not in the range from " + p.min() + " to " + p.max());
      }
    }
    return template.contradiction(this);
  }

  /**
   * Why kernels cannot be written with these values for a device.
   *
   * @param hardware the device
   * @return the reason, empty where they can
   */
  public Optional<String> problem(Hardware hardware) {
    Optional<String> c = contradiction();
    if (c.isPresent()) {
      return c;
    }
    int group = template.group(this);
    if (group > hardware.maxGroup()) {
      return Optional.of(
          "work-groups of " + group + "; the device's limit is " + hardware.maxGroup());
    }
    long local = template.localBytes(this);
    return local > hardware.localBytes()
        ? Optional.of(local + " bytes of local memory; the device has " + hardware.localBytes())
        : Optional.empty();
  }

  /** {@return the values by name, in the order of the parameters} */
  public Map<String, Integer> toMap() {
    Map<String, Integer> m = new LinkedHashMap<>();
    for (int i = 0; i < values.size(); i++) {
      m.put(template.parameters().get(i).name(), values.get(i));
    }
    return m;
  }

  /** {@return the values with their names, such as {@code size 64, step 16}} */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    toMap().forEach((k, v) -> parts.add(k + " " + v));
    return String.join(", ", parts);
  }
}
