package tapedeck.cpu.interp;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.schedule.Schedule.Launch;
import tapedeck.ad.type.DeviceException;
import tapedeck.cpu.interp.InterpExecutable.Region;

/** A kernel as closures, and the loops around them. */
final class CompiledKernel {
  /** Work of one iteration of a phase, or of what frames it. */
  interface Action {
    void run(Frame f);
  }

  /**
   * One phase.
   *
   * @param loops its loops; the frame's loop variables start at {@code firstLoop}
   * @param begin done before its first iteration
   * @param body done at each
   * @param end done after its last
   */
  record Step(int firstLoop, List<Loop> loops, Action begin, Action body, Action end) {}

  private final Kernel kernel;
  private final List<Step> steps;
  private final int loopCount;
  private final int accCount;
  private final int sharedCount;

  CompiledKernel(Kernel kernel, List<Step> steps, int loopCount, int accCount, int sharedCount) {
    this.kernel = kernel;
    this.steps = steps;
    this.loopCount = loopCount;
    this.accCount = accCount;
    this.sharedCount = sharedCount;
  }

  /**
   * Runs all grid points, in order.
   *
   * @throws DeviceException naming the launch, the position and the rule that was broken there
   */
  void run(Launch launch, List<Region> regions) {
    Frame f = frame(regions);
    Step[] current = new Step[1];
    try {
      nest(
          f,
          kernel.grid(),
          0,
          0,
          point -> {
            point.pointStart = point.step + 1;
            for (Step s : steps) {
              current[0] = s;
              point.phaseStart = point.step + 1;
              s.begin().run(point);
              nest(
                  point,
                  s.loops(),
                  s.firstLoop(),
                  0,
                  it -> {
                    it.step++;
                    s.body().run(it);
                  });
              s.end().run(point);
            }
          });
    } catch (Violation v) {
      throw violation(launch, f, current[0], v);
    }
  }

  private static void nest(Frame f, List<Loop> loops, int first, int depth, Action body) {
    if (depth == loops.size()) {
      body.run(f);
      return;
    }
    long extent = loops.get(depth).extent();
    for (long i = 0; i < extent; i++) {
      f.loops[first + depth] = i;
      nest(f, loops, first, depth + 1, body);
    }
  }

  private DeviceException violation(Launch launch, Frame f, Step s, Violation v) {
    long[] grid = Arrays.copyOf(f.loops, kernel.grid().size());
    long[] loops = Arrays.copyOfRange(f.loops, s.firstLoop(), s.firstLoop() + s.loops().size());
    return new DeviceException(
        "[interp] kernel "
            + launch.label()
            + ", phase "
            + steps.indexOf(s)
            + ": "
            + v.getMessage()
            + "; at grid point "
            + Arrays.toString(grid)
            + ", loops "
            + Arrays.toString(loops)
            + (launch.source().isEmpty() ? "" : "; at " + launch.source()),
        v);
  }

  private Frame frame(List<Region> regions) {
    int n = regions.size();
    MemorySegment[] memory = new MemorySegment[n];
    for (int i = 0; i < n; i++) {
      memory[i] = regions.get(i).memory();
    }
    Monitor[] monitors = new Monitor[n];
    long[] offsets = new long[n];
    if (!"off".equalsIgnoreCase(System.getProperty("tapedeck.interp.checks"))) {
      monitor(regions, monitors, offsets);
    }
    return new Frame(memory, monitors, offsets, loopCount, accCount, sharedCount);
  }

  /** One monitor for each set of overlapping parameters of which one is written. */
  private void monitor(List<Region> regions, Monitor[] monitors, long[] offsets) {
    for (int i = 0; i < regions.size(); i++) {
      if (!kernel.params().get(i).written() || monitors[i] != null) {
        continue;
      }
      List<Integer> group = new ArrayList<>(List.of(i));
      for (int at = 0; at < group.size(); at++) {
        for (int j = 0; j < regions.size(); j++) {
          if (!group.contains(j) && regions.get(group.get(at)).overlaps(regions.get(j))) {
            group.add(j);
          }
        }
      }
      long from = Long.MAX_VALUE;
      long to = 0;
      int unit = 4;
      for (int j : group) {
        from = Math.min(from, regions.get(j).offset());
        to = Math.max(to, regions.get(j).offset() + regions.get(j).memory().byteSize());
        unit = Math.min(unit, kernel.params().get(j).dtype().bytes());
      }
      Monitor m = new Monitor(to - from, unit);
      for (int j : group) {
        monitors[j] = m;
        offsets[j] = regions.get(j).offset() - from;
      }
    }
  }
}
