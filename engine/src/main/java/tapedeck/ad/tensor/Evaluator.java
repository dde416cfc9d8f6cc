package tapedeck.ad.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.ServiceLoader;
import tapedeck.ad.type.Aval;

/**
 * Runs primitives on concrete tensors. The engine's own implementation is found as a service of its
 * module.
 */
public interface Evaluator {

  /** Applies one primitive; the device is that of the operands, or the default one. */
  List<Tensor> evaluate(Primitive primitive, List<Tensor> operands, List<Aval> results);

  /** Copies host data to the device of this name, or to the default device if it is empty. */
  Storage upload(Aval aval, MemorySegment data, String device);

  static Evaluator instance() {
    return Holder.INSTANCE;
  }

  /** Defers the look-up to the first evaluation. */
  final class Holder {
    private static final Evaluator INSTANCE =
        ServiceLoader.load(Evaluator.class, Evaluator.class.getClassLoader())
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no Evaluator in the engine's module"));

    private Holder() {}
  }
}
