package tapedeck.cpu.interp;

import java.util.List;
import java.util.Map;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;

/** Backend {@code interp} with the one device {@code interp}, which is never the default. */
public final class InterpProvider implements BackendProvider {
  static final String NAME = "interp";

  /** For the service loader; all instances are alike. */
  public InterpProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Discovery discover() {
    return new Discovery(List.of(new Interp()), List.of());
  }

  static DeviceInfo describe() {
    return new DeviceInfo(
        "interpreter",
        "Kernel-IR interpreter (one thread, strict checks)",
        1,
        InterpDevice.limit(),
        0,
        Map.of("java", Runtime.version().toString()));
  }

  private record Interp() implements Candidate {
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
      return new InterpDevice();
    }
  }
}
