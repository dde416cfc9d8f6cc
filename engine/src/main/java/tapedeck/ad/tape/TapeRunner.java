package tapedeck.ad.tape;

import java.util.List;
import java.util.ServiceLoader;
import tapedeck.ad.tensor.Tensor;

/**
 * Runs a whole tape on concrete tensors, as one batch of kernels. Found as a service of the
 * engine's module.
 */
public interface TapeRunner {
  List<Tensor> run(Tape tape, List<Tensor> inputs);

  static TapeRunner instance() {
    return Holder.INSTANCE;
  }

  /** Defers the look-up to the first run. */
  final class Holder {
    private static final TapeRunner INSTANCE =
        ServiceLoader.load(TapeRunner.class, TapeRunner.class.getClassLoader())
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no TapeRunner in the engine's module"));

    private Holder() {}
  }
}
