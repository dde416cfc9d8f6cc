package tapedeck.opencl.render;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One kernel of several: each part is a function, and each work-group of the kernel runs one of
 * them. Groups are dealt out to the parts in order. Local memory, which only kernels can declare,
 * is handed to the functions.
 */
final class JoinedText {
  /** Stands for the kernel's name until its text is known. */
  private static final String NAME = "@";

  private final StringBuilder functions = new StringBuilder();
  private final StringBuilder body = new StringBuilder();
  private final StringBuilder parameters = new StringBuilder();
  private final List<String> strategies = new ArrayList<>();
  private final long[] local;
  private final String attributes;
  private int arguments;
  private int parts;
  private long groups;
  private boolean float64;

  /** A kernel with the work-group size of its first part. */
  JoinedText(Draft first) {
    this.local = first.local();
    this.attributes = first.attributes();
  }

  /**
   * Adds a part of the same work-group size, which calls no functions.
   *
   * @param types of its parameters, as C text without names
   */
  void add(Draft d, List<String> types, boolean usesFloat64) {
    float64 |= usesFloat64;
    strategies.add(d.strategy());
    String function = NAME + "_" + parts;
    List<String> given = new ArrayList<>();
    List<String> wanted = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      parameters.append(arguments == 0 ? "\n    " : ",\n    ").append(types.get(i));
      parameters.append('p').append(arguments);
      given.add("p" + arguments++);
      wanted.add(types.get(i) + "p" + i);
    }
    wanted.add("const int group");
    given.add(groups == 0 ? "group" : "group - " + groups);
    StringBuilder arrays = new StringBuilder();
    for (Draft.Local l : d.locals()) {
      Draft.Local own = new Draft.Local(l.dtype(), l.name() + "_" + parts, l.elements());
      arrays.append("  ").append(own.declaration()).append('\n');
      given.add(own.name());
      wanted.add("__local " + ScalarText.type(l.dtype(), 1) + " *" + l.name());
    }
    body.insert(0, arrays);
    functions.append("static inline void ").append(function).append("(\n    ");
    functions.append(String.join(",\n    ", wanted)).append(") {\n");
    functions.append(place(d)).append("}\n");
    groups += d.groups();
    body.append(parts == 0 ? "  const int group = (int)get_group_id(0);\n  " : "  else ");
    body.append("if (group < ").append(groups).append(") ").append(function);
    body.append('(').append(String.join(", ", given)).append(");\n");
    parts++;
  }

  /** The part's text, with its own numbers in place of those of groups and work-items. */
  private String place(Draft d) {
    String text = d.top().text().replace("get_group_id(0)", "group");
    if (d.global().length == 1) {
      return text.replace("get_global_id(0)", "(group * " + local[0] + " + (int)get_local_id(0))");
    }
    // On CPU devices a work-item is a group.
    return text.replace("get_global_id(0)", "(group % " + d.global()[0] + ")")
        .replace("get_global_id(1)", "(group / " + d.global()[0] + ")");
  }

  Rendered finish() {
    String text =
        functions
            + "__kernel "
            + attributes
            + "void "
            + NAME
            + "("
            + parameters
            + ") {\n"
            + body
            + "}\n";
    String name = Renderer.name(text);
    return new Rendered(
        name,
        text.replace(NAME, name),
        new long[] {groups * local[0]},
        new long[] {local[0]},
        strategies.stream().collect(Collectors.joining(" | ")),
        float64);
  }
}
