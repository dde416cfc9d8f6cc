package tapedeck.cpu.interp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tapedeck.ad.kir.Contraction;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Kernel;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Phase;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.ad.type.DeviceException;

/**
 * Static rules of the kernel IR: types, arities, scopes of loops and accumulators, declared use of
 * parameters.
 */
final class KernelChecker {
  private final Kernel kernel;
  private final String label;
  private final Set<Integer> loopIds = new HashSet<>();
  private final Set<Loop> scope = new HashSet<>();
  private final Map<Integer, DType> accs = new HashMap<>();
  private Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  private KernelChecker(Kernel kernel, String label) {
    this.kernel = kernel;
    this.label = label;
  }

  /**
   * Checks one kernel.
   *
   * @throws DeviceException naming the first rule that is broken
   */
  static void check(Kernel kernel, String label) {
    new KernelChecker(kernel, label).kernel();
  }

  private void kernel() {
    declare(kernel.grid());
    for (Phase phase : kernel.phases()) {
      seen = Collections.newSetFromMap(new IdentityHashMap<>());
      declare(phase.loops());
      switch (phase) {
        case Phase.Reduce r -> reduce(r);
        case Phase.Emit e -> e.stores().forEach(this::store);
        case Phase.ScatterAdd s -> scatter(s);
      }
      phase.loops().forEach(scope::remove);
    }
    kernel.contraction().ifPresent(this::contraction);
  }

  private void declare(List<Loop> loops) {
    for (Loop l : loops) {
      require(l.extent() >= 1, "loop " + l + " is empty");
      require(loopIds.add(l.id()), "loop id " + l.id() + " is used twice");
      scope.add(l);
    }
  }

  private void reduce(Phase.Reduce r) {
    for (Phase.Accumulator a : r.accs()) {
      expr(a.value());
      require(
          a.value().dtype() == a.dtype(),
          "accumulator " + a.id() + " is " + a.dtype() + ", its value " + a.value().dtype());
      boolean arithmetic = a.reducer() == Reducer.SUM || a.reducer() == Reducer.PROD;
      require(!arithmetic || a.dtype() != DType.BOOL, a.reducer() + " of booleans");
    }
    for (Phase.Accumulator a : r.accs()) {
      require(accs.put(a.id(), a.dtype()) == null, "accumulator id " + a.id() + " is used twice");
    }
  }

  private void scatter(Phase.ScatterAdd s) {
    for (Expr.Bound b : s.bounds()) {
      index(b.index());
    }
    store(s.store());
    require(s.store().value().dtype() != DType.BOOL, "scatter-add of booleans");
  }

  private void store(Phase.Store s) {
    index(s.index());
    expr(s.value());
    Kernel.Param p = param(s.param());
    require(p.written(), "parameter " + s.param() + " is stored to but not declared written");
    require(
        p.dtype() == s.value().dtype(),
        "parameter " + s.param() + " is " + p.dtype() + ", the value stored " + s.value().dtype());
  }

  private Kernel.Param param(int i) {
    require(i >= 0 && i < kernel.params().size(), "there is no parameter " + i);
    return kernel.params().get(i);
  }

  private void expr(Expr e) {
    if (!seen.add(e)) {
      return;
    }
    switch (e) {
      case Expr.Const c ->
          require(
              Double.compare(c.dtype().round(c.value()), c.value()) == 0,
              "constant " + c.value() + " is not a " + c.dtype());
      case Expr.Load l -> {
        Kernel.Param p = param(l.param());
        require(p.read(), "parameter " + l.param() + " is loaded but not declared read");
        require(
            p.dtype() == l.dtype(),
            "parameter " + l.param() + " is " + p.dtype() + ", its load " + l.dtype());
        index(l.index());
      }
      case Expr.Acc a ->
          require(
              accs.get(a.id()) == a.dtype(),
              "accumulator "
                  + a.id()
                  + " of type "
                  + a.dtype()
                  + " is not one of an earlier phase");
      case Expr.IndexValue v -> index(v.index());
      case Expr.Apply a -> {
        a.args().forEach(this::expr);
        apply(a);
      }
      case Expr.Guarded g -> {
        g.bounds().forEach(b -> index(b.index()));
        expr(g.value());
        expr(g.otherwise());
        require(
            g.value().dtype() == g.otherwise().dtype(),
            "guarded " + g.value().dtype() + " value with " + g.otherwise().dtype() + " otherwise");
      }
    }
  }

  private void index(Index index) {
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> require(scope.contains(v.loop()), v.loop() + " is not in scope");
        case Index.Div d -> {
          require(d.by() > 0, "division of an index by " + d.by());
          index(d.arg());
        }
        case Index.Mod m -> {
          require(m.by() > 0, "remainder of an index by " + m.by());
          index(m.arg());
        }
        case Index.Dyn d -> {
          require(d.value().dtype() == DType.INT32, "dynamic index of type " + d.value().dtype());
          expr(d.value());
        }
      }
    }
  }

  private void apply(Expr.Apply a) {
    ScalarOp op = a.op();
    require(a.args().size() == op.arity(), op + " with " + a.args().size() + " operands");
    List<DType> in = a.args().stream().map(Expr::dtype).toList();
    DType first = in.get(0);
    boolean ok =
        switch (op) {
          case ADD, SUB, MUL, DIV, REM, NEG, ABS, SIGN -> first != DType.BOOL;
          case MIN, MAX, LT, LE, EQ, NE -> true;
          case POW,
              ATAN2,
              FLOOR,
              CEIL,
              ROUND,
              SQRT,
              RSQRT,
              EXP,
              EXPM1,
              LOG,
              LOG1P,
              SIN,
              COS,
              TAN,
              ASIN,
              ACOS,
              ATAN,
              SINH,
              COSH,
              TANH,
              SIGMOID,
              ERF,
              ERFC ->
              first.isFloat();
          case AND, OR, XOR, NOT -> !first.isFloat();
          case SHL, SHR, UMULHI -> first == DType.INT32;
          case SELECT -> first == DType.BOOL && in.get(1) == in.get(2) && in.get(1) == a.dtype();
          case CAST -> true;
        };
    boolean same = op == ScalarOp.SELECT || in.stream().allMatch(t -> t == first);
    boolean result =
        op == ScalarOp.SELECT
            || op == ScalarOp.CAST
            || a.dtype() == (op.isComparison() ? DType.BOOL : first);
    require(ok && same && result, op + " does not take " + in + " to " + a.dtype());
  }

  private void contraction(Contraction c) {
    require(
        kernel.phases().size() == 2
            && kernel.phases().get(0) instanceof Phase.Reduce r
            && r.loops().equals(c.k())
            && r.accs().size() == 1
            && r.accs().get(0).id() == 0
            && r.accs().get(0).reducer() == Reducer.SUM
            && r.accs().get(0).value() instanceof Expr.Apply product
            && product.op() == ScalarOp.MUL
            && product.args().equals(List.of(c.lhs(), c.rhs())),
        "contraction without a first phase that sums lhs * rhs over k");
    require(
        kernel.phases().get(1) instanceof Phase.Emit e && e.loops().isEmpty(),
        "contraction without a last phase that emits one point");
    List<Loop> grid = new ArrayList<>(c.batch());
    grid.addAll(c.m());
    grid.addAll(c.n());
    require(grid.equals(kernel.grid()), "contraction whose grid is not batch, m, n");
    require(c.n().stream().noneMatch(c.lhs()::dependsOn), "lhs of a contraction depends on n");
    require(c.m().stream().noneMatch(c.rhs()::dependsOn), "rhs of a contraction depends on m");
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new DeviceException("[interp] malformed kernel " + label + ": " + otherwise);
    }
  }
}
