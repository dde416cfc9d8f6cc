package tapedeck.tornado;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.tornado.render.Target;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/**
 * A device of TornadoVM as this backend sees it.
 *
 * @param device TornadoVM's device
 * @param name name with which a user chooses it
 * @param info what it is
 * @param target what the renderer needs to know
 * @param float64 whether it computes in float64
 */
record Description(
    TornadoDevice device, String name, DeviceInfo info, Target target, boolean float64) {
  // OpenCL's numbers.
  private static final int SINGLE_FP_CONFIG = 0x101b;
  private static final int NATIVE_VECTOR_WIDTH_FLOAT = 0x103a;
  private static final int FMA = 1 << 5;

  // Without quotes, which PoCL does not pass on.
  private static final String WIDE =
      " -DTD_TEXT(x)=#x" + " -D__kernel=__attribute__((target(TD_TEXT(tune=haswell))))__kernel";

  private static final String ALIGNED = " -D__private=__attribute__((aligned(64)))__private";

  /**
   * A device that TornadoVM found.
   *
   * @param extended whether the OpenCL driver has {@link Extensions}
   */
  static Description of(TornadoDevice d, String name, boolean extended) {
    boolean gpu = d.getDeviceType() == TornadoDeviceType.GPU;
    String kind =
        switch (d.getDeviceType()) {
          case GPU -> "gpu";
          case CPU -> "cpu";
          default -> "accelerator";
        };
    int units = Math.max(1, d.getPhysicalDevice().getDeviceMaxComputeUnits());
    int group = (int) Math.min(4096, d.getPhysicalDevice().getDeviceMaxWorkGroupSize()[0]);
    Map<String, String> details = new LinkedHashMap<>();
    details.put("driver", d.getTornadoVMBackend().name());
    details.put("platform", d.getPlatformName());
    details.put("local memory", d.getDeviceLocalMemorySize() + " bytes");
    details.put("largest group", Integer.toString(group));
    boolean more = extended && d.getTornadoVMBackend() == TornadoVMBackendType.OPENCL;
    details.put("extended instructions", more ? "yes" : "no");
    boolean fused = (Internals.property(d.getPhysicalDevice(), SINGLE_FP_CONFIG, 0) & FMA) != 0;
    details.put("fused multiply-add", fused ? "yes" : "no");
    long native32 = Internals.property(d.getPhysicalDevice(), NATIVE_VECTOR_WIDTH_FLOAT, 8);
    int vector =
        Integer.getInteger("tapedeck.tornado.vector", Float.BYTES * Math.clamp(native32, 4, 16));
    // Below every other backend: TornadoVM is used where it is asked for.
    DeviceInfo info =
        new DeviceInfo(
            kind,
            d.getPhysicalDevice().getDeviceName().strip(),
            units,
            d.getMaxGlobalMemory(),
            gpu ? -10 : -20,
            Map.copyOf(details));
    return new Description(
        d,
        name,
        info,
        new Target(
            forms(gpu),
            more,
            fused,
            vector,
            units,
            group,
            d.getDeviceLocalMemorySize(),
            Target.SMALL),
        d.getDeviceContext().isFP64Supported());
  }

  /** The same device with kernels for another target. */
  Description with(Target other) {
    return new Description(device, name, info, other, float64);
  }

  /**
   * What PoCL's compiler is told beside TornadoVM's flags. It lets few flags through, so both are
   * macros for words of the kernel. Arrays of a work-item, on a stack that is aligned to 16 bytes,
   * are to begin where vectors do. And LLVM takes vectors of 256 bits where the processor has 512
   * and is one of Intel's first with them, which is what PoCL takes all for: an attribute of the
   * kernel says that code is to be good on another one, without a change to its instructions.
   */
  Optional<String> compilerFlags() {
    if (target.gpu() || !isPocl(device)) {
      return Optional.empty();
    }
    boolean wide =
        target.vectorBytes() == 64
            && System.getProperty("os.arch").equals("amd64")
            && !System.getProperty("tapedeck.tornado.wide", "").equals("off");
    return Optional.of(
        System.getProperty("tornado.opencl.compiler.flags")
            + (AlignedMemory.wanted() ? ALIGNED : "")
            + (wide ? WIDE : ""));
  }

  static boolean isPocl(TornadoDevice device) {
    return device.getPlatformName().contains("Portable Computing Language");
  }

  /** Whether kernels have the forms for GPUs. */
  private static boolean forms(boolean gpu) {
    return switch (System.getProperty("tapedeck.tornado.profile", "")) {
      case "gpu" -> true;
      case "cpu" -> false;
      default -> gpu;
    };
  }
}
