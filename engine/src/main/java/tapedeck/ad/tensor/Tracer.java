package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.type.Aval;

/**
 * Records the primitives that a traced function applies. A later tracer (larger id) belongs to an
 * inner transform.
 */
public interface Tracer {

  /**
   * {@return the place in creation order; the innermost tracer among an operation's operands
   * records it}
   */
  long id();

  /**
   * Appends one application. Operands of other tracers become constants.
   *
   * @param primitive what is applied
   * @param operands at least one of them traced by this, unless there are none
   * @param results what {@link Primitive#infer} gives for the operands
   * @return traced tensors of this tracer, one per result
   * @throws tapedeck.ad.type.TracingException after the function has returned, or on another thread
   */
  List<Tensor> record(Primitive primitive, List<Tensor> operands, List<Aval> results);
}
