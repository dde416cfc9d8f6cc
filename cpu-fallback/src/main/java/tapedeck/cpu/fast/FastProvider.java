package tapedeck.cpu.fast;

import java.util.List;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;

/** Backend {@code cpu} with the one device {@code cpu}, which works everywhere. */
public final class FastProvider implements BackendProvider {
  static final String NAME = "cpu";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Discovery discover() {
    return new Discovery(List.of(new Cpu()), List.of());
  }

  private record Cpu() implements Candidate {
    @Override
    public String name() {
      return NAME;
    }

    @Override
    public DeviceInfo info() {
      return HostInfo.describe();
    }

    @Override
    public Device open() {
      return new FastDevice();
    }
  }
}
