package tapedeck.opencl;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import tapedeck.opencl.render.Rendered;

/**
 * Compiles kernels for GPUs that are not there: with clang and libclc to PTX, which ptxas assembles
 * for sm_90, or to code of an AMD GPU. Tests that need one of these tools are skipped where it is
 * missing. The drivers' own compilers may still decide otherwise.
 */
public final class OfflineCompiler {
  private static final Path LIBRARIES = Path.of("/usr/lib/clc");
  private static final String NVIDIA = "nvptx64--nvidiacl.bc";
  private static final String AMD = "amdgcn--amdhsa.bc";

  /** Versions whose bitcode the library may be of, newest first. */
  private static final List<String> CLANGS =
      List.of("clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14", "clang");

  private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");
  private static final Pattern SPILL = Pattern.compile("(\\d+) bytes spill stores");
  private static final Pattern USED = Pattern.compile("Used (\\d+) registers");
  private static final Pattern AMD_FIELD =
      Pattern.compile("\\.(name|vgpr_count|vgpr_spill_count): +(\\w+)$");

  /**
   * What a kernel needs.
   *
   * @param registers of one work-item
   * @param spilled bytes on NVIDIA, registers on AMD GPUs, that did not find one
   */
  public record Usage(int registers, int spilled) {}

  private final Path folder;
  private final String clang;

  private OfflineCompiler(Path folder, String clang) {
    this.folder = folder;
    this.clang = clang;
  }

  /** For NVIDIA GPUs; the test that asks is skipped where a tool is missing. */
  public static OfflineCompiler nvidia(Path folder) {
    need("ptxas");
    return open(folder, NVIDIA, "nvptx64-unknown-nvidiacl");
  }

  /** For AMD GPUs; the test that asks is skipped where a tool is missing. */
  public static OfflineCompiler amd(Path folder) {
    return open(folder, AMD, "amdgcn-unknown-amdhsa");
  }

  private static OfflineCompiler open(Path folder, String library, String target) {
    Assumptions.assumeTrue(
        Files.exists(LIBRARIES.resolve(library)),
        () -> "not tested, there is no " + library + " of libclc in " + LIBRARIES);
    for (String name : CLANGS) {
      if (isThere(name)) {
        OfflineCompiler c = new OfflineCompiler(folder, name);
        Path in = c.write("probe.cl", "__kernel void k(__global float *x) { x[0] = exp(x[1]); }");
        if (c.start(c.compile(in, target, library, folder.resolve("probe.s"), "-nogpulib")).code
            == 0) {
          return c;
        }
      }
    }
    Assumptions.abort("not tested, there is no clang in PATH that reads libclc's " + library);
    throw new AssertionError();
  }

  private static boolean isThere(String tool) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(d -> Files.isExecutable(Path.of(d, tool)));
  }

  private static void need(String tool) {
    Assumptions.assumeTrue(isThere(tool), () -> "not tested, there is no " + tool + " in PATH");
  }

  private record Outcome(int code, String text) {}

  private Outcome start(List<String> command) {
    try {
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Outcome(p.waitFor(), out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String run(List<String> command) {
    Outcome o = start(command);
    if (o.code != 0) {
      throw new AssertionError(String.join(" ", command) + ":\n" + o.text);
    }
    return o.text;
  }

  private Path write(String name, String text) {
    try {
      return Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<String> compile(
      Path in, String target, String library, Path out, String... further) {
    List<String> command = new ArrayList<>(List.of(clang, "-x", "cl", "-cl-std=CL1.2"));
    // Clang knows asm in OpenCL C by its other name only.
    command.addAll(List.of("-Dasm=__asm__", "-target", target));
    command.addAll(List.of("-Xclang", "-finclude-default-header"));
    command.addAll(List.of("-Xclang", "-mlink-builtin-bitcode"));
    command.addAll(List.of("-Xclang", LIBRARIES.resolve(library).toString()));
    command.addAll(List.of(further));
    command.addAll(List.of("-O3", "-S", "-o", out.toString(), in.toString()));
    return command;
  }

  /** A program of some kernels, each once. */
  public static String program(List<Rendered> kernels) {
    StringBuilder s =
        new StringBuilder(Rendered.preamble(kernels.stream().anyMatch(Rendered::float64)));
    kernels.stream().map(Rendered::source).distinct().forEach(s::append);
    return s.toString();
  }

  /**
   * Compiles a program for sm_90.
   *
   * @return what each kernel needs, by name
   */
  public Map<String, Usage> sm90(String program) {
    Path in = write("kernels.cl", program);
    Path ptx = folder.resolve("kernels.ptx");
    run(compile(in, "nvptx64-unknown-nvidiacl", NVIDIA, ptx));
    try {
      String text = Files.readString(ptx);
      text = text.replaceFirst("\\.version .*", ".version 8.0");
      Files.writeString(ptx, text.replaceFirst("\\.target .*", ".target sm_90"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String out = folder.resolve("kernels.o").toString();
    Map<String, Usage> usage = new LinkedHashMap<>();
    String name = "";
    int spilled = 0;
    for (String l :
        run(List.of("ptxas", "-arch=sm_90", "-v", "-o", out, ptx.toString())).lines().toList()) {
      name = find(ENTRY, l, name);
      spilled = Integer.parseInt(find(SPILL, l, Integer.toString(spilled)));
      String registers = find(USED, l, "");
      if (!registers.isEmpty()) {
        usage.put(name, new Usage(Integer.parseInt(registers), spilled));
        spilled = 0;
      }
    }
    return usage;
  }

  /**
   * Compiles a program for an AMD GPU.
   *
   * @param cpu such as {@code gfx90a}
   * @return what each kernel needs, by name
   */
  public Map<String, Usage> gfx(String program, String cpu) {
    Path in = write("kernels.cl", program);
    Path assembly = folder.resolve("kernels.s");
    run(compile(in, "amdgcn-unknown-amdhsa", AMD, assembly, "-mcpu=" + cpu, "-nogpulib"));
    Map<String, Usage> usage = new LinkedHashMap<>();
    String name = "";
    int registers = 0;
    try {
      for (String l : Files.readAllLines(assembly)) {
        Matcher m = AMD_FIELD.matcher(l);
        if (!m.find()) {
          continue;
        }
        switch (m.group(1)) {
          // Arguments have names too, but no registers.
          case "name" -> name = m.group(2);
          case "vgpr_count" -> registers = Integer.parseInt(m.group(2));
          default -> usage.put(name, new Usage(registers, Integer.parseInt(m.group(2))));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return usage;
  }

  private static String find(Pattern p, String line, String otherwise) {
    Matcher m = p.matcher(line);
    return m.find() ? m.group(1) : otherwise;
  }
}
