package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tapedeck.ad.backend.Device;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.schedule.Schedule;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Renderer;

/** Several launches as one kernel compute the same bits as one by one, in every form. */
class JoinTest {
  private static final int KERNELS = 24;
  private static final int TOGETHER = 6;

  static List<String> profiles() {
    return TestDevices.profiles();
  }

  private static boolean scatters(Runs.Case c) {
    return c.kernel().phases().stream().anyMatch(p -> p instanceof Phase.ScatterAdd);
  }

  /** The schedule with launches that may run together, some at a time. */
  private static Schedule joined(Schedule s) {
    List<Schedule.Launch> out = new ArrayList<>();
    for (Schedule.Launch l : s.launches()) {
      boolean joins = out.size() % TOGETHER != 0;
      out.add(new Schedule.Launch(l.kernel(), l.label(), l.source(), l.slots(), joins));
    }
    return new Schedule(s.slots(), out, s.inputs(), s.outputs(), s.arenaBytes(), s.liveBytes());
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void computesTheSameBits(String profile) {
    try (Device cl = TestDevices.open(profile)) {
      List<Runs.Case> cases = new ArrayList<>();
      for (long seed = 1; cases.size() < KERNELS; seed++) {
        Runs.Case c = RandomKernels.make(seed);
        if (!scatters(c)) {
          cases.add(seed % 5 == 0 ? c.wide() : c);
        }
      }
      List<double[]> alone = Runs.run(cl, cases);
      List<double[]> together = Runs.run(cl, cases, s -> cl.compile(joined(s)));
      assertEquals(alone.size(), together.size());
      for (int i = 0; i < alone.size(); i++) {
        assertArrayEquals(alone.get(i), together.get(i), profile + ", output " + i);
      }
      Schedule s = joined(Runs.schedule(cases));
      OpenClDevice device = (OpenClDevice) cl;
      Renderer renderer = new Renderer(device.description().target(), device.tuning());
      List<Dispatch> dispatches = renderer.dispatches(s, true);
      assertTrue(dispatches.size() <= KERNELS / 2, dispatches.size() + " dispatches");
      assertEquals(KERNELS, dispatches.stream().mapToInt(d -> d.launches().size()).sum());
      assertEquals(KERNELS, renderer.dispatches(s, false).size());
    }
  }
}
