package tapedeck.cpu.jit;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import tapedeck.ad.kir.Expr;
import tapedeck.ad.kir.Index;
import tapedeck.ad.kir.Loop;
import tapedeck.ad.kir.Reducer;
import tapedeck.ad.kir.ScalarOp;
import tapedeck.ad.type.DType;
import tapedeck.cpu.math.ScalarMath;

/** Emits scalar code for expressions and indices at the current values of the loop variables. */
final class ScalarGen {
  final Asm asm;
  private final CodeBuilder code;
  private final int[] params;
  private final Map<Loop, Integer> loops = new LinkedHashMap<>();
  private final Map<Integer, IntConsumer> accs = new HashMap<>();
  private final Deque<Map<Expr, Integer>> scopes = new ArrayDeque<>();
  private final Dependences dependences;

  /**
   * @param params long locals with the address of each parameter
   */
  ScalarGen(Asm asm, int[] params, Dependences dependences) {
    this.asm = asm;
    this.code = asm.code;
    this.params = params;
    this.dependences = dependences;
    scopes.push(new IdentityHashMap<>());
  }

  /** The loop's value is in this long local from now on. */
  void bind(Loop l, int slot) {
    loops.put(l, slot);
  }

  int slot(Loop l) {
    return loops.get(l);
  }

  /** Loops that have values, in the order in which they got their first. */
  List<Loop> bound() {
    return List.copyOf(loops.keySet());
  }

  /** How to load an accumulator. */
  void bindAcc(int id, IntConsumer load) {
    accs.put(id, load);
  }

  void open() {
    scopes.push(new IdentityHashMap<>());
  }

  void close() {
    scopes.pop();
  }

  private Integer known(Expr e) {
    for (Map<Expr, Integer> s : scopes) {
      Integer slot = s.get(e);
      if (slot != null) {
        return slot;
      }
    }
    return null;
  }

  // ---- hoisting -------------------------------------------------------------------------------

  /**
   * Computes now what does not change with the given loops, as far as it is evaluated for sure;
   * nothing if that were too much for one method.
   */
  void hoist(List<Expr> roots, Set<Loop> inside) {
    List<Expr> fixed = new ArrayList<>();
    Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    roots.forEach(e -> fixed(e, inside, seen, fixed));
    if (CodeSize.of(fixed, Collections.newSetFromMap(new IdentityHashMap<>())) <= CodeSize.LIMIT) {
      fixed.forEach(this::keep);
    }
  }

  private void fixed(Expr e, Set<Loop> inside, Set<Expr> seen, List<Expr> out) {
    if (!seen.add(e) || e instanceof Expr.Const || e instanceof Expr.Acc || known(e) != null) {
      return;
    }
    if (dependences.of(e).stream().noneMatch(inside::contains)) {
      out.add(e);
      return;
    }
    switch (e) {
      case Expr.Apply a -> a.args().forEach(x -> fixed(x, inside, seen, out));
      case Expr.Load l -> fixed(l.index(), inside, seen, out);
      case Expr.IndexValue v -> fixed(v.index(), inside, seen, out);
      // What a guard protects must not be evaluated early.
      case Expr.Guarded g -> {}
      case Expr.Const c -> {}
      case Expr.Acc a -> {}
    }
  }

  private void fixed(Index index, Set<Loop> inside, Set<Expr> seen, List<Expr> out) {
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> {}
        case Index.Div d -> fixed(d.arg(), inside, seen, out);
        case Index.Mod m -> fixed(m.arg(), inside, seen, out);
        case Index.Dyn d -> fixed(d.value(), inside, seen, out);
      }
    }
  }

  /** Evaluates into a local that later uses read. */
  private void keep(Expr e) {
    push(e);
    scopes.peek().put(e, asm.keep(Asm.kind(e.dtype())));
  }

  // ---- expressions ----------------------------------------------------------------------------

  /** Pushes the value of an expression. */
  void push(Expr e) {
    Integer slot = known(e);
    if (slot != null) {
      code.loadLocal(Asm.kind(e.dtype()), slot);
      return;
    }
    switch (e) {
      case Expr.Const c -> asm.constant(c.dtype(), c.value());
      case Expr.Acc a -> accs.get(a.id()).accept(a.id());
      case Expr.Load l -> {
        address(l.param(), l.dtype(), l.index());
        asm.get(l.dtype());
        share(e);
      }
      case Expr.IndexValue v -> {
        index(v.index());
        code.l2i();
      }
      case Expr.Apply a -> {
        a.args().forEach(this::push);
        apply(a.op(), a.dtype(), a.args().get(a.args().size() - 1).dtype());
        share(e);
      }
      case Expr.Guarded g -> guarded(g);
    }
  }

  /** Keeps the value on the stack in a local too, for other uses in this scope. */
  private void share(Expr e) {
    TypeKind kind = Asm.kind(e.dtype());
    if (kind == TypeKind.DOUBLE) {
      code.dup2();
    } else {
      code.dup();
    }
    scopes.peek().put(e, asm.keep(kind));
  }

  private void guarded(Expr.Guarded g) {
    Label otherwise = code.newLabel();
    Label end = code.newLabel();
    int result = asm.local(g.dtype());
    TypeKind kind = Asm.kind(g.dtype());
    open();
    branchUnless(g.bounds(), otherwise);
    push(g.value());
    code.storeLocal(kind, result);
    code.goto_(end);
    close();
    code.labelBinding(otherwise);
    open();
    push(g.otherwise());
    code.storeLocal(kind, result);
    close();
    code.labelBinding(end);
    code.loadLocal(kind, result);
  }

  /** Jumps away unless all bounds hold. */
  void branchUnless(List<Expr.Bound> bounds, Label away) {
    for (Expr.Bound b : bounds) {
      index(b.index());
      int at = asm.keep(TypeKind.LONG);
      code.lload(at).loadConstant(b.lo()).lcmp().iflt(away);
      code.lload(at).loadConstant(b.hi()).lcmp().ifge(away);
    }
  }

  /** Pushes the address of an element of a parameter. */
  void address(int param, DType t, Index index) {
    code.lload(params[param]);
    if (index.terms().isEmpty()) {
      code.loadConstant(index.base() * t.bytes());
    } else {
      index(index);
      if (t.bytes() > 1) {
        code.loadConstant((long) t.bytes()).lmul();
      }
    }
    code.ladd();
  }

  /** Pushes an index as a long. */
  void index(Index index) {
    code.loadConstant(index.base());
    for (Index.Term t : index.terms()) {
      switch (t.atom()) {
        case Index.Var v -> code.lload(loops.get(v.loop()));
        case Index.Div d -> {
          index(d.arg());
          code.loadConstant(d.by()).ldiv();
        }
        case Index.Mod m -> {
          index(m.arg());
          code.loadConstant(m.by()).lrem();
        }
        case Index.Dyn d -> {
          push(d.value());
          code.i2l();
        }
      }
      if (t.coef() != 1) {
        code.loadConstant(t.coef()).lmul();
      }
      code.ladd();
    }
  }

  /** Combines an accumulator and a value, both on the stack. */
  void combine(Reducer r, DType t) {
    apply(r.op(), t, t);
  }

  /** Applies an instruction to the operands on the stack; {@code in} is the last operand's type. */
  void apply(ScalarOp op, DType out, DType in) {
    String name = op.name().toLowerCase(Locale.ROOT);
    switch (op) {
      case ADD, SUB, MUL, NEG -> arithmetic(op, in);
      case DIV -> {
        if (in.isFloat()) {
          arithmetic(op, in);
        } else {
          asm.scalar("div", in, in, in);
        }
      }
      case REM -> {
        switch (in) {
          case FLOAT32 -> code.frem();
          case FLOAT64 -> code.drem();
          case INT32, BOOL -> asm.scalar("rem", in, in, in);
        }
      }
      case MIN, MAX -> math(name, in, 2);
      case ABS -> math("abs", in, 1);
      case SIGN, FLOOR, CEIL, ROUND, SQRT, RSQRT -> asm.scalar(name, in, in);
      case UMULHI -> asm.scalar(name, in, in, in);
      case LT, LE, EQ, NE -> asm.scalar(name, DType.BOOL, in, in);
      case AND -> code.iand();
      case OR -> code.ior();
      case XOR -> code.ixor();
      case NOT -> code.loadConstant(in == DType.BOOL ? 1 : -1).ixor();
      case SHL -> code.ishl();
      case SHR -> code.iushr();
      case SELECT -> asm.scalar("select", out, DType.BOOL, out, out);
      case CAST -> cast(in, out);
      case POW, ATAN2 -> asm.call(ScalarMath.class, name, Asm.desc(in), Asm.desc(in), Asm.desc(in));
      case EXP,
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
          asm.call(ScalarMath.class, name, Asm.desc(in), Asm.desc(in));
    }
  }

  private void math(String name, DType t, int arity) {
    ClassDesc d = Asm.desc(t);
    if (arity == 1) {
      asm.call(Math.class, name, d, d);
    } else {
      asm.call(Math.class, name, d, d, d);
    }
  }

  private void arithmetic(ScalarOp op, DType t) {
    switch (t) {
      case FLOAT32 -> {
        switch (op) {
          case ADD -> code.fadd();
          case SUB -> code.fsub();
          case MUL -> code.fmul();
          case DIV -> code.fdiv();
          default -> code.fneg();
        }
      }
      case FLOAT64 -> {
        switch (op) {
          case ADD -> code.dadd();
          case SUB -> code.dsub();
          case MUL -> code.dmul();
          case DIV -> code.ddiv();
          default -> code.dneg();
        }
      }
      case INT32, BOOL -> {
        switch (op) {
          case ADD -> code.iadd();
          case SUB -> code.isub();
          case MUL -> code.imul();
          default -> code.ineg();
        }
      }
    }
  }

  private void cast(DType in, DType out) {
    if (in == out) {
      return;
    }
    if (out == DType.BOOL) {
      asm.scalar("truth", DType.BOOL, in);
    } else if (Asm.kind(in) != Asm.kind(out)) {
      code.conversion(Asm.kind(in), Asm.kind(out));
    }
  }
}
