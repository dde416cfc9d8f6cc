package tapedeck.tornado.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.ad.backend.Device;
import tapedeck.ad.testkit.BackendContract;
import tapedeck.cpu.selfcheck.DeviceChecks.Effort;
import tapedeck.cpu.selfcheck.SelfCheck;
import tapedeck.tornado.FormsProvider;

/** Every kernel in the forms for CPU devices that large ones have. */
class TornadoCpuFormsContractTest extends BackendContract {
  private static final Set<String> ROWS =
      Set.of(
          "add",
          "rem",
          "log",
          "tanh",
          "lt",
          "where",
          "transpose",
          "slice",
          "pad",
          "concat",
          "cast",
          "softplus");

  @Override
  protected BackendProvider provider() {
    return FormsProvider.cpu();
  }

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    Map<String, Supplier<List<String>>> rows = SelfCheck.rows(device, Effort.QUICK);
    assertTrue(rows.keySet().containsAll(ROWS), "names of rows");
    rows.keySet().retainAll(ROWS);
    return rows;
  }
}
