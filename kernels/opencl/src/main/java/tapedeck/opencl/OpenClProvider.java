package tapedeck.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.ad.type.TapedeckException;

/**
 * Finds the OpenCL devices of all platforms. They are numbered {@code opencl:0}, {@code opencl:1},
 * … with GPUs first, then accelerators, then CPUs, and otherwise in the loader's order.
 */
public final class OpenClProvider implements BackendProvider {
  /** CL_DEVICE_TYPE_ALL; JOCL's constant has more bits set, which strict drivers (Mesa) refuse. */
  private static final long ALL_TYPES = 0xFFFFFFFFL;

  /** Why the library did not load: the JVM gives the reason only to the first who tries. */
  private static volatile String loadFailure;

  /** For {@link java.util.ServiceLoader}. */
  public OpenClProvider() {}

  @Override
  public String name() {
    return "opencl";
  }

  @Override
  public Discovery discover() {
    List<String> rejections = new ArrayList<>();
    List<Found> found = new ArrayList<>();
    if (!hasLoader()) {
      rejections.add("opencl: no OpenCL loader (libOpenCL.so.1) on this machine");
      return new Discovery(List.of(), List.copyOf(rejections));
    }
    try {
      CL.setExceptionsEnabled(false);
      for (cl_platform_id p : platforms(rejections)) {
        devices(p, found, rejections);
      }
    } catch (LinkageError | UnsupportedOperationException e) {
      // JOCL throws these where its own library or the loader libOpenCL cannot be loaded.
      if (loadFailure == null) {
        loadFailure = firstLine(e);
      }
      rejections.add("opencl: no OpenCL loader (libOpenCL.so.1): " + loadFailure);
      return new Discovery(List.of(), List.copyOf(rejections));
    }
    found.sort(Comparator.comparingInt(f -> -f.info().priority()));
    List<Candidate> out = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      out.add(new Found(found.get(i).platform, found.get(i).id, "opencl:" + i));
    }
    return new Discovery(List.copyOf(out), List.copyOf(rejections));
  }

  /** Asked first because JOCL's own library complains on the console where there is none. */
  private static boolean hasLoader() {
    return !System.getProperty("os.name").equals("Linux")
        || canLoad("libOpenCL.so.1")
        || canLoad("libOpenCL.so");
  }

  private static boolean canLoad(String library) {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup.libraryLookup(library, arena);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static List<cl_platform_id> platforms(List<String> rejections) {
    int[] count = new int[1];
    int status = CL.clGetPlatformIDs(0, null, count);
    if (status == Cl.PLATFORM_NOT_FOUND || (status == CL.CL_SUCCESS && count[0] == 0)) {
      rejections.add(
          "opencl: no platform: no OpenCL driver is installed (none under /etc/OpenCL/vendors)");
      return List.of();
    }
    if (status != CL.CL_SUCCESS) {
      rejections.add("opencl: clGetPlatformIDs failed: " + Cl.name(status));
      return List.of();
    }
    cl_platform_id[] ids = new cl_platform_id[count[0]];
    status = CL.clGetPlatformIDs(ids.length, ids, null);
    if (status != CL.CL_SUCCESS) {
      rejections.add("opencl: clGetPlatformIDs failed: " + Cl.name(status));
      return List.of();
    }
    return List.of(ids);
  }

  private static void devices(cl_platform_id p, List<Found> found, List<String> rejections) {
    String platform = "unnamed platform";
    try {
      platform = Cl.text(p, CL.CL_PLATFORM_NAME);
      int[] count = new int[1];
      int status = CL.clGetDeviceIDs(p, ALL_TYPES, 0, null, count);
      if (status == CL.CL_DEVICE_NOT_FOUND || (status == CL.CL_SUCCESS && count[0] == 0)) {
        rejections.add("opencl: " + platform + ": no device");
        return;
      }
      Cl.check(status, "clGetDeviceIDs");
      cl_device_id[] ids = new cl_device_id[count[0]];
      Cl.check(CL.clGetDeviceIDs(p, ALL_TYPES, ids.length, ids, null), "clGetDeviceIDs");
      for (cl_device_id d : ids) {
        device(p, platform, d, found, rejections);
      }
    } catch (TapedeckException e) {
      rejections.add("opencl: " + platform + ": " + e.getMessage());
    }
  }

  private static void device(
      cl_platform_id p,
      String platform,
      cl_device_id d,
      List<Found> found,
      List<String> rejections) {
    try {
      String product = Cl.text(d, CL.CL_DEVICE_NAME);
      String why = null;
      if (Cl.number(d, CL.CL_DEVICE_AVAILABLE) == 0) {
        why = "not available";
      } else if (Cl.number(d, CL.CL_DEVICE_COMPILER_AVAILABLE) == 0) {
        why = "no compiler for OpenCL C";
      } else if (Cl.number(d, CL.CL_DEVICE_ENDIAN_LITTLE) == 0) {
        why = "big endian";
      } else if (Cl.text(d, CL.CL_DEVICE_VERSION).matches("OpenCL 1\\.[01].*")) {
        why = "older than OpenCL 1.2";
      }
      if (why == null) {
        found.add(new Found(p, d, "opencl"));
      } else {
        rejections.add("opencl: " + platform + ": " + product + ": " + why);
      }
    } catch (TapedeckException e) {
      rejections.add("opencl: " + platform + ": " + e.getMessage());
    }
  }

  private static String firstLine(Throwable e) {
    Throwable t = e;
    while (t.getMessage() == null && t.getCause() != null) {
      t = t.getCause();
    }
    String m = t.getMessage();
    return m == null ? t.getClass().getSimpleName() : m.lines().findFirst().orElse("").strip();
  }

  /** A device that was found and asked, with a name once all are sorted. */
  private static final class Found implements Candidate {
    private final cl_platform_id platform;
    private final cl_device_id id;
    private final Description description;

    Found(cl_platform_id platform, cl_device_id id, String name) {
      this.platform = platform;
      this.id = id;
      this.description = Description.of(platform, id, name);
    }

    @Override
    public String name() {
      return description.name();
    }

    @Override
    public DeviceInfo info() {
      return description.info();
    }

    @Override
    public Device open() {
      return OpenClDevice.open(description);
    }
  }
}
