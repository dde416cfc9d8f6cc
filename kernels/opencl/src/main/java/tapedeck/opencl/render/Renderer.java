package tapedeck.opencl.render;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
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
   * A launch's kernel as OpenCL C.
   *
   * @param schedule tells which of its parameters share memory
   * @param launch one of the schedule's launches
   */
  public Rendered render(Schedule schedule, Schedule.Launch launch) {
    return render(launch.kernel(), sharing(schedule, launch));
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
    return d == null ? new LoopRenderer(k, target, written, facts, loops(k)).render() : d;
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
    for (int i = 0; i < k.params().size(); i++) {
      Kernel.Param p = k.params().get(i);
      int at = i;
      boolean alone =
          !written[i]
              || java.util.stream.IntStream.range(0, slots.size())
                  .noneMatch(j -> j != at && slots.get(j).equals(slots.get(at)));
      s.append(i == 0 ? "" : ",").append("\n    __global ").append(written[i] ? "" : "const ");
      s.append(ScalarText.type(p.dtype(), 1)).append(alone ? " *restrict p" : " *p").append(i);
    }
    s.append(") {\n").append(d.top().text()).append("}\n");
    String body = s.toString();
    String name = "td_" + hash(d.functions() + d.attributes() + body);
    return new Rendered(
        name,
        d.functions() + "__kernel " + d.attributes() + "void " + name + body,
        d.global(),
        d.local(),
        d.strategy(),
        float64);
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
