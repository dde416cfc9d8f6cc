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

  /**
   * Applies one primitive; the device is that of the operands, or the default one.
   *
   * @param primitive what is applied
   * @param operands concrete tensors on one device; none for a constant
   * @param results what {@link Primitive#infer} gives for the operands
   * @return one concrete tensor per result; the device may still be computing it
   */
  List<Tensor> evaluate(Primitive primitive, List<Tensor> operands, List<Aval> results);

  /**
   * Copies host data to a device.
   *
   * @param aval type and shape of the data
   * @param data {@code aval.bytes()} bytes, little endian and row-major
   * @param device name of the device; empty for the default one
   * @return memory that a tensor will own
   */
  Storage upload(Aval aval, MemorySegment data, String device);

  /** {@return the engine's evaluator, looked up once} */
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
