package tapedeck.tornado.contract;

import java.util.Set;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.tornado.FormsProvider;

/** Every kernel in the forms for GPUs, on whatever device there is. */
class TornadoGpuFormsContractTest extends FormsContract {
  @Override
  protected BackendProvider provider() {
    return FormsProvider.gpu();
  }

  @Override
  Set<String> rows() {
    return Set.of(
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
  }
}
