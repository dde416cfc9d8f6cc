package tapedeck.cpu.jit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;

/** Provides the device {@code cpu}, which every machine has. */
public final class CpuProvider implements BackendProvider {
  static final String NAME = "cpu";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Discovery discover() {
    return new Discovery(List.of(new Host()), List.of());
  }

  static DeviceInfo describe() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put(
        "java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    details.put(
        "vectors",
        CpuDevice.vectors()
            ? Vec.LANES * 32 + " bit"
            : "none: add --add-modules jdk.incubator.vector");
    return new DeviceInfo(
        "cpu",
        System.getProperty("os.arch") + " processor",
        CpuDevice.threads(),
        CpuDevice.limit(),
        10,
        details);
  }

  private record Host() implements Candidate {
    @Override
    public String name() {
      return NAME;
    }

    @Override
    public DeviceInfo info() {
      return describe();
    }

    @Override
    public Device open() {
      return new CpuDevice();
    }
  }
}
