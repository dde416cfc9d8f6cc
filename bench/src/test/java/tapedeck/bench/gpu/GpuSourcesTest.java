package tapedeck.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.Ad;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.Devices;
import tapedeck.ad.schedule.Schedule;
import tapedeck.ad.tensor.Tensor;
import tapedeck.bench.work.Line;
import tapedeck.bench.work.MlpWork;
import tapedeck.bench.work.Size;
import tapedeck.bench.work.Workload;
import tapedeck.bench.work.Workloads;
import tapedeck.cpu.selfcheck.DeviceChecks;
import tapedeck.cpu.selfcheck.SelfCheck;
import tapedeck.opencl.OfflineCompiler;
import tapedeck.opencl.OfflineCompiler.Usage;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Rendered;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.render.SplitProducts;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.render.TensorCores;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.Tuning;
import tapedeck.opencl.tuning.TuningDatabase;

/**
 * Every kernel that the workloads need at the sizes for GPUs, and those of the table of operations,
 * compiled for GPUs that are not there. {@code -Dtapedeck.gpu.sources=all} takes every row of that
 * table and not each eighth; {@code -Dtapedeck.gpu.report=FILE} writes what each kernel needs.
 */
class GpuSourcesTest {
  private static final String DEVICE = "sources";
  private static final int BATCH = 48;

  @TempDir Path folder;

  @BeforeAll
  static void collect() {
    Map<String, List<Schedule>> known = SourcesProvider.schedules();
    if (!known.isEmpty()) {
      return;
    }
    Workloads.of(() -> MlpWork.random(128, 0), Size.LARGE)
        .forEach((_, w) -> Ad.onDevice(DEVICE, () -> trace(w.get())));
    Device device = Devices.open(DEVICE);
    boolean all = "all".equals(System.getProperty("tapedeck.gpu.sources"));
    int i = 0;
    for (var row : SelfCheck.rows(device, DeviceChecks.Effort.QUICK).entrySet()) {
      if (all || i++ % 8 == 0) {
        SourcesProvider.user(row.getKey());
        // Nothing runs, so what is wrong with the values is of no interest.
        var _ = row.getValue().get();
      }
    }
  }

  private static boolean trace(Workload w) {
    Map<String, Tensor> operands = new LinkedHashMap<>();
    var data = w.data();
    Function<String, Tensor> operand =
        name -> operands.computeIfAbsent(name, n -> data.get(n).tensor());
    for (Line l : w.lines(operand)) {
      SourcesProvider.user(l.name());
      l.once();
    }
    operands.values().forEach(Tensor::close);
    return true;
  }

  /** A device's kernels, by entry, and where each is used first. */
  private static Map<Rendered, String> kernels(Target target, Hardware hardware) {
    Tuning tuning = TuningDatabase.lookup(hardware).tuning();
    Renderer renderer = new Renderer(target, tuning);
    Map<String, Rendered> byEntry = new LinkedHashMap<>();
    Map<Rendered, String> out = new LinkedHashMap<>();
    SourcesProvider.schedules()
        .forEach(
            (user, schedules) -> {
              for (Schedule whole : schedules) {
                Schedule s = SplitProducts.of(whole, target, tuning).schedule();
                for (Dispatch d : renderer.dispatches(s, true)) {
                  Rendered r = d.text();
                  if (byEntry.put(r.entry(), r) == null) {
                    out.put(r, user + ": " + d.label() + " (" + r.strategy() + ")");
                  }
                }
              }
            });
    return out;
  }

  private void check(
      String name, Map<Rendered, String> kernels, Function<String, Map<String, Usage>> compiler)
      throws IOException {
    List<Rendered> all = List.copyOf(kernels.keySet());
    List<String> report = new ArrayList<>();
    List<String> spill = new ArrayList<>();
    for (int i = 0; i < all.size(); i += BATCH) {
      List<Rendered> some = all.subList(i, Math.min(all.size(), i + BATCH));
      Map<String, Usage> usage = compiler.apply(OfflineCompiler.program(some));
      for (Rendered r : some) {
        Usage u = usage.get(r.entry());
        assertTrue(u != null, () -> kernels.get(r) + " is missing:\n" + r.source());
        report.add(name + " " + u + " " + kernels.get(r));
        if (u.spilled() > 0) {
          spill.add(report.getLast());
        }
      }
    }
    String file = System.getProperty("tapedeck.gpu.report");
    if (file != null) {
      Files.write(Path.of(file + "." + name), report);
    }
    assertTrue(report.size() > 100, report.size() + " kernels are not all");
    assertEquals(List.of(), spill);
  }

  @Test
  void forAnH100() throws IOException {
    OfflineCompiler compiler = OfflineCompiler.nvidia(folder);
    Hardware h =
        new Hardware(Profile.GPU, "H100", "1", "sm_90", "NVIDIA Corporation", 1024, 48 << 10);
    Target t = new Target(Profile.GPU, 132, 1024, 48 << 10, 16, true, TensorCores.PTX);
    check("sm_90", kernels(t, h), compiler::sm90);
  }

  @Test
  void forAnAmdGpu() throws IOException {
    OfflineCompiler compiler = OfflineCompiler.amd(folder);
    Hardware h =
        new Hardware(
            Profile.GPU, "MI210", "1", "gfx90a", "Advanced Micro Devices, Inc.", 256, 64 << 10);
    Target t = new Target(Profile.GPU, 104, 256, 64 << 10, 16, true, TensorCores.NONE);
    check("gfx90a", kernels(t, h), text -> compiler.gfx(text, "gfx90a"));
  }
}
