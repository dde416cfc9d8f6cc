package tapedeck.ad.tensor;

import java.util.List;
import java.util.function.UnaryOperator;
import tapedeck.ad.type.Aval;

/**
 * A function whose reverse rule its author gives. Transforms treat it as one equation: reverse mode
 * uses the rule, batching maps function and rule, and everything else uses the plain function.
 *
 * @param name for messages
 * @param primal operands to results
 * @param forward operands to results followed by residuals
 * @param backward residuals followed by the results' cotangents, to the operands' cotangents
 * @param results what the primal returns
 */
public record CustomVjp(
    String name,
    UnaryOperator<List<Tensor>> primal,
    UnaryOperator<List<Tensor>> forward,
    UnaryOperator<List<Tensor>> backward,
    List<Aval> results)
    implements Primitive {
  @Override
  public String label() {
    return "custom_vjp<" + name + ">";
  }

  @Override
  public List<Aval> infer(List<Aval> operands) {
    return results;
  }
}
