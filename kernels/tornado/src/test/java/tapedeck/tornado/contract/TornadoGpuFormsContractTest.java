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

/** Every kernel in the forms for GPUs, on whatever device there is. */
class TornadoGpuFormsContractTest extends BackendContract {
  private static final Set<String> ROWS =
      Set.of(
          "sum",
          "prod",
          "max",
          "any",
          "argmax",
          "matmul",
          "dot",
          "logSumExp",
          "variance",
          "softmax",
          "layer norm",
          "mlp loss");

  @Override
  protected BackendProvider provider() {
    return FormsProvider.gpu();
  }

  @Override
  protected Map<String, Supplier<List<String>>> operations(Device device) {
    Map<String, Supplier<List<String>>> rows = SelfCheck.rows(device, Effort.QUICK);
    assertTrue(rows.keySet().containsAll(ROWS), "names of rows");
    rows.keySet().retainAll(ROWS);
    return rows;
  }
}
