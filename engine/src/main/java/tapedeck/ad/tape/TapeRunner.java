package tapedeck.ad.tape;

import java.util.List;
import java.util.ServiceLoader;
import tapedeck.ad.tensor.Tensor;

/**
 * Runs a whole tape on concrete tensors, as one batch of kernels. Found as a service of the
 * engine's module.
 */
public interface TapeRunner {
  /**
   * Submits the kernels of a tape; does not wait for the device.
   *
   * @param tape the tape to run
   * @param inputs one concrete tensor per input, captured constants first
   * @return one concrete tensor per output
   * @throws tapedeck.ad.type.DeviceException if the inputs live on different devices
   * @throws tapedeck.ad.type.ClosedException if an input is closed
   */
  List<Tensor> run(Tape tape, List<Tensor> inputs);

  /** {@return the engine's runner, looked up once} */
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
