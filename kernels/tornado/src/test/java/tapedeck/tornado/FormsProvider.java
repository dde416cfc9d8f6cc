package tapedeck.tornado;

import java.util.List;
import java.util.function.UnaryOperator;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.backend.DeviceInfo;
import tapedeck.tornado.render.Target;

/** The devices with kernels in forms that they would not get, or not get for small kernels. */
public final class FormsProvider implements BackendProvider {
  private final UnaryOperator<Target> change;

  private FormsProvider(UnaryOperator<Target> change) {
    this.change = change;
  }

  /** The forms for CPU devices, however small a kernel is. */
  public static BackendProvider cpu() {
    return new FormsProvider(t -> t.forms(false));
  }

  /** The forms for GPUs, however small a kernel is. */
  public static BackendProvider gpu() {
    return new FormsProvider(t -> t.forms(true));
  }

  @Override
  public String name() {
    return "tornado";
  }

  @Override
  public Discovery discover() {
    Discovery found = new TornadoProvider().discover();
    return new Discovery(
        found.devices().stream().map(c -> (Candidate) new Changed(c, change)).toList(),
        List.copyOf(found.rejections()));
  }

  private record Changed(Candidate of, UnaryOperator<Target> change) implements Candidate {
    @Override
    public String name() {
      return of.name();
    }

    @Override
    public DeviceInfo info() {
      return of.info();
    }

    @Override
    public Device open() {
      return ((TornadoProvider.Found) of).open(change);
    }
  }
}
