package tapedeck.cpu.fast;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.testkit.BackendContract;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;

class FastContractTest extends BackendContract {
  @Override
  protected BackendProvider provider() {
    return new FastProvider();
  }

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    return SelfCheck.rows(device, Effort.QUICK);
  }
}
