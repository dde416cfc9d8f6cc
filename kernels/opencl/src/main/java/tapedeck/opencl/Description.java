package tapedeck.opencl;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.opencl.render.Target;
import tapedeck.opencl.render.TensorCores;
import tapedeck.opencl.tuning.Hardware;
import tapedeck.opencl.tuning.Profile;

/**
 * What was asked of a device once, when it was found.
 *
 * @param options build options of all its programs
 * @param identity text that changes whenever compiled programs may not be reused
 * @param baseAlign alignment of sub-buffers in bytes
 * @param maxAllocation largest single buffer in bytes
 * @param binaries whether program binaries are kept on disk
 */
record Description(
    cl_platform_id platform,
    cl_device_id id,
    String name,
    DeviceInfo info,
    Target target,
    Hardware hardware,
    boolean float64,
    String options,
    String identity,
    long baseAlign,
    long maxAllocation,
    boolean binaries) {

  private static final String TENSOR_CORES = "tensor cores";
  private static final int GPU_PRIORITY = 100;
  private static final int ACCELERATOR_PRIORITY = 50;
  // Below the CPU backend's 10: on the same cores that one is faster.
  private static final int CPU_PRIORITY = 1;
  private static final int CL_DEVICE_MAX_NUM_SUB_GROUPS = 0x105C;
  private static final int CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV = 0x4000;
  private static final int CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV = 0x4001;
  private static final int CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT = 1 << 7;

  /** Asks a device; the caller has checked that it has a compiler. */
  static Description of(cl_platform_id platform, cl_device_id d, String name) {
    long type = Cl.number(d, CL.CL_DEVICE_TYPE);
    String kind =
        (type & CL.CL_DEVICE_TYPE_GPU) != 0
            ? "gpu"
            : (type & CL.CL_DEVICE_TYPE_CPU) != 0 ? "cpu" : "accelerator";
    String product = Cl.text(d, CL.CL_DEVICE_NAME);
    String vendor = Cl.text(d, CL.CL_DEVICE_VENDOR);
    String driver = Cl.text(d, CL.CL_DRIVER_VERSION);
    String platformVersion = Cl.text(platform, CL.CL_PLATFORM_VERSION);
    String extensions = Cl.text(d, CL.CL_DEVICE_EXTENSIONS);
    long memory = Cl.number(d, CL.CL_DEVICE_GLOBAL_MEM_SIZE);
    long maxAlloc = Cl.number(d, CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    long local = Cl.number(d, CL.CL_DEVICE_LOCAL_MEM_SIZE);
    int units = (int) Cl.number(d, CL.CL_DEVICE_MAX_COMPUTE_UNITS);
    int maxGroup = (int) Cl.number(d, CL.CL_DEVICE_MAX_WORK_GROUP_SIZE);
    long single = Cl.number(d, CL.CL_DEVICE_SINGLE_FP_CONFIG);
    boolean float64 = Cl.numberOr(d, CL.CL_DEVICE_DOUBLE_FP_CONFIG, 0) != 0;
    boolean rounded = (single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
    long baseAlign = Math.max(1, Cl.number(d, CL.CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8);
    long subGroups = Cl.numberOr(d, CL_DEVICE_MAX_NUM_SUB_GROUPS, 0);
    int vector = 4 * (int) Cl.number(d, CL.CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    Profile profile = profile(kind);
    Map<String, String> details = new LinkedHashMap<>();
    details.put("platform", Cl.text(platform, CL.CL_PLATFORM_NAME));
    details.put("platform version", platformVersion);
    details.put("vendor", vendor);
    details.put("driver", driver);
    details.put("version", Cl.text(d, CL.CL_DEVICE_VERSION));
    details.put("float64", float64 ? "yes" : "no");
    details.put("correctly rounded division", rounded ? "yes" : "no");
    details.put("local memory", Long.toString(local));
    details.put("largest allocation", Long.toString(maxAlloc));
    details.put("largest work-group", Integer.toString(maxGroup));
    details.put("sub-groups", subGroups == 0 ? "no" : "up to " + subGroups);
    details.put("kernel profile", profile.name().toLowerCase(Locale.ROOT));
    details.put("extensions", extensions);
    TensorCores cores = tensorCores(computeCapability(d, extensions));
    details.put(TENSOR_CORES, cores == TensorCores.NONE ? "no" : cores.name());
    String options = "-cl-std=CL1.2" + (rounded ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");
    int priority =
        switch (kind) {
          case "gpu" -> GPU_PRIORITY;
          case "cpu" -> CPU_PRIORITY;
          default -> ACCELERATOR_PRIORITY;
        };
    return new Description(
        platform,
        d,
        name,
        new DeviceInfo(kind, product, units, memory, priority, Map.copyOf(details)),
        new Target(
            profile,
            units,
            maxGroup,
            local,
            profile == Profile.CPU ? Math.max(16, vector) : 16,
            (single & CL.CL_FP_FMA) != 0,
            cores),
        new Hardware(
            profile,
            product,
            driver,
            Hardware.family(
                Cl.text(platform, CL.CL_PLATFORM_NAME),
                product,
                computeCapability(d, extensions),
                Math.max(16, vector)),
            vendor,
            maxGroup,
            local),
        float64,
        options,
        String.join("\n", options, product, driver, platformVersion),
        baseAlign,
        maxAlloc,
        binaries(Cl.text(platform, CL.CL_PLATFORM_NAME)));
  }

  private static int computeCapability(cl_device_id d, String extensions) {
    return extensions.contains("cl_nv_device_attribute_query")
        ? (int)
            (10 * Cl.numberOr(d, CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV, 0)
                + Cl.numberOr(d, CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV, 0))
        : 0;
  }

  /** What may be used; whether PTX is right is found out once there is a context. */
  private static TensorCores tensorCores(int capability) {
    return switch (System.getProperty("tapedeck.opencl.tensor", "")) {
      case "off" -> TensorCores.NONE;
      case "emulated" -> TensorCores.EMULATED;
      case "ptx" -> TensorCores.PTX;
      default -> capability >= 80 ? TensorCores.PTX : TensorCores.NONE;
    };
  }

  /** The same device, where the probe of its tensor cores failed for a reason. */
  Description withoutTensorCores(String reason) {
    Map<String, String> details = new LinkedHashMap<>(info.details());
    details.put(TENSOR_CORES, "no: " + reason);
    DeviceInfo told =
        new DeviceInfo(
            info.kind(),
            info.description(),
            info.computeUnits(),
            info.memoryBytes(),
            info.priority(),
            Map.copyOf(details));
    Target t =
        new Target(
            target.profile(),
            target.computeUnits(),
            target.maxGroup(),
            target.localBytes(),
            target.vectorBytes(),
            target.fma32(),
            TensorCores.NONE);
    return new Description(
        platform,
        id,
        name,
        told,
        t,
        hardware,
        float64,
        options,
        identity,
        baseAlign,
        maxAllocation,
        binaries);
  }

  /** PoCL caches kernels itself, and asking for its binaries compiles each kernel a second time. */
  private static boolean binaries(String platform) {
    return switch (System.getProperty("tapedeck.opencl.binaries", "")) {
      case "on" -> true;
      case "off" -> false;
      default -> !platform.equals("Portable Computing Language");
    };
  }

  private static Profile profile(String kind) {
    String forced = System.getProperty("tapedeck.opencl.profile", "");
    return switch (forced) {
      case "cpu" -> Profile.CPU;
      case "gpu" -> Profile.GPU;
      default -> kind.equals("cpu") ? Profile.CPU : Profile.GPU;
    };
  }
}
