package tapedeck.tornado.contract;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.testkit.BackendContract;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;
import tapedeck.tornado.FormsProvider;

/** Every kernel in the forms for GPUs, on whatever device there is. */
class TornadoGpuFormsContractTest extends BackendContract {
  @Override
  protected BackendProvider provider() {
    return FormsProvider.gpu();
  }

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    return SelfCheck.rows(device, Effort.QUICK);
  }
}
