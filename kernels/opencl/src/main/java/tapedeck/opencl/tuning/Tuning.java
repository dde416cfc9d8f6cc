package tapedeck.opencl.tuning;

import java.util.EnumMap;
import java.util.Map;

/** The parameters of every template of one profile. Immutable. */
public final class Tuning {
  private final Map<Template, Parameters> byTemplate;

  Tuning(Map<Template, Parameters> byTemplate) {
    this.byTemplate = new EnumMap<>(byTemplate);
  }

  /**
   * The parameters of a template.
   *
   * @param template a template of this profile
   * @return its parameters
   * @throws IllegalArgumentException if the template is of another profile
   */
  public Parameters get(Template template) {
    Parameters p = byTemplate.get(template);
    if (p == null) {
      throw new IllegalArgumentException("[tuning] no parameters for " + template);
    }
    return p;
  }

  /**
   * This tuning with other parameters for one template.
   *
   * @param parameters the new parameters
   * @return the new tuning
   */
  public Tuning with(Parameters parameters) {
    Map<Template, Parameters> changed = new EnumMap<>(byTemplate);
    changed.put(parameters.template(), parameters);
    return new Tuning(changed);
  }

  /** {@return the parameters of each template, for messages} */
  @Override
  public String toString() {
    return byTemplate.toString();
  }
}
