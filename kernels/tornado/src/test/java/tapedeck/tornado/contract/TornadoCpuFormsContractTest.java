package tapedeck.tornado.contract;

import java.util.Set;
import tapedeck.ad.backend.BackendProvider;
import tapedeck.tornado.FormsProvider;

/** Every kernel in the forms for CPU devices that large ones have. */
class TornadoCpuFormsContractTest extends FormsContract {
  @Override
  protected BackendProvider provider() {
    return FormsProvider.cpu();
  }

  @Override
  Set<String> rows() {
    return Set.of(
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
        "softplus",
        "sin",
        "pow");
  }
}
