package tapedeck.bench.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Buffer;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.backend.Executable;
import tapedeck.ad.backend.MemoryStats;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;
import tapedeck.opencl.OpenClProvider;
import tapedeck.opencl.Profiled;
import tapedeck.opencl.Tunable;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Template;
import tapedeck.opencl.tuning.Tuning;

/** Short tuning runs on the first OpenCL device, with and without faults of its kernels. */
class TunerTest {
  private static final String PROFILE = "tapedeck.opencl.profile";

  private static Device open(Profile profile) {
    String before = System.getProperty(PROFILE);
    System.setProperty(PROFILE, profile.label());
    try {
      BackendProvider.Discovery found = new OpenClProvider().discover();
      Assumptions.assumeFalse(
          found.devices().isEmpty(), () -> "not tested, no OpenCL device: " + found.rejections());
      return found.devices().getFirst().open();
    } finally {
      if (before == null) {
        System.clearProperty(PROFILE);
      } else {
        System.setProperty(PROFILE, before);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void shortRunsEndWithPossibleParameters(Profile profile) {
    List<Watched> opened = new ArrayList<>();
    Tuner tuner =
        new Tuner(
            () -> {
              opened.add(new Watched(open(profile), t -> Fault.NONE));
              return opened.getLast();
            },
            true,
            0,
            text -> {});
    Map<Template, Tuner.Outcome> out = tuner.run(EnumSet.allOf(Works.Kind.class), 8);
    Hardware h = opened.getFirst().hardware();
    for (Template t : Template.values()) {
      assertEquals(t.profile() == profile, out.containsKey(t), t.label());
    }
    out.forEach(
        (t, o) -> {
          assertTrue(o.after().problem(h).isEmpty(), o.after().toString());
          assertTrue(o.tried() > 0, t.label());
          assertEquals(0, o.counts().wrong(), t.label());
          assertEquals(0, o.counts().failed(), t.label());
          assertEquals(o.faster(), !o.samples().isEmpty(), t.label());
        });
    opened.forEach(d -> assertEquals(0, d.leftBuffers, "buffers left at the end"));
  }

  /** What a device does wrong with some parameters. */
  private enum Fault {
    NONE,
    BUILD,
    RESULT
  }

  @Test
  void faultyCandidatesAreCountedAndNeverChosen() {
    List<Watched> opened = new ArrayList<>();
    // What is in force is right; of the rest, one half does not build and the other gives nothing.
    Tuning[] good = new Tuning[1];
    Tuner tuner =
        new Tuner(
            () -> {
              Device d = open(Profile.CPU);
              good[0] = ((Tunable) d).tuning();
              int bytes = good[0].get(Template.LOOPS).get("bytes");
              opened.add(
                  new Watched(
                      d,
                      t ->
                          t.get(Template.LOOPS).equals(good[0].get(Template.LOOPS))
                              ? Fault.NONE
                              : t.get(Template.LOOPS).get("bytes") == bytes
                                  ? Fault.RESULT
                                  : Fault.BUILD));
              return opened.getLast();
            },
            true,
            0,
            text -> {});
    Tuner.Outcome o = tuner.run(EnumSet.of(Works.Kind.ELEMENTWISE), 15).get(Template.LOOPS);
    assertEquals(o.before(), o.after());
    assertTrue(o.counts().failed() > 0, "failed builds");
    assertTrue(o.counts().wrong() > 0, "wrong results");
    assertEquals(0, o.counts().timed());
    assertTrue(opened.size() > 2, "the device is opened anew after a failure");
    opened.forEach(d -> assertEquals(0, d.leftBuffers, "buffers left at the end"));
  }

  @Test
  void wrongResultsOfWhatIsInForceAreAnError() {
    List<Watched> opened = new ArrayList<>();
    Tuner tuner =
        new Tuner(
            () -> {
              opened.add(new Watched(open(Profile.CPU), t -> Fault.RESULT));
              return opened.getLast();
            },
            true,
            0,
            text -> {});
    DeviceException e =
        assertThrows(DeviceException.class, () -> tuner.run(EnumSet.of(Works.Kind.ELEMENTWISE), 5));
    assertTrue(e.getMessage().contains("is wrong on opencl:0"), e.getMessage());
    opened.forEach(d -> assertEquals(0, d.leftBuffers, "buffers left at the end"));
  }

  /** A device that can be made to fail, and remembers what was not freed before it was closed. */
  private static final class Watched implements Device, Tunable {
    private final Device device;
    private final Tunable tunable;
    private final Function<Tuning, Fault> faults;
    private long leftBuffers = -1;

    Watched(Device device, Function<Tuning, Fault> faults) {
      this.device = device;
      this.tunable = (Tunable) device;
      this.faults = faults;
    }

    @Override
    public Executable compile(Schedule schedule, Tuning tuning) {
      Executable e = tunable.compile(schedule, tuning);
      return switch (faults.apply(tuning)) {
        case NONE -> e;
        case BUILD -> {
          e.close();
          throw new DeviceException("[test] does not build");
        }
        case RESULT -> new Idle(e);
      };
    }

    @Override
    public void close() {
      leftBuffers = device.memory().liveBuffers();
      device.close();
    }

    @Override
    public Hardware hardware() {
      return tunable.hardware();
    }

    @Override
    public Tuning tuning() {
      return tunable.tuning();
    }

    @Override
    public String source(Template template) {
      return tunable.source(template);
    }

    @Override
    public List<String> kernels(Schedule schedule, Tuning tuning) {
      return tunable.kernels(schedule, tuning);
    }

    @Override
    public String name() {
      return device.name();
    }

    @Override
    public DeviceInfo info() {
      return device.info();
    }

    @Override
    public boolean supports(DType dtype) {
      return device.supports(dtype);
    }

    @Override
    public Buffer allocate(long bytes) {
      return device.allocate(bytes);
    }

    @Override
    public void write(Buffer dst, MemorySegment src) {
      device.write(dst, src);
    }

    @Override
    public void read(Buffer src, MemorySegment dst) {
      device.read(src, dst);
    }

    @Override
    public Executable compile(Schedule schedule) {
      return device.compile(schedule);
    }

    @Override
    public void synchronize() {
      device.synchronize();
    }

    @Override
    public MemoryStats memory() {
      return device.memory();
    }
  }

  /** Computes nothing. */
  private record Idle(Executable executable) implements Executable, Profiled {
    @Override
    public void run(List<Buffer> inputs, List<Buffer> outputs) {}

    @Override
    public List<KernelTime> kernelTimes() {
      return ((Profiled) executable).kernelTimes();
    }

    @Override
    public void close() {
      executable.close();
    }
  }
}
