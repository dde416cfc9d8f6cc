package tapedeck.ad.tape;

import java.util.List;
import tapedeck.ad.tensor.Primitive;

/**
 * {@code outs = primitive(ins)}.
 *
 * @param primitive what is applied
 * @param ins operands: inputs of the tape or results of earlier equations
 * @param outs results, one for an {@link tapedeck.ad.tensor.Op}
 * @param source the user's source line, or empty; not part of equality, so equal tapes from
 *     different lines compile once
 */
public record Eqn(Primitive primitive, List<Var> ins, List<Var> outs, String source) {
  /** {@return the only result of a primitive with one; else the first} */
  public Var out() {
    return outs.get(0);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Eqn e
        && e.primitive.equals(primitive)
        && e.ins.equals(ins)
        && e.outs.equals(outs);
  }

  @Override
  public int hashCode() {
    return (primitive.hashCode() * 31 + ins.hashCode()) * 31 + outs.hashCode();
  }
}
