package tapedeck.ad.schedule;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.tape.Eqn;
import tapedeck.ad.tape.Var;
import tapedeck.ad.tensor.Lowering;
import tapedeck.ad.tensor.Op;
import tapedeck.ad.type.Aval;

/**
 * Expression of a variable's element: inlines maps down to leaves. Equal elements become one shared
 * node.
 */
final class ExprBuilder {
  /** Says what a leaf becomes; null for a variable that is to be inlined. */
  @FunctionalInterface
  interface Leaves {
    Expr leaf(Var v, List<Index> index);
  }

  private record Element(Var v, List<Index> index) {}

  private final Map<Var, Eqn> producers;
  private final Leaves leaves;
  private final Map<Element, Expr> known = new HashMap<>();
  private final Map<Expr, Expr> shared = new HashMap<>();
  private final Set<Var> computed = new LinkedHashSet<>();

  ExprBuilder(Map<Var, Eqn> producers, Leaves leaves) {
    this.producers = producers;
    this.leaves = leaves;
  }

  /** Element {@code index} of {@code v}, where {@code v} may be a leaf. */
  Expr at(Var v, List<Index> index) {
    Element key = new Element(v, index);
    Expr e = known.get(key);
    if (e == null) {
      Expr leaf = leaves.leaf(v, index);
      e = leaf != null ? share(leaf) : inlined(v, index);
      known.put(key, e);
    }
    return e;
  }

  /**
   * Element {@code index} of {@code v}, computed by its own map even if it is a leaf for others.
   */
  Expr inlined(Var v, List<Index> index) {
    Eqn e = producers.get(v);
    Lowering.Map map = (Lowering.Map) ((Op) e.primitive()).lower();
    Expr value =
        map.elements()
            .at(
                new Lowering.Operands() {
                  @Override
                  public Expr at(int operand, List<Index> at) {
                    return ExprBuilder.this.at(e.ins().get(operand), at);
                  }

                  @Override
                  public Aval aval(int operand) {
                    return e.ins().get(operand).aval();
                  }

                  @Override
                  public int count() {
                    return e.ins().size();
                  }
                },
                v.aval(),
                index);
    if (map.cost() > 0) {
      computed.add(v);
    }
    return share(value);
  }

  /**
   * Variables that were computed, views left out, in order of evaluation; callers add their own.
   */
  Set<Var> computed() {
    return computed;
  }

  private Expr share(Expr e) {
    Expr before = shared.putIfAbsent(e, e);
    return before == null ? e : before;
  }
}
