package tapedeck.ad.tensor;

import java.util.List;
import tapedeck.ad.type.Aval;

/**
 * Records the primitives that a traced function applies. A later tracer (larger id) belongs to an
 * inner transform.
 */
public interface Tracer {

  /** Creation order; the innermost tracer among an operation's operands records it. */
  long id();

  /**
   * Appends one application and returns traced results. Operands of other tracers become constants.
   */
  List<Tensor> record(Primitive primitive, List<Tensor> operands, List<Aval> results);
}
