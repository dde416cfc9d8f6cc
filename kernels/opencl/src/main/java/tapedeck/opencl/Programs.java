package tapedeck.opencl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_program;
import tapedeck.ad.type.DeviceException;
import tapedeck.ad.type.Settings;
import tapedeck.opencl.render.Dispatch;
import tapedeck.opencl.render.Rendered;

/**
 * Builds programs and keeps them by kernel text. All kernels of a schedule that are not known yet
 * are built as one program, from the binary on disk where there is one.
 */
final class Programs {
  /**
   * Kernels in programs that nothing uses, which are kept in case they are needed again. Drivers
   * for CPUs map several pieces of memory for each, of which a process has some 65,000 on Linux.
   */
  private int spare = 2048;

  private final cl_context context;
  private final Description description;
  private final BinaryCache cache;
  private final Map<String, Program> bySource = new HashMap<>();
  private final LinkedHashSet<Program> unused = new LinkedHashSet<>();
  private int unusedKernels;
  private int built;
  private int loaded;

  Programs(cl_context context, Description description) {
    this.context = context;
    this.description = description;
    this.cache = new BinaryCache(description.identity());
  }

  private static final class Program {
    final cl_program program;
    final List<String> sources;
    int kernels;

    Program(cl_program program, List<String> sources) {
      this.program = program;
      this.sources = sources;
    }
  }

  /** A kernel object of its own, with the program that must outlive it. */
  static final class Kernel {
    final cl_kernel kernel;
    private final Program program;

    private Kernel(cl_kernel kernel, Program program) {
      this.kernel = kernel;
      this.program = program;
    }
  }

  /** Changes how many kernels are kept in programs that nothing uses. */
  synchronized void keep(int kernels) {
    spare = kernels;
  }

  /** Number of programs built from source so far. */
  synchronized int built() {
    return built;
  }

  /** Number of programs loaded from the disk cache so far. */
  synchronized int loaded() {
    return loaded;
  }

  /**
   * One kernel object for each dispatch, in order.
   *
   * @throws DeviceException with the build log if a kernel does not build
   */
  synchronized List<Kernel> kernels(List<Dispatch> dispatches) {
    List<Rendered> missing = new ArrayList<>();
    Map<String, String> names = new LinkedHashMap<>();
    for (Dispatch d : dispatches) {
      Rendered r = d.text();
      if (!bySource.containsKey(r.source()) && names.put(r.entry(), d.label()) == null) {
        missing.add(r);
      }
    }
    if (!missing.isEmpty()) {
      long start = System.nanoTime();
      int before = loaded;
      build(missing, names);
      if (Settings.DEBUG.intValue(0) >= 1) {
        System.err.printf(
            "tapedeck: %s: %d kernels %s in %.1f ms%n",
            description.name(),
            missing.size(),
            loaded > before ? "loaded" : "built",
            (System.nanoTime() - start) / 1e6);
      }
    }
    List<Kernel> out = new ArrayList<>();
    try {
      for (Dispatch d : dispatches) {
        Program p = bySource.get(d.text().source());
        int[] status = new int[1];
        cl_kernel k = CL.clCreateKernel(p.program, d.text().entry(), status);
        Cl.check(status[0], "clCreateKernel of " + d.label());
        p.kernels++;
        use(p);
        out.add(new Kernel(k, p));
      }
    } catch (DeviceException e) {
      out.forEach(this::release);
      throw e;
    }
    return out;
  }

  /** Gives a kernel object back. */
  synchronized void release(Kernel k) {
    Cl.released(CL.clReleaseKernel(k.kernel));
    Program p = k.program;
    if (--p.kernels == 0) {
      spare(p);
      while (unusedKernels > spare && !unused.isEmpty()) {
        drop(unused.getFirst());
      }
    }
  }

  private void spare(Program p) {
    if (unused.add(p)) {
      unusedKernels += p.sources.size();
    }
  }

  private void use(Program p) {
    if (unused.remove(p)) {
      unusedKernels -= p.sources.size();
    }
  }

  private void drop(Program p) {
    use(p);
    p.sources.forEach(bySource::remove);
    Cl.released(CL.clReleaseProgram(p.program));
  }

  synchronized void close() {
    List.copyOf(unused).forEach(this::drop);
  }

  private void build(List<Rendered> kernels, Map<String, String> names) {
    StringBuilder s =
        new StringBuilder(Rendered.preamble(kernels.stream().anyMatch(Rendered::float64)));
    kernels.forEach(k -> s.append('\n').append(k.source()));
    String source = s.toString();
    String key = cache.key(source);
    Optional<byte[]> binary = description.binaries() ? cache.load(key) : Optional.empty();
    cl_program p = null;
    if (binary.isPresent()) {
      p = fromBinary(binary.get(), kernels.getFirst().entry());
      if (p == null) {
        cache.remove(key);
      } else {
        loaded++;
      }
    }
    if (p == null) {
      p = fromSource(source, names);
      built++;
      if (description.binaries()) {
        binary(p).ifPresent(b -> cache.store(key, b));
      }
    }
    Program program = new Program(p, kernels.stream().map(Rendered::source).toList());
    program.sources.forEach(t -> bySource.put(t, program));
    spare(program);
  }

  /**
   * The program, or null where the driver refuses the binary: it may be of another driver build.
   */
  private cl_program fromBinary(byte[] binary, String entry) {
    int[] status = new int[1];
    int[] each = new int[1];
    cl_program p =
        CL.clCreateProgramWithBinary(
            context, 1, devices(), new long[] {binary.length}, new byte[][] {binary}, each, status);
    if (status[0] != CL.CL_SUCCESS) {
      return null;
    }
    if (each[0] == CL.CL_SUCCESS
        && CL.clBuildProgram(p, 1, devices(), description.options(), null, null) == CL.CL_SUCCESS) {
      cl_kernel k = CL.clCreateKernel(p, entry, status);
      if (status[0] == CL.CL_SUCCESS) {
        Cl.released(CL.clReleaseKernel(k));
        return p;
      }
    }
    Cl.released(CL.clReleaseProgram(p));
    return null;
  }

  private cl_program fromSource(String source, Map<String, String> names) {
    int[] status = new int[1];
    cl_program p = CL.clCreateProgramWithSource(context, 1, new String[] {source}, null, status);
    Cl.check(status[0], "clCreateProgramWithSource");
    int result = CL.clBuildProgram(p, 1, devices(), description.options(), null, null);
    if (result != CL.CL_SUCCESS) {
      String log = log(p, description.id());
      Cl.released(CL.clReleaseProgram(p));
      throw new DeviceException(
          "[opencl] clBuildProgram on "
              + description.name()
              + " ("
              + description.info().description()
              + ") failed: "
              + Cl.name(result)
              + "; kernels: "
              + names
              + "; build log:\n"
              + log);
    }
    return p;
  }

  /** What the compiler said of a program. */
  static String log(cl_program p, cl_device_id device) {
    long[] size = new long[1];
    if (CL.clGetProgramBuildInfo(p, device, CL.CL_PROGRAM_BUILD_LOG, 0, null, size)
        != CL.CL_SUCCESS) {
      return "(none)";
    }
    byte[] b = new byte[(int) size[0]];
    Cl.check(
        CL.clGetProgramBuildInfo(p, device, CL.CL_PROGRAM_BUILD_LOG, b.length, Pointer.to(b), null),
        "clGetProgramBuildInfo");
    String s = new String(b, StandardCharsets.UTF_8).replace("\0", "").strip();
    return s.isEmpty() ? "(empty)" : s;
  }

  /** The built program's binary; empty where the driver gives none. */
  private static Optional<byte[]> binary(cl_program p) {
    long[] size = new long[1];
    if (CL.clGetProgramInfo(p, CL.CL_PROGRAM_BINARY_SIZES, 8, Pointer.to(size), null)
            != CL.CL_SUCCESS
        || size[0] == 0) {
      return Optional.empty();
    }
    byte[] b = new byte[(int) size[0]];
    Pointer[] each = {Pointer.to(b)};
    int status = CL.clGetProgramInfo(p, CL.CL_PROGRAM_BINARIES, 8, Pointer.to(each), null);
    return status == CL.CL_SUCCESS ? Optional.of(b) : Optional.empty();
  }

  private cl_device_id[] devices() {
    return new cl_device_id[] {description.id()};
  }
}
