package tapedeck.cpu.jit;

import java.util.List;
import java.util.Set;
import tapedeck.ad.kir.Expr;

/** Rough size of scalar code, to keep methods below the 8,000 bytes that HotSpot compiles. */
final class CodeSize {
  /** Bytes that leave room for what is not counted. */
  static final int LIMIT = 4000;

  private CodeSize() {}

  /** Bytes of code that evaluates expressions; those that were seen before cost nothing. */
  static int of(List<Expr> roots, Set<Expr> seen) {
    int bytes = 0;
    for (Expr e : roots) {
      if (seen.add(e)) {
        bytes += of(e) + of(e.children(), seen);
      }
    }
    return bytes;
  }

  /** Bytes of one node: an instruction, or a load with its address. */
  static int of(Expr e) {
    return e instanceof Expr.Apply ? 16 : e instanceof Expr.Const ? 3 : 50;
  }
}
