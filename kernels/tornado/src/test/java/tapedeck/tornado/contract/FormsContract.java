package tapedeck.tornado.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import tapedeck.ad.backend.Device;
import tapedeck.ad.testkit.BackendContract;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;

/** The contract with kernels in forms that the device would not get, for some operations. */
abstract class FormsContract extends BackendContract {
  /** Names of the operations. */
  abstract Set<String> rows();

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    Map<String, Supplier<List<String>>> rows = SelfCheck.rows(device, Effort.QUICK);
    assertTrue(rows.keySet().containsAll(rows()), "names of rows");
    rows.keySet().retainAll(rows());
    return rows;
  }
}
