package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.type.Precision;
import tapedeck.opencl.render.Rendered;
import tapedeck.opencl.render.Renderer;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.render.TensorCores;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Profile;
import tapedeck.opencl.tuning.TuningDatabase;

/**
 * Products and the tensor core probe are assembled for sm_90: the inline assembly is well-formed
 * and no kernel spills. {@code tapedeck.bench.gpu.GpuSourcesTest} does the same for workloads and
 * operations.
 */
class PtxTest {
  @TempDir Path folder;

  @Test
  void theProbeAssembles() {
    var usage = OfflineCompiler.nvidia(folder).sm90(TensorProbe.source());
    usage.forEach((k, u) -> assertEquals(0, u.spilled(), k));
    assertEquals(1, usage.size());
  }

  @Test
  void productsAssembleWithoutSpills() {
    OfflineCompiler compiler = OfflineCompiler.nvidia(folder);
    Target target = new Target(Profile.GPU, 132, 1024, 48 << 10, 16, true, TensorCores.PTX);
    Hardware h =
        new Hardware(Profile.GPU, "H100", "1", "sm_90", "NVIDIA Corporation", 1024, 48 << 10);
    Renderer renderer = new Renderer(target, TuningDatabase.lookup(h).tuning());
    List<Rendered> kernels = new ArrayList<>();
    Map<String, String> what = new LinkedHashMap<>();
    for (Precision precision : Precision.values()) {
      for (int variant : new int[] {0, 1, 2, 7}) {
        for (int n : new int[] {4096, 1024, 333}) {
          Kernel k = ProductTest.product(n, n, n, variant, precision);
          Rendered r = renderer.render(k, Runs.distinct(k));
          kernels.add(r);
          what.put(r.entry(), precision + " " + n + " variant " + variant + " " + r.strategy());
        }
      }
    }
    var usage = compiler.sm90(OfflineCompiler.program(kernels));
    List<String> spill = new ArrayList<>();
    usage.forEach(
        (name, u) -> {
          if (u.spilled() > 0) {
            spill.add(what.get(name) + " spills " + u.spilled() + " bytes");
          }
        });
    assertEquals(List.of(), spill);
    assertEquals(what.keySet(), usage.keySet());
  }
}
