package tapedeck.opencl.render;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.opencl.tuning.Parameters;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/** Chooses the form of a kernel for a device and writes it. */
public final class Renderer {
  private final Target target;
  private final Tuning tuning;

  /** A renderer for one device with parameters of its templates. */
  public Renderer(Target target, Tuning tuning) {
    this.target = target;
    this.tuning = tuning;
  }

  /**
   * A kernel as OpenCL C.
   *
   * @param kernel the kernel
   * @param slots slot of each parameter; parameters with equal numbers share memory
   */
  public Rendered render(Kernel kernel, List<Integer> slots) {
    boolean[] written = written(kernel, slots);
    Facts facts = new Facts(kernel);
    Draft d = draft(kernel, written, facts);
    return finish(kernel, slots, written, facts.uses(DType.FLOAT64), d);
  }

  /**
   * What is enqueued for a schedule, in order.
   *
   * @param join whether launches that may be one are one; see {@link Schedule.Launch#joins}
   */
  public List<Dispatch> dispatches(Schedule schedule, boolean join) {
    List<Dispatch> out = new ArrayList<>();
    List<Schedule.Launch> all = schedule.launches();
    for (int from = 0, to; from < all.size(); from = to) {
      to = from + 1;
      while (join && to < all.size() && all.get(to).joins()) {
        to++;
      }
      out.addAll(together(schedule, all.subList(from, to)));
    }
    return out;
  }

  /** A launch with the form of its kernel. */
  private record Part(
      Schedule.Launch launch, List<Integer> slots, boolean[] written, Facts facts, Draft draft) {
    long group() {
      return draft.local()[0];
    }

    Rendered alone() {
      return finish(launch.kernel(), slots, written, facts.uses(DType.FLOAT64), draft);
    }
  }

  private Part part(Schedule schedule, Schedule.Launch l) {
    List<Integer> slots = sharing(schedule, l);
    boolean[] written = written(l.kernel(), slots);
    Facts facts = new Facts(l.kernel());
    return new Part(l, slots, written, facts, draft(l.kernel(), written, facts));
  }

  /** The part with work-groups of another size, which only matter where they share memory. */
  private Part resized(Part p, long group) {
    if (p.group() == group || !p.draft().locals().isEmpty()) {
      return p;
    }
    Kernel k = p.launch().kernel();
    Draft d = new LoopRenderer(k, target, p.written(), p.facts(), loops(k), group).render();
    return new Part(p.launch(), p.slots(), p.written(), p.facts(), d);
  }

  /** Launches that may be one as few dispatches, each of which computes what it would alone. */
  private List<Dispatch> together(Schedule schedule, List<Schedule.Launch> launches) {
    List<Part> parts = launches.stream().map(l -> part(schedule, l)).toList();
    long group =
        parts.stream()
            .max(
                Comparator.comparing((Part p) -> !p.draft().locals().isEmpty())
                    .thenComparingLong(Part::group))
            .orElseThrow()
            .group();
    List<Dispatch> out = new ArrayList<>();
    List<Part> joined = new ArrayList<>();
    long local = 0;
    for (Part p : parts) {
      Part sized = launches.size() == 1 ? p : resized(p, group);
      long more = local + p.draft().localBytes();
      if (sized.group() == group && more <= target.localBytes()) {
        joined.add(sized);
        local = more;
      } else {
        out.add(new Dispatch(p.alone(), List.of(p.launch())));
      }
    }
    Rendered text = joined.size() == 1 ? joined.getFirst().alone() : join(joined);
    out.add(new Dispatch(text, joined.stream().map(Part::launch).toList()));
    return out;
  }

  private static Rendered join(List<Part> parts) {
    JoinedText text = new JoinedText(parts.getFirst().draft());
    for (Part p : parts) {
      List<String> types = types(p.launch().kernel(), p.slots(), p.written());
      text.add(p.draft(), types, p.facts().uses(DType.FLOAT64));
    }
    return text.finish();
  }

  /**
   * For each parameter of a launch a number that parameters share exactly where their memory
   * overlaps.
   */
  private static List<Integer> sharing(Schedule schedule, Schedule.Launch l) {
    List<Integer> out = new ArrayList<>(l.slots());
    for (int i = 0; i < out.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (overlap(
            schedule.slots().get(l.slots().get(i)), schedule.slots().get(l.slots().get(j)))) {
          int from = out.get(i);
          int to = out.get(j);
          out.replaceAll(x -> x == from ? to : x);
        }
      }
    }
    return out;
  }

  private static boolean overlap(Schedule.Slot a, Schedule.Slot b) {
    return a.place() instanceof Schedule.Place.Arena x
        && b.place() instanceof Schedule.Place.Arena y
        && x.offset() < y.offset() + b.bytes()
        && y.offset() < x.offset() + a.bytes();
  }

  private Draft draft(Kernel k, boolean[] written, Facts facts) {
    boolean gpu = target.profile() == Profile.GPU;
    Draft d =
        gpu
            ? TensorProduct.render(k, target, written, facts, tuning)
            : CpuProduct.render(k, target, written, facts, tuning.get(Template.PRODUCT_BLOCKS));
    if (d == null && gpu) {
      d = GpuProduct.render(k, target, written, facts, tuning);
    }
    if (d == null && gpu) {
      d = GroupRenderer.render(k, target, written, facts, tuning.get(Template.REDUCE_GROUPS));
    }
    return d == null ? new LoopRenderer(k, target, written, facts, loops(k), 0).render() : d;
  }

  private Parameters loops(Kernel k) {
    if (target.profile() == Profile.GPU) {
      return tuning.get(Template.GRID);
    }
    boolean reduces = k.phases().stream().anyMatch(p -> p instanceof Phase.Reduce);
    return tuning.get(reduces ? Template.REDUCE_LOOPS : Template.LOOPS);
  }

  /** Parameters whose memory is written, through themselves or through one that shares it. */
  private static boolean[] written(Kernel k, List<Integer> slots) {
    boolean[] out = new boolean[k.params().size()];
    for (int i = 0; i < out.length; i++) {
      for (int j = 0; j < out.length; j++) {
        out[i] |= k.params().get(j).written() && slots.get(i).equals(slots.get(j));
      }
    }
    return out;
  }

  private static Rendered finish(
      Kernel k, List<Integer> slots, boolean[] written, boolean float64, Draft d) {
    StringBuilder s = new StringBuilder("(");
    List<String> types = types(k, slots, written);
    for (int i = 0; i < types.size(); i++) {
      s.append(i == 0 ? "" : ",").append("\n    ").append(types.get(i)).append('p').append(i);
    }
    s.append(") {\n");
    d.locals().forEach(l -> s.append("  ").append(l.declaration()).append('\n'));
    s.append(d.top().text()).append("}\n");
    String body = s.toString();
    String name = name(d.functions() + d.attributes() + body);
    return new Rendered(
        name,
        d.functions() + "__kernel " + d.attributes() + "void " + name + body,
        d.global(),
        d.local(),
        d.strategy(),
        float64);
  }

  /** The parameters' types as C text, to which a name can be added. */
  private static List<String> types(Kernel k, List<Integer> slots, boolean[] written) {
    List<String> out = new ArrayList<>();
    for (int i = 0; i < k.params().size(); i++) {
      int at = i;
      boolean alone =
          !written[i]
              || java.util.stream.IntStream.range(0, slots.size())
                  .noneMatch(j -> j != at && slots.get(j).equals(slots.get(at)));
      out.add(
          "__global "
              + (written[i] ? "" : "const ")
              + ScalarText.type(k.params().get(i).dtype(), 1)
              + (alone ? " *restrict " : " *"));
    }
    return out;
  }

  /** The name of a kernel with this text. */
  static String name(String text) {
    return "td_" + hash(text);
  }

  private static String hash(String text) {
    try {
      byte[] h = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(h, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
