package tapedeck.opencl.contract;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.testkit.BackendContract;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;
import tapedeck.opencl.OpenClProvider;

/** Skipped where no OpenCL device is found. */
class OpenClContractTest extends BackendContract {
  @Override
  protected BackendProvider provider() {
    return new OpenClProvider();
  }

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    return SelfCheck.rows(device, Effort.QUICK);
  }
}
