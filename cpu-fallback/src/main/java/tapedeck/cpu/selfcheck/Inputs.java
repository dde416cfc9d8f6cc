package tapedeck.cpu.selfcheck;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import tapedeck.ad.type.DType;
import tapedeck.cpu.selfcheck.OpSample.Operand;
import tapedeck.cpu.selfcheck.OpSample.Variant;

/** Random operand values. */
final class Inputs {
  private Inputs() {}

  static List<double[]> draw(Variant v, DType dtype, SplittableRandom random) {
    List<double[]> out = new ArrayList<>();
    for (Operand o : v.operands()) {
      out.add(o.domain().draw(random, o.fixed().orElse(dtype), Math.toIntExact(o.shape().size())));
    }
    return out;
  }
}
