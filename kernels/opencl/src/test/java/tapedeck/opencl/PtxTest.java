package tapedeck.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
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
 * GPU kernels and the tensor core probe are compiled to PTX with clang and assembled for sm_90 with
 * ptxas, without a device: the inline assembly is well-formed and no kernel spills. Skipped where
 * either tool is missing. NVIDIA's own OpenCL compiler may still decide otherwise.
 */
class PtxTest {
  @TempDir Path folder;

  private static void need(String tool) {
    Assumptions.assumeTrue(
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(d -> Files.isExecutable(Path.of(d, tool))),
        () -> "not tested, there is no " + tool + " in PATH");
  }

  private String run(String... command) throws IOException, InterruptedException {
    Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, p.waitFor(), () -> String.join(" ", command) + ":\n" + out);
    return out;
  }

  /** What NVIDIA's compiler brings and clang leaves open. */
  private static final String BUILTINS =
      """
      #define TD_INDEX(name, register) \\
        static inline size_t td_##name(uint d) { \\
          return d == 0 ? __nvvm_read_ptx_sreg_##register##_x() \\
            : d == 1 ? __nvvm_read_ptx_sreg_##register##_y() \\
            : __nvvm_read_ptx_sreg_##register##_z(); \\
        }
      TD_INDEX(local_id, tid)
      TD_INDEX(group_id, ctaid)
      TD_INDEX(local_size, ntid)
      TD_INDEX(num_groups, nctaid)
      #define get_local_id td_local_id
      #define get_group_id td_group_id
      #define get_local_size td_local_size
      #define get_num_groups td_num_groups
      #define get_global_id(d) (td_group_id(d) * td_local_size(d) + td_local_id(d))
      #define get_global_size(d) (td_num_groups(d) * td_local_size(d))
      #define barrier(flags) __syncthreads()
      #define fma(a, b, c) __nvvm_fma_rn_f(a, b, c)
      #define fmax(a, b) __nvvm_fmax_f(a, b)
      #define select(a, b, c) ((c) ? (b) : (a))
      """;

  private String assemble(String source) throws IOException, InterruptedException {
    Path in = Files.writeString(folder.resolve("kernel.cl"), BUILTINS + source);
    Path ptx = folder.resolve("kernel.ptx");
    // Clang knows asm in OpenCL C by its other name only.
    run(
        "clang",
        "-x",
        "cl",
        "-cl-std=CL1.2",
        "-Dasm=__asm__",
        "-target",
        "nvptx64-nvidia-nvcl",
        "-Xclang",
        "-finclude-default-header",
        "-O3",
        "-S",
        "-o",
        ptx.toString(),
        in.toString());
    String text = Files.readString(ptx);
    text =
        text.replaceFirst("\\.version .*", ".version 8.0")
            .replaceFirst("\\.target .*", ".target sm_90");
    Files.writeString(ptx, text);
    return run(
        "ptxas", "-arch=sm_90", "-v", "-o", folder.resolve("out").toString(), ptx.toString());
  }

  @Test
  void productsAndProbeAssembleWithoutSpills() throws IOException, InterruptedException {
    need("clang");
    need("ptxas");
    String probe = assemble(TensorProbe.source());
    assertTrue(probe.contains("0 bytes spill stores"), probe);
    Target target = new Target(Profile.GPU, 132, 1024, 48 << 10, 16, true, TensorCores.PTX);
    Hardware h =
        new Hardware(Profile.GPU, "H100", "1", "sm_90", "NVIDIA Corporation", 1024, 48 << 10);
    Renderer renderer = new Renderer(target, TuningDatabase.lookup(h).tuning());
    List<String> report = new ArrayList<>();
    for (Precision precision : Precision.values()) {
      for (int variant : new int[] {0, 1, 2, 7}) {
        for (int n : new int[] {4096, 1024, 333}) {
          Kernel k = ProductTest.product(n, n, n, variant, precision);
          Rendered r = renderer.render(k, Runs.distinct(k));
          String out = assemble(Rendered.preamble(false) + r.source());
          boolean fine = out.contains("0 bytes spill stores, 0 bytes spill loads");
          String used = out.lines().filter(l -> l.contains("Used")).findFirst().orElse(out).strip();
          report.add(
              precision + " " + n + " variant " + variant + " " + r.strategy() + ": " + used);
          if (!fine) {
            report.set(report.size() - 1, report.getLast() + " SPILLS\n" + out);
          }
        }
      }
    }
    String all = String.join("\n", report);
    if (System.getProperty("tapedeck.ptx.report") != null) {
      Files.writeString(Path.of(System.getProperty("tapedeck.ptx.report")), all);
    }
    assertTrue(!all.contains("SPILLS"), all);
  }
}
